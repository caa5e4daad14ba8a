// Products and differences of 128 bits, whose carries pass from one asm statement to the next.
#include <cstdint>
#include <cstdio>

#define LOW_PARTS "mul.lo.u64 %0, %2, %3;\n\t"

#ifdef SPAK_NEVER_DEFINED
__device__ void not_compiled() { asm("frobnicate.b32 %0;" ::"r"(1)); }
#endif

struct Wide {
  uint32_t words[4];
};

__device__ uint32_t add_first(uint32_t a, uint32_t b) {
  uint32_t sum;
  asm volatile("add.cc.u32 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
  return sum;
}

__device__ uint32_t add_next(uint32_t a, uint32_t b) {
  uint32_t sum;
  asm volatile("addc.cc.u32 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
  return sum;
}

__device__ uint32_t subtract_first(uint32_t a, uint32_t b) {
  uint32_t difference;
  asm volatile("sub.cc.u32 %0, %1, %2;" : "=r"(difference) : "r"(a), "r"(b));
  return difference;
}

__device__ uint32_t subtract_next(uint32_t a, uint32_t b) {
  uint32_t difference;
  asm volatile("subc.cc.u32 %0, %1, %2;" : "=r"(difference) : "r"(a), "r"(b));
  return difference;
}

__global__ void combine(const uint64_t* a, const uint64_t* b, Wide* sums, Wide* differences, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  uint64_t low, high;
  asm(LOW_PARTS "mul.hi.u64 %1, %2, %3;" : "=&l"(low), "=&l"(high) : "l"(a[i]), "l"(b[i]));
  const uint32_t product[4] = {uint32_t(low), uint32_t(low >> 32), uint32_t(high), uint32_t(high >> 32)};
  const uint32_t other[4] = {uint32_t(a[i]), uint32_t(a[i] >> 32), uint32_t(b[i]), 0};
  sums[i].words[0] = add_first(product[0], other[0]);
  for (int k = 1; k < 4; ++k) sums[i].words[k] = add_next(product[k], other[k]);
  differences[i].words[0] = subtract_first(product[0], other[0]);
  for (int k = 1; k < 4; ++k) differences[i].words[k] = subtract_next(product[k], other[k]);
}

using Whole = unsigned __int128;

static Whole whole(const Wide& wide) {
  Whole all = 0;
  for (int k = 3; k >= 0; --k) all = all << 32 | wide.words[k];
  return all;
}

int main() {
  constexpr int n = 300;
  uint64_t *a, *b;
  Wide *sums, *differences;
  cudaMallocManaged(&a, n * sizeof *a);
  cudaMallocManaged(&b, n * sizeof *b);
  cudaMallocManaged(&sums, n * sizeof *sums);
  cudaMallocManaged(&differences, n * sizeof *differences);
  uint64_t state = 1;
  for (int i = 0; i < n; ++i) {
    a[i] = i % 7 == 0 ? ~uint64_t{0} : (state = state * 6364136223846793005u + 1442695040888963407u);
    b[i] = i % 5 == 0 ? ~uint64_t{0} - i : (state = state * 6364136223846793005u + 1442695040888963407u) >> i % 64;
  }
  combine<<<(n + 63) / 64, 64>>>(a, b, sums, differences, n);
  cudaDeviceSynchronize();
  int wrong = 0;
  for (int i = 0; i < n; ++i) {
    const Whole product = Whole(a[i]) * b[i], other = Whole(uint32_t(b[i])) << 64 | a[i];
    wrong += whole(sums[i]) != product + other || whole(differences[i]) != product - other;
  }
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
