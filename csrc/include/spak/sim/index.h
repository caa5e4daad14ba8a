// threadIdx and its kin: names for fields of the running thread. Knows nothing of scheduling.
#pragma once
#include <vector_types.h>

#include <spak/sim/engine.h>

// Macros, since each must read the running thread anew; the layouts of Dim, uint3 and dim3 are the same.
#define threadIdx (reinterpret_cast<const uint3&>(::spak::sim::current->thread))
#define blockIdx (reinterpret_cast<const uint3&>(::spak::sim::current->block->block))
#define blockDim (reinterpret_cast<const dim3&>(::spak::sim::current->block->dim))
#define gridDim (reinterpret_cast<const dim3&>(::spak::sim::current->block->grid))

static_assert(sizeof(uint3) == sizeof(::spak::sim::Dim) && sizeof(dim3) == sizeof(::spak::sim::Dim),
              "the engine's Dim must have the layout of the toolkit's uint3 and dim3");
