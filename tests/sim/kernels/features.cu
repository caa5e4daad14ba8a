// One kernel a feature; test_features.py says with NumPy what each has to give.
#include <spak/cuda/all.h>

extern "C" __global__ void indices(int* out, long long per_block) {
  const long long block = blockIdx.x + gridDim.x * (blockIdx.y + static_cast<long long>(gridDim.y) * blockIdx.z);
  int* mine = out + (block * per_block + spak::thread_rank()) * 6;
  mine[0] = threadIdx.x, mine[1] = threadIdx.y, mine[2] = threadIdx.z;
  mine[3] = blockIdx.x, mine[4] = blockIdx.y, mine[5] = blockIdx.z;
  const uint3 copied = threadIdx;
  const dim3 size = blockDim;
  assert(copied.x < size.x && gridDim.z >= 1);
}

extern "C" __global__ void barriers(int* out) {
  const int t = threadIdx.x;
  out[t * 3 + 0] = __syncthreads_count(t % 3 == 0);
  out[t * 3 + 1] = __syncthreads_and(t < 50);
  out[t * 3 + 2] = __syncthreads_or(t == 77) + 2 * __syncthreads_and(t >= 0) + 4 * __syncthreads_or(t < 0);
}

extern "C" __global__ void shuffles(const float* x, float* out) {
  const int t = threadIdx.x, n = blockDim.x;
  out[0 * n + t] = __shfl_sync(0xFFFFFFFFu, x[t], 5);
  out[1 * n + t] = __shfl_sync(0xFFFFFFFFu, x[t], 33);
  out[2 * n + t] = __shfl_sync(0xFFFFFFFFu, x[t], 3, 8);
  out[3 * n + t] = __shfl_up_sync(0xFFFFFFFFu, x[t], 3);
  out[4 * n + t] = __shfl_up_sync(0xFFFFFFFFu, x[t], 2, 16);
  out[5 * n + t] = __shfl_down_sync(0xFFFFFFFFu, x[t], 7);
  out[6 * n + t] = __shfl_down_sync(0xFFFFFFFFu, x[t], 1, 4);
  out[7 * n + t] = __shfl_xor_sync(0xFFFFFFFFu, x[t], 9);
  out[8 * n + t] = __shfl_xor_sync(0xFFFFFFFFu, x[t], 16, 16);
}

extern "C" __global__ void shuffle_types(double* f64, long long* i64, unsigned* u32, __half* f16, __nv_bfloat16* bf16, __half2* f16x2) {
  const int t = threadIdx.x;
  f64[t] = __shfl_xor_sync(0xFFFFFFFFu, f64[t], 1);
  i64[t] = __shfl_xor_sync(0xFFFFFFFFu, i64[t], 2);
  u32[t] = __shfl_xor_sync(0xFFFFFFFFu, u32[t], 4);
  f16[t] = __shfl_xor_sync(0xFFFFFFFFu, f16[t], 8);
  bf16[t] = __shfl_xor_sync(0xFFFFFFFFu, bf16[t], 16);
  f16x2[t] = __shfl_xor_sync(0xFFFFFFFFu, f16x2[t], 31);
}

// Two halves of a warp, each with its own mask, at the same time; then all.
extern "C" __global__ void half_warps(int* out) {
  const int t = threadIdx.x;
  int value = 0;
  if (t < 16) value = __shfl_xor_sync(0x0000FFFFu, t, 15);
  else value = __reduce_add_sync(0xFFFF0000u, t);
  __syncwarp();
  out[t] = value;
}

extern "C" __global__ void votes(const int* x, unsigned* out) {
  const int t = threadIdx.x, n = blockDim.x, v = x[t];
  int all_same = 0;
  out[0 * n + t] = __ballot_sync(0xFFFFFFFFu, v > 4);
  out[1 * n + t] = __any_sync(0xFFFFFFFFu, v == 9);
  out[2 * n + t] = __all_sync(0xFFFFFFFFu, v >= 0);
  out[3 * n + t] = __match_any_sync(0xFFFFFFFFu, v);
  out[4 * n + t] = __match_all_sync(0xFFFFFFFFu, v, &all_same) + 2 * all_same;
  out[5 * n + t] = __match_all_sync(0xFFFFFFFFu, 7.5, &all_same) - 2 * all_same;
  out[6 * n + t] = __reduce_add_sync(0xFFFFFFFFu, static_cast<unsigned>(v));
  out[7 * n + t] = static_cast<unsigned>(__reduce_min_sync(0xFFFFFFFFu, v - 5));
  out[8 * n + t] = __reduce_max_sync(0xFFFFFFFFu, static_cast<unsigned>(v - 5));
  out[9 * n + t] = __reduce_and_sync(0xFFFFFFFFu, static_cast<unsigned>(v | 64));
  out[10 * n + t] = __reduce_or_sync(0xFFFFFFFFu, static_cast<unsigned>(v));
  out[11 * n + t] = __reduce_xor_sync(0xFFFFFFFFu, static_cast<unsigned>(v));
  out[12 * n + t] = __activemask();
}

