// <spak/cuda/shared.h>: the 32-bit addresses of shared memory that PTX instructions take. Knows nothing of what is there.
#pragma once
#include <spak/cuda/arch/needs.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/shared.h>
#endif

namespace spak {

/// The shared-memory address of a pointer to shared memory, for inline PTX and for matrix descriptors. Of a pointer into
/// another block of the cluster (cluster_map), its address in the cluster's window.
SPAK_DEVICE uint32_t shared_address(const void* shared SPAK_AT_HERE) {
#if defined(__CUDACC__)
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
#else
  return ::spak::sim::shared_address(shared, spak_at);
#endif
}

}  // namespace spak
