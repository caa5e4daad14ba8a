// What kernels print comes in the order of blocks and threads, before what the host prints after it has waited.
#include <cstdio>

__global__ void hello(const char* what) {
  if (threadIdx.x % 16 == 0) printf("%s from block %d, thread %d: %5.2f %s\n", what, blockIdx.x, threadIdx.x, 0.5 * threadIdx.x, threadIdx.x ? "later" : "first");
  printf("%s", threadIdx.x == 31 ? "\n" : "");
}

int main() {
  const char* literal = "hello";
  printf("before\n");
  hello<<<2, 32>>>(literal);
  cudaDeviceSynchronize();
  printf("after\n");
}