extern "C" __global__ void atomics(int* i, unsigned* u, unsigned long long* l, float* f, double* d, __half* h, __half2* h2, __nv_bfloat16* b) {
  const int t = static_cast<int>(spak::global_x());
  atomicAdd(i + 0, t), atomicSub(i + 1, t), atomicMin(i + 2, -t), atomicMax(i + 3, t);
  atomicAnd(i + 4, ~(1 << (t % 31))), atomicOr(i + 5, 1 << (t % 31)), atomicXor(i + 6, 1 << (t % 31));
  atomicInc(u + 0, 9u), atomicDec(u + 1, 9u), atomicMax_block(u + 2, 5u);
  atomicAdd(l, 1ull << 33), atomicMax(l + 1, static_cast<unsigned long long>(t) << 40);
  atomicAdd(f, 0.5f), atomicAdd(d, 0.25);
  atomicAdd(h, __float2half(1.0f)), atomicAdd(h2, __floats2half2_rn(1.0f, 2.0f)), atomicAdd(b, __float2bfloat16(1.0f));
  for (int seen = i[7]; (seen = atomicCAS(i + 7, seen, seen + 1)) >= 0;) {
    if (atomicExch(i + 8 + t, 1) == 0) break;
  }
}

extern "C" __global__ void bits(const int* x, int* out, long long n) {
  for (long long i = threadIdx.x; i < n; i += blockDim.x) {
    const unsigned u = static_cast<unsigned>(x[i]);
    int* mine = out + i * 8;
    mine[0] = __popc(u), mine[1] = __clz(x[i]), mine[2] = __ffs(x[i]), mine[3] = static_cast<int>(__brev(u));
    mine[4] = __mulhi(x[i], 12345678), mine[5] = static_cast<int>(__umulhi(u, 3000000000u));
    mine[6] = static_cast<int>(__byte_perm(u, ~u, 0x7210)), mine[7] = static_cast<int>(__funnelshift_l(u, ~u, 5));
  }
}

extern "C" __global__ void conversions(const float* x, int* out, long long n) {
  for (long long i = threadIdx.x; i < n; i += blockDim.x) {
    out[i * 5 + 0] = __float2int_rn(x[i]), out[i * 5 + 1] = __float2int_rz(x[i]);
    out[i * 5 + 2] = __float2int_ru(x[i]), out[i * 5 + 3] = __float2int_rd(x[i]);
    out[i * 5 + 4] = __float_as_int(x[i]);
  }
}

extern "C" __global__ void math(const float* x, float* out, long long n) {
  for (long long i = threadIdx.x; i < n; i += blockDim.x) {
    const float v = x[i];
    float* mine = out + i * 12;
    mine[0] = __expf(v), mine[1] = __logf(v), mine[2] = rsqrtf(v), mine[3] = __fdividef(v, 3.0f);
    mine[4] = __saturatef(v), mine[5] = fmaf(v, v, -1.0f), mine[6] = max(v, 1.5f), mine[7] = min(threadIdx.x + 1, 2) > 0 ? min(2.0f, 1.25f) : 0.0f;
    mine[8] = spak::sigmoid(v), mine[9] = spak::gelu(v), mine[10] = __powf(v, 1.5f), mine[11] = __frcp_rn(v) + sqrt(v);
  }
}

extern "C" __global__ void half_math(const __half* x, const __half* y, __half* out, long long n) {
  for (long long i = threadIdx.x; i < n; i += blockDim.x) {
    __half* mine = out + i * 8;
    mine[0] = x[i] + y[i], mine[1] = x[i] * y[i], mine[2] = __hsub(x[i], y[i]), mine[3] = x[i] / y[i];
    mine[4] = __hfma(x[i], y[i], x[i]), mine[5] = hexp(x[i]), mine[6] = hsqrt(__habs(x[i]));
    const __half2 pair = __hfma2(__halves2half2(x[i], y[i]), __float2half2_rn(2.0f), __half2half2(y[i]));
    mine[7] = __hmax(__low2half(pair), __high2half(pair));
  }
}

