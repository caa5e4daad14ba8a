// Copies and fills, checked when they are asked for and done when their turn comes. Knows nothing of streams.
#pragma once
#include <cuda_runtime_api.h>

#include <functional>

#include "host/call.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// `height` rows of `width` bytes in each of `depth` planes; the pitches are bytes.
struct Transfer {
  void* to;
  const void* from;
  std::size_t width, height = 1, depth = 1;
  std::size_t to_pitch = 0, from_pitch = 0, to_plane = 0, from_plane = 0;
  cudaMemcpyKind kind = cudaMemcpyDefault;
  const char* asked_by = nullptr;  // the function, and where it was called; null: a graph's node
  Place place;
};

// What is wrong with it, as the call's error; else cudaSuccess.
cudaError_t check_transfer(const Call& call, const Transfer& t);
void transfer(const Transfer& t);
// Fills `width` elements of 1, 2 or 4 bytes a row.
cudaError_t check_fill(const Call& call, void* to, std::size_t bytes);
void fill(void* to, std::size_t pitch, unsigned value, std::size_t element, std::size_t width, std::size_t height);

}  // namespace spak::sim::host
#pragma GCC visibility pop
