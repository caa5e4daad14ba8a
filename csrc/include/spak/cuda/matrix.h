// <spak/cuda/matrix.h>: 8x8 matrices of 16-bit elements between shared memory and the fragments that mma takes. Knows
// nothing of products.
//
// A matrix has 8 rows of 16 bytes: 8 elements of 16 bits (or 16 of 8, or 4 of 32, which move along). In a fragment, lane l
// holds elements 2 * (l % 4) and 2 * (l % 4) + 1 of row l / 4, the first in the low half of the register.
// All 32 lanes of a warp call each of these together, from the same line. They give no order to memory accesses: put
// __syncwarp() or a barrier between them and other lanes' accesses to the same shared memory.
#pragma once
#include <spak/cuda/shared.h>

#if !defined(__CUDACC__)
#include <spak/sim/model/matrix.h>
#endif

namespace spak {

/// Loads N matrices (1, 2 or 4) from shared memory: r[i] becomes this lane's part of matrix i. Lanes 8 * i to 8 * i + 7 give
/// the addresses of rows 0 to 7 of matrix i: each a multiple of 16, in shared memory, rows anywhere; the other lanes' `row`
/// is not looked at. Transposed: lane l gets elements (2 * (l % 4), l / 4) and (2 * (l % 4) + 1, l / 4) instead, which is
/// the fragment of the transpose. Free of bank conflicts where the 8 rows of a matrix lie in different 16-byte columns
/// modulo 128 bytes. sm_75 and later.
template <int N, bool Transposed = false>
SPAK_DEVICE void ldmatrix(uint32_t (&r)[N], const void* row SPAK_AT_HERE) {
  static_assert(N == 1 || N == 2 || N == 4, "ldmatrix: N must be 1, 2 or 4");
#if defined(__CUDACC__)
  const uint32_t address = shared_address(row);
  if constexpr (N == 1 && !Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(address) : "memory");
  if constexpr (N == 1 && Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(address) : "memory");
  if constexpr (N == 2 && !Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(address)
                 : "memory");
  if constexpr (N == 2 && Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(address)
                 : "memory");
  if constexpr (N == 4 && !Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
  if constexpr (N == 4 && Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
#else
  ::spak::sim::ldmatrix(r, N, Transposed, row, spak_at);
#endif
}

/// Stores N matrices (1, 2 or 4) to shared memory: the reverse of ldmatrix, with the same addresses and the same alignment.
/// Rows must not overlap. sm_90 and later.
template <int N, bool Transposed = false>
SPAK_DEVICE void stmatrix(void* row, const uint32_t (&r)[N] SPAK_AT_HERE) {
  static_assert(N == 1 || N == 2 || N == 4, "stmatrix: N must be 1, 2 or 4");
  SPAK_NEEDS_SM90("stmatrix", N);
#if defined(__CUDACC__)
  const uint32_t address = shared_address(row);
  if constexpr (N == 1 && !Transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x1.shared.b16 [%0], {%1};" ::"r"(address), "r"(r[0]) : "memory");
  if constexpr (N == 1 && Transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%0], {%1};" ::"r"(address), "r"(r[0]) : "memory");
  if constexpr (N == 2 && !Transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};" ::"r"(address), "r"(r[0]), "r"(r[1])
                 : "memory");
  if constexpr (N == 2 && Transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" ::"r"(address), "r"(r[0]), "r"(r[1])
                 : "memory");
  if constexpr (N == 4 && !Transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(r[0]),
                 "r"(r[1]), "r"(r[2]), "r"(r[3])
                 : "memory");
  if constexpr (N == 4 && Transposed)
    asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(r[0]),
                 "r"(r[1]), "r"(r[2]), "r"(r[3])
                 : "memory");
#else
  ::spak::sim::stmatrix(row, r, N, Transposed, spak_at);
#endif
}

/// The fragment of the transpose of the 8x8 matrix of which `r` is this lane's fragment, exchanged between the lanes without
/// shared memory. sm_75 and later.
SPAK_DEVICE uint32_t movmatrix(uint32_t r SPAK_AT_HERE) {
#if defined(__CUDACC__)
  uint32_t transposed;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(transposed) : "r"(r));
  return transposed;
#else
  return ::spak::sim::movmatrix(r, spak_at);
#endif
}

}  // namespace spak
