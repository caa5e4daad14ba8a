// threadIdx and its kin: variables of the OS thread that the engine sets whenever another CUDA thread goes on. Knows
// nothing of scheduling.
#pragma once
#include <spak/sim/engine.h>
#include <vector_types.h>

// const: they do not change while one CUDA thread looks at them, which the compiler may make use of.
#define SPAK_SIM_INDEX(T, name, symbol) \
  extern __thread const T name __asm__(symbol) __attribute__((tls_model("initial-exec"), visibility("hidden")));
SPAK_SIM_INDEX(uint3, threadIdx, "spak_sim_thread_index")
SPAK_SIM_INDEX(uint3, blockIdx, "spak_sim_block_index")
SPAK_SIM_INDEX(dim3, blockDim, "spak_sim_block_dim")
SPAK_SIM_INDEX(dim3, gridDim, "spak_sim_grid_dim")
#undef SPAK_SIM_INDEX

static_assert(sizeof(uint3) == sizeof(::spak::sim::Dim) && sizeof(dim3) == sizeof(::spak::sim::Dim),
              "the engine's Dim must have the layout of the toolkit's uint3 and dim3");
