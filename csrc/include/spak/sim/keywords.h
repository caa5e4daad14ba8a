// CUDA's specifiers and vector types for the host compiler; `__shared__` is spelled out by spak.sim.source, and
// reaches the compiler only where that could not see it. Knows nothing of the engine.
#pragma once
#include <math.h>  // before the toolkit's macros, some of which are names in glibc
#include <stdint.h>
#include <vector_functions.h>
#include <vector_types.h>

#undef __global__
#define __global__ __attribute__((visibility("hidden")))
#undef __device__
#define __device__
#undef __host__
#define __host__
#undef __constant__
#define __constant__
#undef __managed__
#define __managed__
#undef __shared__
#define __shared__ static_assert(false, "__shared__ inside a macro cannot be simulated: write the declaration out");
#undef __grid_constant__
#define __grid_constant__
#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __maxnreg__
#define __maxnreg__(...)
#undef __noinline__
#undef __align__
#define __align__(n) __attribute__((aligned(n)))
#undef __forceinline__
#define __forceinline__ inline __attribute__((always_inline))
#undef warpSize
[[maybe_unused]] static constexpr int warpSize = 32;
