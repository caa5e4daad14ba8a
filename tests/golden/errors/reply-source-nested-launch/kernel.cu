#include <spak/cuda/all.h>
extern "C" __global__ void k(const float* a, const float* b, float* c, long long n) {
  k<<<1, 1>>>(a, b, c, n);
}