extern "C" __global__ void bf16_math(const __nv_bfloat16* x, const __nv_bfloat16* y, __nv_bfloat16* out, long long n) {
  for (long long i = threadIdx.x; i < n; i += blockDim.x) {
    __nv_bfloat16* mine = out + i * 6;
    mine[0] = x[i] + y[i], mine[1] = x[i] * y[i], mine[2] = __hfma(x[i], y[i], x[i]);
    mine[3] = spak::from_float<__nv_bfloat16>(spak::to_float(x[i]) * 3.0f), mine[4] = htanh(x[i]);
    const __nv_bfloat162 pair = __halves2bfloat162(x[i], y[i]) * __float2bfloat162_rn(2.0f);
    mine[5] = __low2bfloat16(pair);
  }
}

extern "C" __global__ void vectors(const float* x, float* out, const __half* h, __half* g) {
  const int t = threadIdx.x;
  float4 v = reinterpret_cast<const float4*>(x)[t];
  v.x += 1.0f, v.w *= 2.0f;
  reinterpret_cast<float4*>(out)[t] = make_float4(v.w, v.z, v.y, v.x);
  auto w = spak::load<8>(h + 8 * t);
  for (int i = 0; i < 8; ++i) w[i] = w[i] + w[i];
  spak::store(g + 8 * t, w);
  out[0] = __ldg(out);
}

template <typename T>
struct Point {
  T x[2];
};
__constant__ float table[4] = {1.0f, 10.0f, 100.0f, 1000.0f};

// Every form of declaration that the rewriter takes.
extern "C" __global__ void shared_forms(float* out, long long* sizes) {
  __shared__ float grid[4][8], scalar;
  __shared__ __align__(16) Point<float> points[3];
  __shared__ alignas(64) struct { int a; double b; } record;
  static __shared__ volatile int counter[(2 > 1) ? 2 : 1];
  extern __shared__ __align__(256) unsigned char raw[];
  const int t = threadIdx.x;
  float* floats = reinterpret_cast<float*>(raw);
  if (t == 0) {
    scalar = 3.0f, points[2].x[1] = 4.0f, record.b = 5.0;
    counter[1] = 6;
    grid[3][7] = table[2];
  }
  floats[t] = static_cast<float>(t);
  __syncthreads();
  if (t < 32) {
    __shared__ Point<double> nested[32];
    nested[t].x[0] = floats[31 - t];
    __syncwarp();
    out[t] = scalar + points[2].x[1] + static_cast<float>(record.b) + static_cast<float>(counter[1]) + grid[3][7] +
             static_cast<float>(nested[31 - t].x[0]);
  }
  if (t == 0) sizes[0] = sizeof(grid), sizes[1] = sizeof(points), sizes[2] = reinterpret_cast<unsigned long long>(raw) % 256, sizes[3] = reinterpret_cast<unsigned long long>(&record) % 64;
}

extern "C" __global__ void poison(float* out) {
  __shared__ float fresh[32];
  extern __shared__ float dynamic[];
  const int t = threadIdx.x;
  out[t] = fresh[t];
  out[32 + t] = dynamic[t];
  __syncthreads();
  fresh[t] = dynamic[t] = 1.0f;
}

extern "C" __global__ void reductions(const float* x, float* out, int* scan) {
  const int t = threadIdx.x, n = blockDim.x;
  out[0 * n + t] = spak::block_sum(x[t]);
  out[1 * n + t] = spak::block_max(x[t], spak::lowest<float>());
  out[2 * n + t] = spak::block_min(x[t], spak::highest<float>());
  out[3 * n + t] = spak::block_broadcast(x[t], 33);
  out[4 * n + t] = spak::warp_sum<8>(x[t]);
  out[5 * n + t] = spak::warp_max(x[t]);
  out[6 * n + t] = spak::warp_broadcast(x[t], 9);
  out[7 * n + t] = static_cast<float>(spak::block_sum(static_cast<double>(x[t])));
  scan[t] = spak::warp_scan_sum(t);
}

// A barrier that only the threads which go on must reach would be divergent; this is how it is done right.
extern "C" __global__ void early_finish(int* out, long long n) {
  const long long i = spak::global_x();
  const int all = __syncthreads_count(i < n);
  if (i >= n) return;
  out[i] = all;
}
