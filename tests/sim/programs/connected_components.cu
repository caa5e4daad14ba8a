// Connected components by a union-find whose links are made with compare-and-swap.
#include <cuda_runtime.h>
#include <cstdio>
#include <functional>
#include <numeric>
#include <vector>

struct UnionFind {
  int* parent;
  __device__ int find(int x) const {
    int p = atomicAdd(&parent[x], 0);
    while (p != x) {
      const int grand = atomicAdd(&parent[p], 0);
      if (grand != p) atomicCAS(&parent[x], p, grand);  // path halving
      x = p;
      p = grand;
    }
    return x;
  }
  __device__ void unite(int a, int b) const {
    for (;;) {
      a = find(a), b = find(b);
      if (a == b) return;
      const int high = max(a, b), low = min(a, b);
      if (atomicCAS(&parent[high], high, low) == high) return;
    }
  }
};

__global__ void init(UnionFind uf, int n) {
  if (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n) uf.parent[i] = i;
}
__global__ void hook(UnionFind uf, const int2* edges, int m) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < m) uf.unite(edges[i].x, edges[i].y);
}
__global__ void flatten(UnionFind uf, int* label, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) label[i] = uf.find(i);
}

int main() {
  const int n = 150, m = 120;
  std::vector<int2> edges(m);
  for (int i = 0; i < m; ++i) edges[i] = make_int2((i * 37) % n, (i * i * 11 + 3) % n);
  UnionFind uf;
  int* label;
  int2* de;
  cudaMalloc(&uf.parent, n * sizeof(int));
  cudaMalloc(&label, n * sizeof(int));
  cudaMalloc(&de, m * sizeof(int2));
  cudaMemcpy(de, edges.data(), m * sizeof(int2), cudaMemcpyHostToDevice);
  init<<<(n + 63) / 64, 64>>>(uf, n);
  hook<<<(m + 31) / 32, 32>>>(uf, de, m);
  flatten<<<(n + 63) / 64, 64>>>(uf, label, n);
  std::vector<int> got(n), parent(n);
  if (cudaMemcpy(got.data(), label, n * sizeof(int), cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
  std::iota(parent.begin(), parent.end(), 0);
  std::function<int(int)> find = [&](int x) { return parent[x] == x ? x : parent[x] = find(parent[x]); };
  for (auto [a, b] : edges) {
    const int p = find(a), q = find(b);
    parent[p > q ? p : q] = p > q ? q : p;
  }
  int wrong = 0;
  for (int i = 0; i < n; ++i) wrong += got[i] != find(i);
  cudaFree(uf.parent), cudaFree(label), cudaFree(de);
  return wrong ? 1 : 0;
}
