// cudaMemcpy and cudaMemset in all their forms. What an asynchronous copy may rely on is CUDA's: of pageable memory the
// source is staged at the call, and a copy into it has ended when the call returns; pinned memory is touched when the copy
// runs. Knows nothing of how streams order it.
#include "host/copy.h"

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/memory.h"
#include "host/stream.h"
#include "spak/sim/regions.h"

namespace spak::sim::host {

namespace {

std::size_t extent(const Transfer& t, std::size_t pitch, std::size_t plane) {
  return (t.depth - 1) * plane + (t.height - 1) * pitch + t.width;
}

const char* name_of(cudaMemcpyKind kind) {
  constexpr const char* names[] = {"cudaMemcpyHostToHost", "cudaMemcpyHostToDevice", "cudaMemcpyDeviceToHost",
                                   "cudaMemcpyDeviceToDevice", "cudaMemcpyDefault"};
  return names[kind];
}

// One side: `device` is what the kind says it is.
cudaError_t check_side(const Call& call, const Transfer& t, const void* pointer, std::size_t bytes, bool device,
                       bool any, const char* side) {
  if (!pointer) return call.wrong(cudaErrorInvalidValue, std::string("the ") + side + " is a null pointer");
  const Allocation* const a = find(pointer);
  if (!a) {
    if (const Allocation* const gone = find_freed(pointer))
      return call.wrong(cudaErrorInvalidValue, std::string("the ") + side + " was freed: " + gone->name);
    if (reserved(pointer))
      return call.wrong(cudaErrorInvalidValue, std::string("the ") + side + " is device memory that is not allocated");
    if (device && !any)
      return call.wrong(cudaErrorInvalidValue,
                        std::string("the ") + side + " of a copy with " + name_of(t.kind) + " is host memory",
                        "swap the arguments, or name the other kind");
    return cudaSuccess;
  }
  if (!device && !any && !host_may_touch(a->kind))
    return call.wrong(
        cudaErrorInvalidValue,
        std::string("the ") + side + " of a copy with " + name_of(t.kind) + " is device memory: " + a->name,
        "swap the arguments, or name the other kind");
  const std::size_t offset = static_cast<std::size_t>(static_cast<const char*>(pointer) - a->begin);
  if (offset + bytes > a->size)
    return call.wrong(cudaErrorInvalidValue,
                      std::string("the ") + side + ": " + std::to_string(bytes) + " bytes at byte " +
                          std::to_string(offset) + " reach beyond " + a->name,
                      "count bytes, not elements, and count them once");
  return cudaSuccess;
}

bool pageable(const void* pointer) { return !find(pointer); }

// Queues it, with what CUDA promises about pageable memory.
cudaError_t copy(const Call& call, Transfer t, cudaStream_t stream, bool synchronous) {
  if (const cudaError_t error = check_transfer(call, t); error != cudaSuccess) return error;
  if (!t.width || !t.height || !t.depth) return cudaSuccess;
  t.asked_by = call.function(), t.place = call.place();
  const cudaStream_t on = stream_of(stream);
  const bool captured = on && on->capture;
  if (synchronous || captured) return enqueue(call, stream, [t] { transfer(t); }, synchronous);
  if (pageable(t.to)) return enqueue(call, stream, [t] { transfer(t); }, true);
  if (pageable(t.from) && lazy()) {
    const auto staged = std::make_shared<std::vector<char>>(extent(t, t.from_pitch, t.from_plane));
    std::memcpy(staged->data(), t.from, staged->size());
    return enqueue(call, stream, [t, staged] {
      Transfer late = t;
      late.from = staged->data();
      transfer(late);
    });
  }
  return enqueue(call, stream, [t] { transfer(t); });
}

Transfer flat(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  Transfer t{to, from, bytes};
  t.kind = kind;
  return t;
}

Transfer plane(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
               std::size_t height, cudaMemcpyKind kind) {
  Transfer t{to, from, width, height};
  t.to_pitch = to_pitch, t.from_pitch = from_pitch, t.kind = kind;
  return t;
}

// Part of a variable.
cudaError_t symbol_part(const Call& call, const void* symbol, std::size_t count, std::size_t offset, char** out) {
  const Allocation* const a = find(symbol);
  if (!a || a->begin != symbol || (a->kind != Kind::variable && a->kind != Kind::constant && a->kind != Kind::managed))
    return call.wrong(cudaErrorInvalidSymbol, "not a __device__ or __constant__ variable",
                      "pass the variable itself, not its address or a string");
  if (offset + count > a->size)
    return call.wrong(cudaErrorInvalidValue, std::to_string(count) + " bytes at byte " + std::to_string(offset) +
                                                 " reach beyond `" + a->name + "`, which has " +
                                                 std::to_string(a->size));
  *out = a->begin + offset;
  return cudaSuccess;
}

}  // namespace

cudaError_t check_transfer(const Call& call, const Transfer& t) {
  if (t.kind < cudaMemcpyHostToHost || t.kind > cudaMemcpyDefault)
    return call.wrong(cudaErrorInvalidMemcpyDirection, "no such direction");
  if (!t.width || !t.height || !t.depth) return cudaSuccess;
  if (t.height > 1 && (t.to_pitch < t.width || t.from_pitch < t.width))
    return call.wrong(cudaErrorInvalidPitchValue,
                      "a pitch is less than the width of " + std::to_string(t.width) + " bytes",
                      "pitches and widths are bytes");
  const bool any = t.kind == cudaMemcpyDefault;
  const bool to_device = t.kind == cudaMemcpyHostToDevice || t.kind == cudaMemcpyDeviceToDevice;
  const bool from_device = t.kind == cudaMemcpyDeviceToHost || t.kind == cudaMemcpyDeviceToDevice;
  if (const cudaError_t error =
          check_side(call, t, t.to, extent(t, t.to_pitch, t.to_plane), to_device, any, "destination");
      error != cudaSuccess)
    return error;
  return check_side(call, t, t.from, extent(t, t.from_pitch, t.from_plane), from_device, any, "source");
}

void transfer(const Transfer& t) {
  const bool into_device = find(t.to) != nullptr, out_of_device = find(t.from) != nullptr;
  std::optional<check::HostWork> work;
  if (t.asked_by && several_streams()) work.emplace(t.place, t.asked_by);
  for (std::size_t z = 0; z < t.depth; ++z) {
    for (std::size_t y = 0; y < t.height; ++y) {
      char* const to = static_cast<char*>(t.to) + z * t.to_plane + y * t.to_pitch;
      const char* const from = static_cast<const char*>(t.from) + z * t.from_plane + y * t.from_pitch;
      if (work && out_of_device) work->access(from, t.width, false);
      if (work && into_device) work->access(to, t.width, true);
      std::memmove(to, from, t.width);
      if (into_device) initialised(to, t.width);
    }
  }
}

cudaError_t check_fill(const Call& call, void* to, std::size_t bytes) {
  Transfer t{to, to, bytes};
  t.kind = cudaMemcpyDeviceToDevice;
  if (bytes == 0) return cudaSuccess;
  return check_side(call, t, to, bytes, true, false, "destination");
}

void fill(void* to, std::size_t pitch, unsigned value, std::size_t element, std::size_t width, std::size_t height) {
  for (std::size_t y = 0; y < height; ++y) {
    char* const row = static_cast<char*>(to) + y * pitch;
    if (element == 1)
      std::memset(row, static_cast<int>(value & 0xFF), width);
    else
      for (std::size_t i = 0; i < width; ++i) std::memcpy(row + i * element, &value, element);
    initialised(row, width * element);
  }
}

}  // namespace spak::sim::host

