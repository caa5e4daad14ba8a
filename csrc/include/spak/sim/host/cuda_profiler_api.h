// <cuda_profiler_api.h>: starts and stops a profiler that is not there. Knows nothing of counters.
#pragma once
#include <cuda_runtime_api.h>

inline cudaError_t cudaProfilerStart() { return cudaSuccess; }
inline cudaError_t cudaProfilerStop() { return cudaSuccess; }
