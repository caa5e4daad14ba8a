// Merge sort: blocks sort runs by rank, then threads merge by binary search, bottom up.
#include <iostream>
#include <vector>
#include <algorithm>

#define THREADS 64

template <class Key>
__global__ void sort_runs(Key* data, int n) {
  __shared__ Key run[THREADS];
  int i = blockIdx.x * THREADS + threadIdx.x;
  int count = min(THREADS, n - (int)blockIdx.x * THREADS);
  Key mine = Key();
  if (i < n) run[threadIdx.x] = mine = data[i];
  __syncthreads();
  int rank = 0;
  if (i < n)
    for (int j = 0; j < count; ++j) rank += run[j] < mine || (run[j] == mine && j < (int)threadIdx.x);
  __syncthreads();
  if (i < n) run[rank] = mine;
  __syncthreads();
  if (i < n) data[i] = run[threadIdx.x];
}

template <class Key>
__device__ int lower_bound(const Key* data, int n, Key key) {
  int low = 0;
  while (n > 0) {
    int half = n / 2;
    if (data[low + half] < key) low += half + 1, n -= half + 1;
    else n = half;
  }
  return low;
}

template <class Key>
__device__ int upper_bound(const Key* data, int n, Key key) {
  int low = 0;
  while (n > 0) {
    int half = n / 2;
    if (!(key < data[low + half])) low += half + 1, n -= half + 1;
    else n = half;
  }
  return low;
}

template <class Key>
__global__ void merge_runs(const Key* from, Key* to, int n, int width) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  int pair = i / (2 * width) * (2 * width);
  int middle = min(pair + width, n), end = min(pair + 2 * width, n);
  bool left = i < middle;
  int other = left ? upper_bound(from + middle, end - middle, from[i]) : 0;
  if (left) other = lower_bound(from + middle, end - middle, from[i]);
  else other = upper_bound(from + pair, middle - pair, from[i]);
  to[pair + (left ? i - pair : i - middle) + other] = from[i];
}

int main() {
  const int n = 500;
  std::vector<short> h(n);
  for (int i = 0; i < n; ++i) h[i] = (short)((i * 30011) % 997 - 400);
  short *a = nullptr, *b = nullptr;
  cudaMalloc(&a, n * sizeof(short));
  cudaMalloc(&b, n * sizeof(short));
  cudaMemcpy(a, h.data(), n * sizeof(short), cudaMemcpyHostToDevice);
  sort_runs<<<(n + THREADS - 1) / THREADS, THREADS>>>(a, n);
  for (int width = THREADS; width < n; width *= 2) {
    merge_runs<short><<<(n + 127) / 128, 128>>>(a, b, n, width);
    std::swap(a, b);
  }
  std::vector<short> r(n);
  cudaError_t status = cudaMemcpy(r.data(), a, n * sizeof(short), cudaMemcpyDeviceToHost);
  std::sort(h.begin(), h.end());
  cudaFree(a);
  cudaFree(b);
  if (status != cudaSuccess || r != h) {
    std::cerr << "not sorted: " << cudaGetErrorString(status) << std::endl;
    return 1;
  }
  std::cout << "sorted " << n << " keys" << std::endl;
}
