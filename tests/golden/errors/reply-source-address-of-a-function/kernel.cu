__device__ void f() {}
#include <spak/cuda/all.h>
extern "C" __global__ void k(const float* a, const float* b, float* c, long long n) {
  auto p = &f;
}
