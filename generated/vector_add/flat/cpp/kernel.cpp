#include <spak/cpu/types.h>

extern "C" void vector_add(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, long long N) {
  for (long long i = 0; i < N; ++i) {
    c[i] = a[i] + b[i];
  }
}
