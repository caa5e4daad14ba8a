// Breadth-first search with a frontier queue; the host looks at managed memory between the levels.
#include <cuda_runtime.h>
#include <cstdio>
#include <queue>
#include <vector>

struct Graph {
  int nodes;
  int *offsets, *edges;
};

__global__ void expand(Graph g, const int* frontier, int frontier_size, int* next, int* next_size, int* distance, int level) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= frontier_size) return;
  const int u = frontier[i];
  for (int e = g.offsets[u]; e < g.offsets[u + 1]; ++e) {
    const int v = g.edges[e];
    if (atomicCAS(&distance[v], -1, level) == -1) {
      const int slot = atomicAdd(next_size, 1);
      next[slot] = v;
    }
  }
}

int main() {
  const int n = 200;
  std::vector<std::vector<int>> adjacent(n);
  for (int u = 0; u < n; ++u)
    for (int v : {(u * 3 + 1) % n, (u * 7 + 5) % n, (u + 1) % (n / 2)})
      if (v != u) adjacent[u].push_back(v);
  Graph g{n};
  size_t edges = 0;
  for (auto& a : adjacent) edges += a.size();
  cudaMallocManaged(&g.offsets, (n + 1) * sizeof(int));
  cudaMallocManaged(&g.edges, edges * sizeof(int));
  int *distance, *size, *a, *b;
  cudaMallocManaged(&distance, n * sizeof(int));
  cudaMallocManaged(&size, sizeof(int));
  cudaMalloc(&a, n * sizeof(int));
  cudaMalloc(&b, n * sizeof(int));
  g.offsets[0] = 0;
  for (int u = 0, e = 0; u < n; ++u) {
    for (int v : adjacent[u]) g.edges[e++] = v;
    g.offsets[u + 1] = e;
  }
  for (int u = 0; u < n; ++u) distance[u] = -1;
  const int source = 3;
  distance[source] = 0;
  cudaMemcpy(a, &source, sizeof(int), cudaMemcpyHostToDevice);
  for (int count = 1, level = 1; count > 0; ++level) {
    *size = 0;
    expand<<<(count + 31) / 32, 32>>>(g, a, count, b, size, distance, level);
    if (cudaDeviceSynchronize() != cudaSuccess) return 2;
    count = *size;
    std::swap(a, b);
  }
  std::vector<int> expected(n, -1);
  std::queue<int> queue({source});
  expected[source] = 0;
  while (!queue.empty()) {
    int u = queue.front();
    queue.pop();
    for (int v : adjacent[u])
      if (expected[v] < 0) expected[v] = expected[u] + 1, queue.push(v);
  }
  int wrong = 0;
  for (int u = 0; u < n; ++u) wrong += distance[u] != expected[u];
  for (int* p : {g.offsets, g.edges, distance, size, a, b}) cudaFree(p);
  return wrong != 0;
}
