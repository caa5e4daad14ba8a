// <spak/cuda/arch/needs.h>: how a function says which GPUs have its instruction, and how one without parameters takes
// its caller's line. Knows nothing of any instruction.
//
// A function of a later architecture is a template for a GPU's compiler, so that its static_assert speaks only where the
// function is called. The simulator has every instruction.
#pragma once
#include <spak/cuda/device.h>

#if defined(__CUDACC__)

// SPAK_AT_HERE of a function that has no other parameter.
#define SPAK_AT_HERE_ONLY
#define SPAK_PASS_AT

// The host's pass of nvcc has no architecture, and calls nothing.
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define SPAK_HAS_SM90 true
#else
#define SPAK_HAS_SM90 false
#endif
// sm_90a, sm_100a, sm_100f, ...: architectures with features that later ones need not keep.
#if !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(__CUDA_ARCH_SPECIFIC__) || \
    defined(__CUDA_ARCH_FAMILY_SPECIFIC__)
#define SPAK_HAS_SPECIFIC true
#else
#define SPAK_HAS_SPECIFIC false
#endif
#if !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define SPAK_HAS_SM90A true
#else
#define SPAK_HAS_SM90A false
#endif

namespace spak::arch {
template <auto Value>
constexpr bool never = false;
}

// A function of an architecture above 8.0; `Arch` is what its static_assert depends on.
#define SPAK_DEVICE_SM90  \
  template <int Arch = 0> \
  SPAK_DEVICE
// `dependent` is an expression of one of the function's template parameters.
#define SPAK_NEEDS_SM90(name, dependent)                           \
  static_assert(SPAK_HAS_SM90 || ::spak::arch::never<(dependent)>, \
                "spak::" name                                      \
                " needs compute capability 9.0 or above: compile for sm_90 or later, or use another primitive")
#define SPAK_NEEDS_SPECIFIC(name, dependent)                           \
  static_assert(SPAK_HAS_SPECIFIC || ::spak::arch::never<(dependent)>, \
                "spak::" name                                          \
                " is architecture-specific: compile for sm_90a (or sm_100a), not for sm_90 or an older one")
#define SPAK_NEEDS_SM90A(name, dependent)                           \
  static_assert(SPAK_HAS_SM90A || ::spak::arch::never<(dependent)>, \
                "spak::" name " exists on sm_90a alone: compile for sm_90a, or use another primitive")

#else

#define SPAK_AT_HERE_ONLY ::spak::sim::Site spak_at = ::spak::sim::here()
#define SPAK_PASS_AT , spak_at
#define SPAK_DEVICE_SM90 SPAK_DEVICE
#define SPAK_NEEDS_SM90(name, dependent) static_assert(true)
#define SPAK_NEEDS_SPECIFIC(name, dependent) static_assert(true)
#define SPAK_NEEDS_SM90A(name, dependent) static_assert(true)

#endif
