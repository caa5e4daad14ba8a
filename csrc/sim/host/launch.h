// Launches as pieces of work, and kernels by their addresses. Knows nothing of streams.
#pragma once
#include <cuda_runtime_api.h>

#include <memory>

#include "host/call.h"
#include "spak/sim/host/launch.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

struct Shape {
  dim3 grid, block;
  std::size_t smem = 0;
  cudaStream_t stream = nullptr;
  Place place;
  unsigned cluster[3] = {0, 0, 0};
  bool cooperative = false;
};

struct Launch {
  Kernel* kernel;
  Shape shape;
  std::shared_ptr<const Body> body;
};

// The kernel behind an address that address_of gave out, or null.
Kernel* kernel_at(const void* function);
// The launch of that kernel with these arguments, copied now. Null: no such kernel.
std::shared_ptr<Launch> package(const void* function, const Shape& shape, void** arguments);
// What cudaLaunchKernel would return for it; reports what is wrong.
cudaError_t validate(const Call& call, const Launch& launch);
// Runs it. A fault breaks the context.
void run(const Launch& launch);

}  // namespace spak::sim::host
#pragma GCC visibility pop
