// The product of warp matrix fragments, in the simulator. Knows nothing of nvcuda::wmma's types.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

enum class Number : unsigned char { f16, bf16, tf32, f32, f64, s8, u8, s32 };

// D (m x n) = A (m x k) B (k x n) + C. Element i of lane l of a fragment is number 32 i + l of its matrix, row-major.
struct Product {
  unsigned m, n, k;
  Number factor, sum_in, sum_out;
};

// Whole warps, together. The sum is exact but for one rounding at its end.
void multiply_fragments(const Product& product, void* d, const void* a, const void* b, const void* c, Site site);

}  // namespace spak::sim::host
#pragma GCC visibility pop
