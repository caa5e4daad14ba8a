// Attention with the online softmax: a block a tile of queries, keys and values pass through shared memory.
#include <cuda_runtime.h>
#include <cmath>
#include <cstdio>
#include <vector>

template <int kDim, int kTile>
__global__ void flash_attention(const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v, float* __restrict__ o, int length, float scale, bool causal) {
  __shared__ float ks[kTile][kDim + 1], vs[kTile][kDim];
  const size_t head = (size_t)blockIdx.y * length * kDim;
  const int row = blockIdx.x * kTile + threadIdx.x;
  float query[kDim], out[kDim], m = -INFINITY, l = 0.0f;
#pragma unroll
  for (int d = 0; d < kDim; ++d) query[d] = row < length ? q[head + row * kDim + d] : 0.0f, out[d] = 0.0f;
  for (int start = 0; start < length; start += kTile) {
    for (int i = threadIdx.x; i < kTile * kDim; i += kTile) {
      const int r = start + i / kDim, d = i % kDim;
      ks[i / kDim][d] = r < length ? k[head + r * kDim + d] : 0.0f;
      vs[i / kDim][d] = r < length ? v[head + r * kDim + d] : 0.0f;
    }
    __syncthreads();
    float s[kTile], tile_max = m;
    for (int j = 0; j < kTile; ++j) {
      float dot = 0.0f;
      for (int d = 0; d < kDim; ++d) dot += query[d] * ks[j][d];
      const bool masked = start + j >= length || (causal && start + j > row);
      s[j] = masked ? -INFINITY : dot * scale;
      tile_max = fmaxf(tile_max, s[j]);
    }
    if (tile_max > -INFINITY) {
      const float correction = expf(m - tile_max);
      l *= correction;
      for (int d = 0; d < kDim; ++d) out[d] *= correction;
      for (int j = 0; j < kTile; ++j) {
        const float p = expf(s[j] - tile_max);
        l += p;
        for (int d = 0; d < kDim; ++d) out[d] += p * vs[j][d];
      }
      m = tile_max;
    }
    __syncthreads();
  }
  if (row < length)
    for (int d = 0; d < kDim; ++d) o[head + row * kDim + d] = out[d] / l;
}

int main() {
  constexpr int heads = 2, length = 40, dim = 8, tile = 16;
  const size_t n = heads * length * dim, bytes = n * sizeof(float);
  std::vector<float> h[3], o(n);
  float* d[4];
  for (int t = 0; t < 4; ++t) cudaMalloc(&d[t], bytes);
  for (int t = 0; t < 3; ++t) {
    h[t].resize(n);
    for (size_t i = 0; i < n; ++i) h[t][i] = std::sin(0.1f * (i + 1) * (t + 1));
    cudaMemcpy(d[t], h[t].data(), bytes, cudaMemcpyHostToDevice);
  }
  const float scale = 1.0f / std::sqrt(float(dim));
  for (bool causal : {false, true}) {
    flash_attention<dim, tile><<<dim3((length + tile - 1) / tile, heads), tile>>>(d[0], d[1], d[2], d[3], length, scale, causal);
    if (cudaMemcpy(o.data(), d[3], bytes, cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
    for (int b = 0; b < heads; ++b)
      for (int i = 0; i < length; ++i) {
        double p[length], m = -1e30, sum = 0;
        for (int j = 0; j < length; ++j) {
          p[j] = 0;
          for (int c = 0; c < dim; ++c) p[j] += h[0][(b * length + i) * dim + c] * h[1][(b * length + j) * dim + c];
          p[j] = causal && j > i ? -1e30 : p[j] * scale;
          m = std::fmax(m, p[j]);
        }
        for (double& e : p) sum += e = std::exp(e - m);
        for (int c = 0; c < dim; ++c) {
          double expected = 0;
          for (int j = 0; j < length; ++j) expected += p[j] / sum * h[2][(b * length + j) * dim + c];
          if (std::fabs(expected - o[(b * length + i) * dim + c]) > 1e-4) return std::printf("head %d row %d\n", b, i), 1;
        }
      }
  }
  for (float* p : d) cudaFree(p);
  return 0;
}
