#include <spak/cuda/all.h>
extern "C" __global__ void k(const float* a, const float* b, float* c, long long n) {
  int i = threadIdx.x;
  while (i < n) i += 256;
}
