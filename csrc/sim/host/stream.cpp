// Streams and events. The order that CUDA promises is a graph of work; lazily, a piece of work runs only when somebody
// who is entitled to its result waits, and only after what it depends on: a synchronisation that was forgotten shows as a
// wrong or uninitialised value. Knows nothing of what the work is.
#include "host/stream.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "host/graph.h"
#include "host/launch.h"
#include "host/memory.h"

namespace spak::sim::host {

namespace {

struct Streams {
  CUstream_st legacy, per_thread;
  std::set<cudaStream_t> made;
  std::set<cudaEvent_t> events;
  unsigned long long next_id = 3;
  bool at_exit = false;
};
Streams& streams() {
  static Streams* const one = new Streams;  // outlives every destructor of the program
  return *one;
}

constexpr unsigned kPolls = 3;  // how often a query of queued work answers "not ready" before the work is done

void finish_program() {
  const std::lock_guard guard(api_lock());
  if (context_error() == cudaSuccess) synchronise_all();
  inspect();
  deliver();
}

bool blocking(const CUstream_st& s) { return !(s.flags & cudaStreamNonBlocking); }

void order_after(Work& work, const WorkRef& before) {
  if (!before) return;
  join(work.rank.before, before->rank.before);
  if (!before->done) work.after.push_back(before);
}

void note_exit() {
  if (streams().at_exit) return;
  streams().at_exit = true;
  std::atexit(finish_program);
}

}  // namespace

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool lazy() {
  const char* how = std::getenv("SPAK_SIM_STREAMS");
  if (how && *how) return std::strcmp(how, "lazy") == 0;
  return check_mode();
}

cudaStream_t stream_of(cudaStream_t handle) {
  Streams& all = streams();
  if (handle == nullptr || handle == cudaStreamLegacy) return &all.legacy;
  if (handle == cudaStreamPerThread) return &all.per_thread;
  return all.made.count(handle) ? handle : nullptr;
}

bool live(cudaEvent_t event) { return event && streams().events.count(event); }

// Not recursive: a program may queue a million launches before it waits.
void perform(const WorkRef& work) {
  std::vector<WorkRef> stack{work};
  while (!stack.empty()) {
    const WorkRef top = stack.back();
    if (top->done) {
      stack.pop_back();
      continue;
    }
    bool ready = true;
    for (const WorkRef& before : top->after)
      if (!before->done) stack.push_back(before), ready = false;
    if (!ready) continue;
    stack.pop_back();
    top->done = true;
    top->after.clear();
    if (const auto body = std::move(top->body); body && context_error() == cudaSuccess) {
      const Opened open;
      const Performing performing(top->rank);
      body();
    }
    top->body = nullptr;
    top->finished = now_ms();
  }
}

// The host waits for it.
void await(const WorkRef& work) {
  perform(work);
  host_is_after(work->rank);
}

void synchronise(cudaStream_t stream) {
  if (stream->last) await(stream->last);
  for (const WorkRef& work : std::exchange(stream->waits, {})) await(work);
}

// The streams in turn, the oldest last: independent work runs in an order that differs from the program's.
void synchronise_all() {
  Streams& all = streams();
  std::vector<cudaStream_t> order(all.made.begin(), all.made.end());
  std::sort(order.begin(), order.end(), [](cudaStream_t a, cudaStream_t b) { return a->id > b->id; });
  for (cudaStream_t stream : order) synchronise(stream);
  synchronise(&all.per_thread);
  synchronise(&all.legacy);
  host_is_after_all();
}

cudaError_t enqueue(const Call& call, cudaStream_t handle, std::function<void()> body, bool now) {
  note_exit();
  Streams& all = streams();
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, "the stream does not exist, or was destroyed");
  if (stream->capture) {
    if (now)
      return call.wrong(cudaErrorStreamCaptureUnsupported,
                        "the call waits, which a stream that is being captured cannot do");
    capture_node(*stream, std::move(body));
    return cudaSuccess;
  }
  auto work = std::make_shared<Work>();
  work->body = std::move(body);
  order_after(*work, stream->last);
  for (const WorkRef& before : std::exchange(stream->waits, {})) order_after(*work, before);
  // The legacy default stream comes after, and before, everything in the streams that block.
  if (stream == &all.legacy) {
    for (cudaStream_t other : all.made) {
      if (!blocking(*other)) continue;
      if (other->capture)
        return call.wrong(cudaErrorStreamCaptureImplicit,
                          "the default stream would depend on a stream that is being captured",
                          "capture a stream that was made with cudaStreamNonBlocking, or use another stream");
      order_after(*work, other->last);
      for (const WorkRef& before : other->waits) order_after(*work, before);
    }
    order_after(*work, all.per_thread.last);
  } else if (blocking(*stream)) {
    order_after(*work, all.legacy.last);
  }
  place_in_order(work->rank, stream->line);
  stream->last = work;
  stream->polls = 0;
  if (now)
    await(work);
  else if (!lazy())
    perform(work);
  if (now && context_error() != cudaSuccess) return call(context_error());
  return cudaSuccess;
}

}  // namespace spak::sim::host

using namespace spak::sim::host;

namespace {

cudaError_t make_stream(const Call& call, cudaStream_t* out, unsigned flags, int priority) {
  if (!out || flags > cudaStreamNonBlocking) return call(cudaErrorInvalidValue);
  auto* const made = new CUstream_st;
  made->flags = flags, made->priority = std::clamp(priority, -5, 0), made->id = streams().next_id++;
  streams().made.insert(made);
  note_stream();
  *out = made;
  return cudaSuccess;
}

const char* kNoStream = "the stream does not exist, or was destroyed";
const char* kNoEvent = "the event does not exist, or was destroyed";

// Queued work is done after a few queries: a loop that polls ends.
cudaError_t query(const Call& call, const WorkRef& work, unsigned& polls) {
  if (!work) return cudaSuccess;
  if (!work->done && ++polls <= kPolls) return cudaErrorNotReady;
  await(work);
  return call(context_error());
}

}  // namespace

