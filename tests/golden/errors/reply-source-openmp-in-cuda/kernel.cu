#include <spak/cuda/all.h>
extern "C" __global__ void k(const float* a, const float* b, float* c, long long n) {
#pragma omp parallel for
  for (int i = 0; i < 3; ++i) {}
}
