// The sums of products that tensor cores make, on the host. Knows nothing of fragments, formats and memory.
#pragma once

#pragma GCC visibility push(hidden)
namespace spak::sim {

// sums[i * n + j] = sum over l of a[i * k + l] * b[l * n + j]; n is a multiple of 8, m of 4. The products of all formats are
// exact in double; each sum starts with l = 0 and is rounded in double after each addition, the same on every machine.
void product(const double* a, const double* b, unsigned m, unsigned n, unsigned k, double* sums);
// The same, and adds each sum to d, in f32: one rounding to nearest even of d + sum.
void product_add(const double* a, const double* b, unsigned m, unsigned n, unsigned k, float* d);

}  // namespace spak::sim
#pragma GCC visibility pop
