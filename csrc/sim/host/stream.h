// Streams as ordered queues of work, and when it runs: eagerly, or as late as is legal. Knows nothing of what the work is.
#pragma once
#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "host/call.h"
#include "host/order.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// One thing that was queued. It may run once all of `after` have; it must have run before whoever waits for it goes on.
struct Work {
  std::function<void()> body;  // empty: it only orders others
  std::vector<std::shared_ptr<Work>> after;
  bool done = false;
  double finished = 0;  // milliseconds on the host's clock
  Rank rank;
};
using WorkRef = std::shared_ptr<Work>;

// Part of a graph that is being built; see graph.h.
struct Capture;

}  // namespace spak::sim::host

struct CUstream_st {
  unsigned flags = 0;
  int priority = 0;
  unsigned long long id = 0;
  spak::sim::host::WorkRef last;                // null: idle
  std::vector<spak::sim::host::WorkRef> waits;  // cudaStreamWaitEvent: what the next work comes after
  unsigned polls = 0;
  unsigned long long line = spak::sim::host::new_line();
  std::shared_ptr<spak::sim::host::Capture> capture;
  std::vector<cudaGraphNode_t> captured;  // what the next node comes after
};

struct CUevent_st {
  unsigned flags = 0;
  spak::sim::host::WorkRef work;  // of the last record; null: never recorded
  unsigned polls = 0;
  std::shared_ptr<spak::sim::host::Capture> capture;
  std::vector<cudaGraphNode_t> captured;
};

namespace spak::sim::host {

// The stream that a handle names (0, cudaStreamLegacy, cudaStreamPerThread included), or null.
cudaStream_t stream_of(cudaStream_t handle);
bool live(cudaEvent_t event);

// Queues `body` on the stream, or runs it at once if that is how streams are run. `now`: the caller waits for it.
// `node` makes the graph's node while the stream is captured; returns what the call returns.
cudaError_t enqueue(const Call& call, cudaStream_t handle, std::function<void()> body, bool now = false);
void perform(const WorkRef& work);
void synchronise(cudaStream_t stream);
void synchronise_all();
// SPAK_SIM_STREAMS, else lazy in check mode and eager otherwise.
bool lazy();
double now_ms();

}  // namespace spak::sim::host
#pragma GCC visibility pop
