// <spak/cuda/bulk.h>: asynchronous copies of any number of contiguous bytes, which one thread issues. Knows nothing of
// tensors.
//
// All addresses and sizes are multiples of 16 bytes. Loads into shared memory complete on an mbarrier, whose phase must expect
// the bytes (mbarrier_arrive_expect_tx). Stores from shared memory belong to a group of the issuing thread: bulk_commit(),
// then bulk_wait_read<N>() before the source is overwritten and bulk_wait<N>() before others are told of the result; the
// block's shared memory must stay until its sources have been read. Shared memory written by ordinary stores needs
// fence_proxy_async() by the writers, and a barrier, before it is a source.
#pragma once
#include <spak/cuda/shared.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/bulk.h>
#endif

struct __half;
struct __nv_bfloat16;

namespace spak {

/// Copies `bytes` from global memory to the own block's shared memory and counts them at `bar`. One thread.
SPAK_DEVICE_SM90 void bulk_load(void* shared, const void* global, uint32_t bytes, uint64_t* bar SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("bulk_load", Arch);
#if defined(__CUDACC__)
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   shared_address(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(shared_address(bar))
               : "memory");
#else
  ::spak::sim::bulk_load(shared, global, bytes, bar, spak_at);
#endif
}

/// As bulk_load, to the same place in every block of the cluster whose rank's bit is set in `mask`; each one's own `bar`
/// counts `bytes`. None of them may have exited.
SPAK_DEVICE_SM90 void bulk_load_multicast(void* shared, const void* global, uint32_t bytes, uint64_t* bar,
                                          uint16_t mask SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("bulk_load_multicast", Arch);
#if defined(__CUDACC__)
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1], %2, [%3], "
      "%4;" ::"r"(shared_address(shared)),
      "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(shared_address(bar)), "h"(mask)
      : "memory");
#else
  ::spak::sim::bulk_load_multicast(shared, global, bytes, bar, mask, spak_at);
#endif
}

/// Copies `bytes` from the own block's shared memory to global memory, as part of the calling thread's next bulk group.
SPAK_DEVICE_SM90 void bulk_store(void* global, const void* shared, uint32_t bytes SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("bulk_store", Arch);
#if defined(__CUDACC__)
  asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(__cvta_generic_to_global(global)),
               "r"(shared_address(shared)), "r"(bytes)
               : "memory");
#else
  ::spak::sim::bulk_store(global, shared, bytes, spak_at);
#endif
}

template <typename T>
constexpr bool is_bulk_sum = false;
template <>
constexpr bool is_bulk_sum<float> = true;
template <>
constexpr bool is_bulk_sum<double> = true;
template <>
constexpr bool is_bulk_sum<int> = true;
template <>
constexpr bool is_bulk_sum<unsigned> = true;
template <>
constexpr bool is_bulk_sum<long long> = true;
template <>
constexpr bool is_bulk_sum<unsigned long long> = true;
template <>
constexpr bool is_bulk_sum<long> = sizeof(long) == 8;
template <>
constexpr bool is_bulk_sum<unsigned long> = sizeof(long) == 8;
template <>
constexpr bool is_bulk_sum<__half> = true;
template <>
constexpr bool is_bulk_sum<__nv_bfloat16> = true;

#if defined(__CUDACC__)
#define SPAK_BULK_ADD(Type, name)                                             \
  asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add." name \
               " [%0], [%1], %2;" ::"l"(__cvta_generic_to_global(global)),    \
               "r"(shared_address(shared)), "r"(bytes)                        \
               : "memory")
#else
#define SPAK_BULK_ADD(Type, name) \
  ::spak::sim::bulk_reduce(::spak::sim::Reduction::add, ::spak::sim::Element::Type, global, shared, bytes, spak_at)
#endif

template <typename T, typename U>
constexpr bool is_same_type = false;
template <typename T>
constexpr bool is_same_type<T, T> = true;

/// Adds the `bytes` of Ts in shared memory to those in global memory, each one atomically (relaxed, device-wide), as part of
/// the calling thread's next bulk group. T: float, double, int, unsigned, 64-bit integers, __half, __nv_bfloat16.
template <typename T>
SPAK_DEVICE void bulk_reduce_add(T* global, const T* shared, uint32_t bytes SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("bulk_reduce_add", sizeof(T*));
  static_assert(is_bulk_sum<T>,
                "bulk_reduce_add: T must be float, double, a 32-bit or 64-bit integer, __half or __nv_bfloat16");
  if constexpr (is_same_type<T, float>)
    SPAK_BULK_ADD(f32, "f32");
  else if constexpr (is_same_type<T, double>)
    SPAK_BULK_ADD(f64, "f64");
  else if constexpr (is_same_type<T, int>)
    SPAK_BULK_ADD(s32, "s32");
  else if constexpr (is_same_type<T, unsigned>)
    SPAK_BULK_ADD(u32, "u32");
  else if constexpr (is_same_type<T, __half>)
    SPAK_BULK_ADD(f16, "noftz.f16");
  else if constexpr (is_same_type<T, __nv_bfloat16>)
    SPAK_BULK_ADD(bf16, "noftz.bf16");
  else
    SPAK_BULK_ADD(u64, "u64");
}

#undef SPAK_BULK_ADD

/// Copies `bytes` from the own block's shared memory to another block's: `peer_shared` and `peer_bar`, which counts the bytes
/// there, are pointers from cluster_map. That block must not have exited, nor the own one before the copy is complete.
SPAK_DEVICE_SM90 void bulk_copy_cluster(void* peer_shared, const void* shared, uint32_t bytes,
                                        uint64_t* peer_bar SPAK_AT_HERE) {
  SPAK_NEEDS_SM90("bulk_copy_cluster", Arch);
#if defined(__CUDACC__)
  asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   shared_address(peer_shared)),
               "r"(shared_address(shared)), "r"(bytes), "r"(shared_address(peer_bar))
               : "memory");
#else
  ::spak::sim::bulk_copy_cluster(peer_shared, shared, bytes, peer_bar, spak_at);
#endif
}

/// Closes the group of the calling thread's bulk and TMA stores since the last one; it may be empty.
SPAK_DEVICE_SM90 void bulk_commit(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("bulk_commit", Arch);
#if defined(__CUDACC__)
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
#else
  ::spak::sim::bulk_commit(spak_at);
#endif
}

/// Waits until at most `N` of the calling thread's newest groups are incomplete: the others have been written, visibly to the
/// calling thread.
template <int N>
SPAK_DEVICE void bulk_wait(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("bulk_wait", N);
  static_assert(N >= 0, "bulk_wait: N is the number of groups that may stay incomplete, 0 or more");
#if defined(__CUDACC__)
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(N) : "memory");
#else
  ::spak::sim::bulk_wait(N, spak_at);
#endif
}

/// As bulk_wait, but only until their sources have been read, so that shared memory may be written again.
template <int N>
SPAK_DEVICE void bulk_wait_read(SPAK_AT_HERE_ONLY) {
  SPAK_NEEDS_SM90("bulk_wait_read", N);
  static_assert(N >= 0, "bulk_wait_read: N is the number of groups that may still be reading, 0 or more");
#if defined(__CUDACC__)
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(N) : "memory");
#else
  ::spak::sim::bulk_wait_read(N, spak_at);
#endif
}

}  // namespace spak
