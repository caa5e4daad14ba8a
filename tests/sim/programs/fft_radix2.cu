// Radix-2 FFTs of a batch in shared memory; twiddles with sincospif, float2 with operators, and back again.
#include <cuda_runtime.h>
#include <cmath>
#include <complex>
#include <cstdio>
#include <vector>

__host__ __device__ inline float2 operator+(float2 a, float2 b) { return make_float2(a.x + b.x, a.y + b.y); }
__host__ __device__ inline float2 operator-(float2 a, float2 b) { return make_float2(a.x - b.x, a.y - b.y); }
__host__ __device__ inline float2 operator*(float2 a, float2 b) { return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }

template <int LogN, bool Inverse>
__global__ void fft(float2* data) {
  constexpr int N = 1 << LogN;
  __shared__ float2 s[N];
  float2* signal = data + static_cast<size_t>(blockIdx.x) * N;
  for (int i = threadIdx.x; i < N; i += blockDim.x) s[__brev(i) >> (32 - LogN)] = signal[i];
  __syncthreads();
  for (int half = 1; half < N; half <<= 1) {
    for (int k = threadIdx.x; k < N / 2; k += blockDim.x) {
      const int position = k & (half - 1), base = ((k - position) << 1) + position;
      float sine, cosine;
      sincospif((Inverse ? 1.0f : -1.0f) * position / half, &sine, &cosine);
      const float2 a = s[base], b = s[base + half] * make_float2(cosine, sine);
      s[base] = a + b;
      s[base + half] = a - b;
    }
    __syncthreads();
  }
  const float scale = Inverse ? 1.0f / N : 1.0f;
  for (int i = threadIdx.x; i < N; i += blockDim.x) signal[i] = make_float2(s[i].x * scale, s[i].y * scale);
}

int main() {
  constexpr int LogN = 7, N = 1 << LogN, batch = 2;
  std::vector<float2> h(N * batch), f(N * batch), back(N * batch);
  for (int i = 0; i < N * batch; ++i) h[i] = make_float2(std::sin(0.2f * i) + (i % 3), std::cos(0.05f * i * i));
  float2* d;
  const size_t bytes = h.size() * sizeof(float2);
  cudaMalloc(&d, bytes);
  cudaMemcpy(d, h.data(), bytes, cudaMemcpyHostToDevice);
  fft<LogN, false><<<batch, 32>>>(d);
  cudaMemcpy(f.data(), d, bytes, cudaMemcpyDeviceToHost);
  fft<LogN, true><<<batch, 64>>>(d);
  cudaMemcpy(back.data(), d, bytes, cudaMemcpyDeviceToHost);
  cudaFree(d);
  double forward = 0, round_trip = 0;
  for (int b = 0; b < batch; ++b)
    for (int k = 0; k < N; ++k) {
      std::complex<double> sum = 0;
      for (int i = 0; i < N; ++i) sum += std::complex<double>(h[b * N + i].x, h[b * N + i].y) * std::polar(1.0, -2 * M_PI * i * k / N);
      forward = std::max(forward, std::abs(sum - std::complex<double>(f[b * N + k].x, f[b * N + k].y)));
      round_trip = std::max(round_trip, (double)std::hypot(back[b * N + k].x - h[b * N + k].x, back[b * N + k].y - h[b * N + k].y));
    }
  std::printf("forward %.1e, there and back %.1e\n", forward, round_trip);
  return forward < 1e-3 && round_trip < 1e-5 && cudaGetLastError() == cudaSuccess ? 0 : 1;
}
