// <spak/cuda/vec.h>: loads and stores of several neighbouring elements as one access of up to 16 bytes. Knows nothing of
// layouts: the caller sees to alignment and bounds.
#pragma once
#include <spak/cuda/device.h>

namespace spak {

/// `N` elements of `T` that move as one access: `v[i]` reads and writes element i. N * sizeof(T) is 1, 2, 4, 8 or 16.
template <typename T, int N>
struct alignas(sizeof(T) * N) Vec {
  static_assert(N >= 1 && (N & (N - 1)) == 0, "Vec: N must be a power of two");
  static_assert(sizeof(T) * N <= 16,
                "Vec: a single access moves at most 16 bytes: choose N so that N * sizeof(T) <= 16");
  T element[N];
  SPAK_DEVICE T& operator[](int i) { return element[i]; }
  SPAK_DEVICE const T& operator[](int i) const { return element[i]; }
};

/// Whether `Vec<T, N>` may be loaded from `address`: it is a multiple of N * sizeof(T) bytes.
template <int N, typename T>
SPAK_DEVICE bool is_aligned(const T* address) {
  return reinterpret_cast<unsigned long long>(address) % (sizeof(T) * N) == 0;
}

/// Loads elements 0 to N - 1 at `address` in one access. `address` must be a multiple of N * sizeof(T) bytes, and all N
/// elements must exist. Shared or global memory.
template <int N, typename T>
SPAK_DEVICE Vec<T, N> load(const T* address SPAK_AT_HERE) {
#if !defined(__CUDACC__)
  ::spak::sim::require_aligned(address, sizeof(T) * N,
                               "spak::load from an address that is not a multiple of the vector's size", spak_at);
#endif
  return *reinterpret_cast<const Vec<T, N>*>(address);
}

/// Stores `value` to elements 0 to N - 1 at `address` in one access; the same rules as load.
template <typename T, int N>
SPAK_DEVICE void store(T* address, const Vec<T, N>& value SPAK_AT_HERE) {
#if !defined(__CUDACC__)
  ::spak::sim::require_aligned(address, sizeof(T) * N,
                               "spak::store to an address that is not a multiple of the vector's size", spak_at);
#endif
  *reinterpret_cast<Vec<T, N>*>(address) = value;
}

}  // namespace spak