extern "C" cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  SPAK_API;
  return make_stream(call, stream, cudaStreamDefault, 0);
}
extern "C" cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  SPAK_API;
  return make_stream(call, stream, flags, 0);
}
extern "C" cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  SPAK_API;
  return make_stream(call, stream, flags, priority);
}
extern "C" cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  SPAK_API;
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return cudaSuccess;
}
extern "C" cudaError_t cudaStreamGetPriority(cudaStream_t handle, int* priority) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  *priority = stream->priority;
  return cudaSuccess;
}
extern "C" cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned* flags) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  *flags = stream->flags;
  return cudaSuccess;
}
extern "C" cudaError_t cudaStreamGetId(cudaStream_t handle, unsigned long long* id) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  *id = stream->id;
  return cudaSuccess;
}
extern "C" cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  SPAK_API;
  if (!streams().made.count(stream)) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  synchronise(stream);
  streams().made.erase(stream);
  delete stream;
  return call(context_error());
}
extern "C" cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  if (stream->capture) return call.wrong(cudaErrorStreamCaptureUnsupported, "the stream is being captured");
  // Waiting for the default stream is waiting for all that it comes after.
  if (stream == &streams().legacy) {
    for (cudaStream_t other : streams().made)
      if (blocking(*other) && !other->capture) synchronise(other);
    synchronise(&streams().per_thread);
  }
  synchronise(stream);
  return call(context_error());
}
extern "C" cudaError_t cudaStreamQuery(cudaStream_t handle) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  return query(call, stream->last, stream->polls);
}
extern "C" cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  if (!live(event)) return call.wrong(cudaErrorInvalidResourceHandle, kNoEvent);
  if (event->capture) return join_capture(call, *stream, *event);
  if (stream->capture)
    return call.wrong(cudaErrorStreamCaptureIsolation,
                      "a stream that is being captured cannot wait for work that is not");
  if (event->work) stream->waits.push_back(event->work);
  return cudaSuccess;
}
extern "C" cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  SPAK_API;
  if (!function) return call(cudaErrorInvalidValue);
  return enqueue(call, stream, [=] { host_sees_work(), function(data); });
}
extern "C" cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback, void* data,
                                             unsigned flags) {
  SPAK_API;
  if (!callback || flags) return call(cudaErrorInvalidValue);
  return enqueue(call, stream, [=] { host_sees_work(), callback(stream, context_error(), data); });
}
extern "C" cudaError_t cudaStreamAttachMemAsync(cudaStream_t, void*, size_t, unsigned) { return cudaSuccess; }

extern "C" cudaError_t cudaDeviceSynchronize() {
  SPAK_API;
  synchronise_all();
  return call(context_error());
}

// --- events --------------------------------------------------------------------------------------------------------------
extern "C" cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  SPAK_API;
  if (!event) return call(cudaErrorInvalidValue);
  *event = new CUevent_st;
  (*event)->flags = flags;
  streams().events.insert(*event);
  return cudaSuccess;
}
extern "C" cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
extern "C" cudaError_t cudaEventDestroy(cudaEvent_t event) {
  SPAK_API;
  if (!live(event)) return call.wrong(cudaErrorInvalidResourceHandle, kNoEvent);
  streams().events.erase(event);
  delete event;
  return cudaSuccess;
}
extern "C" cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  SPAK_API;
  const cudaStream_t stream = stream_of(handle);
  if (!stream) return call.wrong(cudaErrorInvalidResourceHandle, kNoStream);
  if (!live(event)) return call.wrong(cudaErrorInvalidResourceHandle, kNoEvent);
  event->polls = 0;
  if (stream->capture) {
    event->capture = stream->capture, event->captured = stream->captured, event->work = nullptr;
    return cudaSuccess;
  }
  event->capture = nullptr;
  const cudaError_t status = enqueue(call, handle, {});
  event->work = stream->last;
  return status;
}
extern "C" cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  return cudaEventRecord(event, stream);
}
extern "C" cudaError_t cudaEventQuery(cudaEvent_t event) {
  SPAK_API;
  if (!live(event)) return call.wrong(cudaErrorInvalidResourceHandle, kNoEvent);
  if (event->capture)
    return call.wrong(cudaErrorCapturedEvent, "the event was recorded in a stream that is being captured");
  return query(call, event->work, event->polls);
}
extern "C" cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  SPAK_API;
  if (!live(event)) return call.wrong(cudaErrorInvalidResourceHandle, kNoEvent);
  if (event->capture)
    return call.wrong(cudaErrorCapturedEvent, "the event was recorded in a stream that is being captured");
  if (event->work) await(event->work);
  return call(context_error());
}
extern "C" cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t stop) {
  SPAK_API;
  if (!ms) return call(cudaErrorInvalidValue);
  if (!live(start) || !live(stop)) return call.wrong(cudaErrorInvalidResourceHandle, kNoEvent);
  if (!start->work || !stop->work)
    return call.wrong(cudaErrorInvalidResourceHandle, "an event was never recorded",
                      "call cudaEventRecord for both events first");
  if ((start->flags | stop->flags) & cudaEventDisableTiming)
    return call.wrong(cudaErrorInvalidResourceHandle, "an event was made with cudaEventDisableTiming");
  if (!start->work->done || !stop->work->done)
    return call.wrong(cudaErrorNotReady, "an event has not happened yet",
                      "call cudaEventSynchronize for the second event first");
  *ms = static_cast<float>(stop->work->finished - start->work->finished);
  return cudaSuccess;
}
