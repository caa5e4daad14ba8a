// Option prices in chunks over several streams: pinned memory, asynchronous copies, events between streams.
#include <cuda_runtime.h>
#include <cmath>
#include <cstdio>
#include <vector>

#define CHECK(x) do { const cudaError_t e_ = (x); if (e_ != cudaSuccess) { std::fprintf(stderr, "%s -> %s\n", #x, cudaGetErrorName(e_)); return 2; } } while (false)

__device__ __forceinline__ float cnd(float d) {
  const float A1 = 0.31938153f, A2 = -0.356563782f, A3 = 1.781477937f, A4 = -1.821255978f, A5 = 1.330274429f, RSQRT2PI = 0.39894228040143267793994605993438f;
  const float K = __fdividef(1.0f, (1.0f + 0.2316419f * fabsf(d)));
  float c = RSQRT2PI * __expf(-0.5f * d * d) * (K * (A1 + K * (A2 + K * (A3 + K * (A4 + K * A5)))));
  if (d > 0) c = 1.0f - c;
  return c;
}

__global__ void black_scholes(float* __restrict__ call, float* __restrict__ put, const float* __restrict__ S, const float* __restrict__ X, const float* __restrict__ T, float R, float V, int n) {
  const int i = blockDim.x * blockIdx.x + threadIdx.x;
  if (i >= n) return;
  const float sqrtT = sqrtf(T[i]);
  const float d1 = (__logf(S[i] / X[i]) + (R + 0.5f * V * V) * T[i]) / (V * sqrtT), d2 = d1 - V * sqrtT;
  const float expRT = __expf(-R * T[i]);
  call[i] = S[i] * cnd(d1) - X[i] * expRT * cnd(d2);
  put[i] = X[i] * expRT * (1.0f - cnd(d2)) - S[i] * (1.0f - cnd(d1));
}

void CUDART_CB count_chunk(void* data) { ++*static_cast<int*>(data); }

int main() {
  constexpr int kStreams = 3, n = 600, chunk = n / kStreams;
  const float R = 0.02f, V = 0.30f;
  float* h[5];
  float* d[5];
  for (int k = 0; k < 5; ++k) {
    CHECK(cudaMallocHost(&h[k], n * sizeof(float)));
    CHECK(cudaMalloc(&d[k], n * sizeof(float)));
  }
  for (int i = 0; i < n; ++i) h[0][i] = 5 + i % 25, h[1][i] = 1 + i % 99, h[2][i] = 0.25f + i % 10;
  cudaStream_t streams[kStreams];
  cudaEvent_t done[kStreams];
  int least, greatest, chunks = 0;
  CHECK(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  for (int s = 0; s < kStreams; ++s) {
    CHECK(cudaStreamCreateWithPriority(&streams[s], cudaStreamNonBlocking, s ? least : greatest));
    CHECK(cudaEventCreateWithFlags(&done[s], cudaEventDisableTiming));
  }
  for (int s = 0; s < kStreams; ++s) {
    const int o = s * chunk;
    for (int k = 0; k < 3; ++k) CHECK(cudaMemcpyAsync(d[k] + o, h[k] + o, chunk * sizeof(float), cudaMemcpyHostToDevice, streams[s]));
    black_scholes<<<(chunk + 127) / 128, 128, 0, streams[s]>>>(d[3] + o, d[4] + o, d[0] + o, d[1] + o, d[2] + o, R, V, chunk);
    CHECK(cudaGetLastError());
    CHECK(cudaLaunchHostFunc(streams[s], count_chunk, &chunks));
    CHECK(cudaEventRecord(done[s], streams[s]));
  }
  // The first stream brings everything back, after the others.
  for (int s = 1; s < kStreams; ++s) CHECK(cudaStreamWaitEvent(streams[0], done[s], 0));
  for (int k = 3; k < 5; ++k) CHECK(cudaMemcpyAsync(h[k], d[k], n * sizeof(float), cudaMemcpyDeviceToHost, streams[0]));
  while (cudaStreamQuery(streams[0]) == cudaErrorNotReady) {}
  CHECK(cudaStreamSynchronize(streams[0]));
  double worst = 0;
  for (int i = 0; i < n; ++i) {
    const double T = h[2][i], S = h[0][i], X = h[1][i], d1 = (std::log(S / X) + (R + 0.5 * V * V) * T) / (V * std::sqrt(T)), d2 = d1 - V * std::sqrt(T);
    auto N = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
    worst = std::fmax(worst, std::fabs(S * N(d1) - X * std::exp(-R * T) * N(d2) - h[3][i]));
    worst = std::fmax(worst, std::fabs(X * std::exp(-R * T) * N(-d2) - S * N(-d1) - h[4][i]));
  }
  for (int s = 0; s < kStreams; ++s) {
    CHECK(cudaStreamDestroy(streams[s]));
    CHECK(cudaEventDestroy(done[s]));
  }
  for (int k = 0; k < 5; ++k) {
    CHECK(cudaFreeHost(h[k]));
    CHECK(cudaFree(d[k]));
  }
  std::printf("largest difference %.1e over %d chunks\n", worst, chunks);
  return worst < 1e-4 && chunks == kStreams ? 0 : 1;
}
