#include <spak/cuda/all.h>
extern "C" __global__ void k(const float* a, const float* b, float* c, long long n) {
  const long long i = blockIdx.x * 256LL + threadIdx.x;
  if (i < n) {
    const_cast<float*>(a)[i] += b[i];
    c[i] = a[i];
  }
}
