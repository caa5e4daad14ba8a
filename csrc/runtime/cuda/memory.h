// Device memory that outlives a call. Knows no stream.
#pragma once
#include <cstddef>

#pragma GCC visibility push(hidden)
namespace spak::runtime::cuda {

// Throws std::runtime_error. `release` is harmless when the context is gone.
void* allocate(std::size_t bytes, int device);
void release(void* data, int device);

}  // namespace spak::runtime::cuda
#pragma GCC visibility pop
