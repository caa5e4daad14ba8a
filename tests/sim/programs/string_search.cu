// All places of a pattern in a text, in order: matches are flagged, compacted with ballots and block offsets.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

__constant__ char pattern[32];

__global__ void match(const char* text, int n, int m, int* found, int* count) {
  extern __shared__ char window[];
  __shared__ int base;
  const int start = blockIdx.x * blockDim.x, i = start + threadIdx.x;
  for (int k = threadIdx.x; k < blockDim.x + m - 1; k += blockDim.x) window[k] = start + k < n ? text[start + k] : '\0';
  __syncthreads();
  bool hit = i + m <= n;
  for (int k = 0; hit && k < m; ++k) hit = window[threadIdx.x + k] == pattern[k];
  const int total = __syncthreads_count(hit);
  if (threadIdx.x == 0) base = total ? atomicAdd(count, total) : 0;
  __shared__ int warp_counts[32];
  const unsigned votes = __ballot_sync(0xffffffffu, hit);
  if (threadIdx.x % 32 == 0) warp_counts[threadIdx.x / 32] = __popc(votes);
  __syncthreads();
  if (!hit) return;
  int slot = base + __popc(votes & ((1u << (threadIdx.x % 32)) - 1u));
  for (int w = 0; w < threadIdx.x / 32; ++w) slot += warp_counts[w];
  found[slot] = i;
}

int main(int argc, char* argv[]) {
  std::string text;
  for (int i = 0; i < 120; ++i) text += i % 7 == 3 ? "needle " : i % 5 ? "hay " : "need ";
  const char* wanted = argc > 1 ? argv[1] : "needle";
  const int n = (int)text.size(), m = (int)strlen(wanted);
  char* d_text;
  int *d_found, *d_count, count = 0;
  cudaMalloc((void**)&d_text, n);
  cudaMalloc((void**)&d_found, n * sizeof(int));
  cudaMalloc((void**)&d_count, sizeof(int));
  cudaMemcpy(d_text, text.c_str(), n, cudaMemcpyHostToDevice);
  cudaMemset(d_count, 0, sizeof(int));
  cudaMemcpyToSymbol(pattern, wanted, m);
  const int threads = 64;
  match<<<(n + threads - 1) / threads, threads, threads + m - 1>>>(d_text, n, m, d_found, d_count);
  cudaMemcpy(&count, d_count, sizeof(int), cudaMemcpyDeviceToHost);
  std::vector<int> found(count);
  cudaMemcpy(found.data(), d_found, count * sizeof(int), cudaMemcpyDeviceToHost);
  std::vector<bool> seen(n);
  for (int f : found) seen[f] = true;
  int expected = 0;
  for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
    ++expected;
    if (!seen[at]) return printf("%zu was not found\n", at), 1;
  }
  cudaFree(d_text), cudaFree(d_found), cudaFree(d_count);
  printf("\"%s\" was found %d times\n", wanted, count);
  return count == expected && expected > 0 ? 0 : 1;
}