using namespace spak::sim::host;

extern "C" cudaError_t cudaMemcpy(void* to, const void* from, size_t count, cudaMemcpyKind kind) {
  SPAK_API;
  return copy(call, flat(to, from, count, kind), nullptr, true);
}
extern "C" cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t count, cudaMemcpyKind kind,
                                       cudaStream_t stream) {
  SPAK_API;
  return copy(call, flat(to, from, count, kind), stream, false);
}
extern "C" cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                                    size_t height, cudaMemcpyKind kind) {
  SPAK_API;
  return copy(call, plane(to, to_pitch, from, from_pitch, width, height, kind), nullptr, true);
}
extern "C" cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                                         size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  SPAK_API;
  return copy(call, plane(to, to_pitch, from, from_pitch, width, height, kind), stream, false);
}
namespace {
cudaError_t no_peer(const Call& call, int device) {
  return call.wrong(cudaErrorInvalidDevice,
                    "there is no device " + std::to_string(device) + ": the simulator has one, 0",
                    "ask cudaGetDeviceCount for how many there are");
}
}  // namespace

extern "C" cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, size_t count) {
  SPAK_API;
  if (to_device != 0 || from_device != 0) return no_peer(call, to_device != 0 ? to_device : from_device);
  return copy(call, flat(to, from, count, cudaMemcpyDeviceToDevice), nullptr, true);
}
extern "C" cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, size_t count,
                                           cudaStream_t stream) {
  SPAK_API;
  if (to_device != 0 || from_device != 0) return no_peer(call, to_device != 0 ? to_device : from_device);
  return copy(call, flat(to, from, count, cudaMemcpyDeviceToDevice), stream, false);
}

