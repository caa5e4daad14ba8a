#include <spak/cuda/all.h>
extern "C" __global__ void k(const double* a, const float* b, float* c, long long n) {

}
