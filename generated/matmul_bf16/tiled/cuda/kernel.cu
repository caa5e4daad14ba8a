#include <spak/cuda/half.h>
#include <spak/cuda/vec.h>

namespace {

constexpr int THREADS = 256;
constexpr int PAD = 4;  // keeps rows of the transposed slice 16-byte aligned and spreads its stores over the banks

static_assert(BM == 128 && BN == 128 && BK == 8, "the assignment of loads to threads is written for this tile");

// How many of four neighbours exist when `left` elements do.
__device__ __forceinline__ int clamp4(long long left) { return left >= 4 ? 4 : left > 0 ? static_cast<int>(left) : 0; }

// Four neighbours in a row as f32, of which the first `left` exist; the others are zero.
__device__ __forceinline__ spak::Vec<float, 4> load4(const __nv_bfloat16* p, int left, bool wide) {
  spak::Vec<float, 4> v;
  if (wide && left == 4) {
    const auto packed = spak::load<4>(p);
#pragma unroll
    for (int s = 0; s < 4; ++s) {
      v[s] = __bfloat162float(packed[s]);
    }
    return v;
  }
#pragma unroll
  for (int s = 0; s < 4; ++s) {
    v[s] = s < left ? __bfloat162float(p[s]) : 0.0f;
  }
  return v;
}

__device__ __forceinline__ void store4(__nv_bfloat16* p, const float* v, int left, bool wide) {
  if (wide && left == 4) {
    spak::Vec<__nv_bfloat16, 4> out;
#pragma unroll
    for (int s = 0; s < 4; ++s) {
      out[s] = __float2bfloat16(v[s]);
    }
    spak::store(p, out);
    return;
  }
#pragma unroll
  for (int s = 0; s < 4; ++s) {
    if (s < left) {
      p[s] = __float2bfloat16(v[s]);
    }
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(THREADS, 2)
matmul_bf16_tiled(const __nv_bfloat16* __restrict__ a, const __nv_bfloat16* __restrict__ b, __nv_bfloat16* __restrict__ c,
                  long long M, long long N, long long K) {
  __shared__ __align__(16) float a_slice[2][BK][BM + PAD];
  __shared__ __align__(16) float b_slice[2][BK][BN];

  const int t = static_cast<int>(threadIdx.x);
  const int lane = t % 32;
  const int warp = t / 32;
  // This thread's rows are row, row + 16 and their three followers; its columns column, column + 32 and theirs.
  const int row = warp / 2 * 32 + lane / 8 * 4;
  const int column = warp % 2 * 64 + lane % 8 * 4;
  // It loads four neighbours of row a_row of the slice of a, and of row b_k of the slice of b.
  const int a_row = t / 2;
  const int a_k = t % 2 * 4;
  const int b_k = t / 32;
  const int b_column = t % 32 * 4;

  const bool a_wide = K % 4 == 0 && spak::is_aligned<4>(a);
  const bool b_wide = N % 4 == 0 && spak::is_aligned<4>(b);
  const bool c_wide = N % 4 == 0 && spak::is_aligned<4>(c);

  for (long long i0 = static_cast<long long>(blockIdx.y) * BM; i0 < M; i0 += static_cast<long long>(gridDim.y) * BM) {
    for (long long j0 = static_cast<long long>(blockIdx.x) * BN; j0 < N; j0 += static_cast<long long>(gridDim.x) * BN) {
      float sum[8][8];
#pragma unroll
      for (int r = 0; r < 8; ++r) {
#pragma unroll
        for (int s = 0; s < 8; ++s) {
          sum[r][s] = 0.0f;
        }
      }

      // A row outside a, or a column outside b, has nothing to load at any depth.
      const bool a_inside = i0 + a_row < M;
      const int b_left = clamp4(N - (j0 + b_column));
      const __nv_bfloat16* a_next = a + (a_inside ? (i0 + a_row) * K + a_k : 0);
      const __nv_bfloat16* b_next = b + (b_left > 0 ? b_k * N + j0 + b_column : 0);
      auto a_part = load4(a_next, a_inside ? clamp4(K - a_k) : 0, a_wide);
      auto b_part = load4(b_next, b_k < K ? b_left : 0, b_wide);

      int now = 0;
      for (long long left = K; left > 0; left -= BK) {
#pragma unroll
        for (int s = 0; s < 4; ++s) {
          a_slice[now][a_k + s][a_row] = a_part[s];
        }
        spak::store(&b_slice[now][b_k][b_column], b_part);
        // One barrier a slice is enough: the buffer stored to next was last read before this barrier.
        __syncthreads();

        if (left > BK) {
          a_next += BK;
          b_next += BK * N;
          a_part = load4(a_next, a_inside ? clamp4(left - BK - a_k) : 0, a_wide);
          b_part = load4(b_next, b_k < left - BK ? b_left : 0, b_wide);
        }

// Unrolled by two only: with more, the operands read ahead no longer fit 128 registers.
#pragma unroll 2
        for (int k = 0; k < BK; ++k) {
          const spak::Vec<float, 4> u[2] = {spak::load<4>(&a_slice[now][k][row]), spak::load<4>(&a_slice[now][k][row + 16])};
          const spak::Vec<float, 4> v[2] = {spak::load<4>(&b_slice[now][k][column]), spak::load<4>(&b_slice[now][k][column + 32])};
#pragma unroll
          for (int r = 0; r < 8; ++r) {
#pragma unroll
            for (int s = 0; s < 8; ++s) {
              sum[r][s] = fmaf(u[r / 4][r % 4], v[s / 4][s % 4], sum[r][s]);
            }
          }
        }
        now ^= 1;
      }

#pragma unroll
      for (int r = 0; r < 8; ++r) {
        const long long i = i0 + row + r % 4 + r / 4 * 16;
        if (i < M) {
          const long long j = j0 + column;
          store4(c + i * N + j, sum[r], clamp4(N - j), c_wide);
          store4(c + i * N + j + 32, sum[r] + 4, clamp4(N - j - 32), c_wide);
        }
      }
      // The next tile's first slice overwrites one that slower warps may still be reading.
      __syncthreads();
    }
  }
}