namespace {
cudaError_t copy_3d(const Call& call, const cudaMemcpy3DParms* p, cudaStream_t stream, bool synchronous) {
  if (!p) return call(cudaErrorInvalidValue);
  if (p->srcArray || p->dstArray) return call.unsupported("CUDA arrays are not modelled");
  Transfer t{};
  t.kind = p->kind;
  t.width = p->extent.width, t.height = p->extent.height, t.depth = p->extent.depth;
  t.to_pitch = p->dstPtr.pitch, t.from_pitch = p->srcPtr.pitch;
  t.to_plane = p->dstPtr.pitch * p->dstPtr.ysize, t.from_plane = p->srcPtr.pitch * p->srcPtr.ysize;
  t.to = static_cast<char*>(p->dstPtr.ptr) + p->dstPos.z * t.to_plane + p->dstPos.y * t.to_pitch + p->dstPos.x;
  t.from =
      static_cast<const char*>(p->srcPtr.ptr) + p->srcPos.z * t.from_plane + p->srcPos.y * t.from_pitch + p->srcPos.x;
  return copy(call, t, stream, synchronous);
}

cudaError_t set(const Call& call, void* to, std::size_t pitch, int value, std::size_t width, std::size_t height,
                cudaStream_t stream) {
  if (!width || !height) return cudaSuccess;
  if (height > 1 && pitch < width) return call.wrong(cudaErrorInvalidPitchValue, "the pitch is less than the width");
  if (const cudaError_t error = check_fill(call, to, (height - 1) * pitch + width); error != cudaSuccess) return error;
  return enqueue(call, stream, [=, place = call.place(), asked_by = call.function()] {
    if (several_streams()) {
      spak::sim::check::HostWork work(place, asked_by);
      for (std::size_t y = 0; y < height; ++y) work.access(static_cast<char*>(to) + y * pitch, width, true);
    }
    fill(to, pitch, static_cast<unsigned>(value), 1, width, height);
  });
}
}  // namespace

extern "C" cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* p) {
  SPAK_API;
  return copy_3d(call, p, nullptr, true);
}
extern "C" cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* p, cudaStream_t stream) {
  SPAK_API;
  return copy_3d(call, p, stream, false);
}
extern "C" cudaError_t cudaMemset(void* to, int value, size_t count) {
  SPAK_API;
  return set(call, to, 0, value, count, 1, nullptr);
}
extern "C" cudaError_t cudaMemsetAsync(void* to, int value, size_t count, cudaStream_t stream) {
  SPAK_API;
  return set(call, to, 0, value, count, 1, stream);
}
extern "C" cudaError_t cudaMemset2D(void* to, size_t pitch, int value, size_t width, size_t height) {
  SPAK_API;
  return set(call, to, pitch, value, width, height, nullptr);
}
extern "C" cudaError_t cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t height,
                                         cudaStream_t stream) {
  SPAK_API;
  return set(call, to, pitch, value, width, height, stream);
}
extern "C" cudaError_t cudaMemset3D(cudaPitchedPtr p, int value, cudaExtent e) {
  SPAK_API;
  if (e.depth != 1 && e.height != p.ysize) return call.unsupported("part of each plane is not modelled");
  return set(call, p.ptr, p.pitch, value, e.width, e.height * e.depth, nullptr);
}

// --- variables -----------------------------------------------------------------------------------------------------------
extern "C" cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* from, size_t count, size_t offset,
                                               cudaMemcpyKind kind, cudaStream_t stream) {
  SPAK_API;
  char* to = nullptr;
  if (const cudaError_t error = symbol_part(call, symbol, count, offset, &to); error != cudaSuccess) return error;
  return copy(call, flat(to, from, count, kind), stream, false);
}
extern "C" cudaError_t cudaMemcpyFromSymbolAsync(void* to, const void* symbol, size_t count, size_t offset,
                                                 cudaMemcpyKind kind, cudaStream_t stream) {
  SPAK_API;
  char* from = nullptr;
  if (const cudaError_t error = symbol_part(call, symbol, count, offset, &from); error != cudaSuccess) return error;
  return copy(call, flat(to, from, count, kind), stream, false);
}
extern "C" cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, size_t count, size_t offset,
                                          cudaMemcpyKind kind) {
  SPAK_API;
  char* to = nullptr;
  if (const cudaError_t error = symbol_part(call, symbol, count, offset, &to); error != cudaSuccess) return error;
  return copy(call, flat(to, from, count, kind), nullptr, true);
}
extern "C" cudaError_t cudaMemcpyFromSymbol(void* to, const void* symbol, size_t count, size_t offset,
                                            cudaMemcpyKind kind) {
  SPAK_API;
  char* from = nullptr;
  if (const cudaError_t error = symbol_part(call, symbol, count, offset, &from); error != cudaSuccess) return error;
  return copy(call, flat(to, from, count, kind), nullptr, true);
}
extern "C" cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol) {
  SPAK_API;
  char* at = nullptr;
  if (const cudaError_t error = symbol_part(call, symbol, 0, 0, &at); error != cudaSuccess) return error;
  *pointer = at;
  return cudaSuccess;
}
extern "C" cudaError_t cudaGetSymbolSize(size_t* size, const void* symbol) {
  SPAK_API;
  char* at = nullptr;
  if (const cudaError_t error = symbol_part(call, symbol, 0, 0, &at); error != cudaSuccess) return error;
  *size = find(symbol)->size;
  return cudaSuccess;
}
