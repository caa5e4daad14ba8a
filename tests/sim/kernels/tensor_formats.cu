// Conversions and arithmetic of f16, bf16, tf32, fp8, fp6 and fp4 on whole tables of inputs. Row f of an output is function f.
#include <spak/cuda/fp8.h>
#include <spak/cuda/mma.h>
#include <spak/cuda/tf32.h>

#include <cuda_fp4.h>
#include <cuda_fp6.h>

#define EACH(i, n) for (long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x; i < n; i += static_cast<long long>(gridDim.x) * blockDim.x)

namespace {

__device__ __half half_of(long long bits) { return __ushort_as_half(static_cast<unsigned short>(bits)); }
__device__ __nv_bfloat16 bfloat_of(long long bits) { return __ushort_as_bfloat16(static_cast<unsigned short>(bits)); }
__device__ unsigned short bits_of(__half x) { return __half_as_ushort(x); }
__device__ unsigned short bits_of(__nv_bfloat16 x) { return __bfloat16_as_ushort(x); }

template <typename T, typename Of>
__device__ void exact_unary(unsigned short* out, Of of) {
  EACH(i, 65536) {
    const T x = of(i);
    const T values[] = {hceil(x), hfloor(x), htrunc(x), hrint(x), hsqrt(x), __habs(x), __hneg(x)};
    for (int f = 0; f < 7; ++f) out[f * 65536 + i] = bits_of(values[f]);
  }
}

template <typename T, typename Of>
__device__ void approximate_unary(unsigned short* out, Of of) {
  EACH(i, 65536) {
    const T x = of(i);
    const T values[] = {hexp(x), hexp2(x), hexp10(x), hlog(x), hlog2(x), hlog10(x), hsin(x), hcos(x), hrcp(x), hrsqrt(x), htanh(x)};
    for (int f = 0; f < 11; ++f) out[f * 65536 + i] = bits_of(values[f]);
  }
}

template <typename T, typename Of>
__device__ void arithmetic(const unsigned short* a, const unsigned short* b, const unsigned short* c, unsigned short* out, long long n, Of of) {
  EACH(i, n) {
    const T x = of(a[i]), y = of(b[i]), z = of(c[i]);
    const T values[] = {__hadd(x, y), __hsub(x, y), __hmul(x, y), __hdiv(x, y), __hfma(x, y, z), __hfma_relu(x, y, z),
                        __hadd_sat(x, y), __hfma_sat(x, y, z), __hmax(x, y), __hmin(x, y), __hmax_nan(x, y), __hmin_nan(x, y)};
    for (int f = 0; f < 12; ++f) out[f * n + i] = bits_of(values[f]);
    const bool truths[] = {__heq(x, y), __hne(x, y), __hlt(x, y), __hle(x, y), __hgt(x, y), __hge(x, y), __hequ(x, y), __hneu(x, y),
                           __hltu(x, y), __hleu(x, y), __hgtu(x, y), __hgeu(x, y), __hisnan(x) != 0, __hisinf(x) != 0};
    for (int f = 0; f < 14; ++f) out[(12 + f) * n + i] = truths[f];
  }
}

// Pairs are two of the same, lane by lane.
template <typename Pair, typename Join, typename Of>
__device__ void packed(const unsigned short* a, const unsigned short* b, const unsigned short* c, unsigned short* out, long long n, Join join, Of of) {
  EACH(i, n) {
    const long long o = n - 1 - i;
    const Pair x = join(of(a[i]), of(a[o])), y = join(of(b[i]), of(b[o])), z = join(of(c[i]), of(c[o]));
    const Pair values[] = {__hadd2(x, y), __hsub2(x, y), __hmul2(x, y), __h2div(x, y), __hfma2(x, y, z), __hfma2_relu(x, y, z),
                           __hmax2(x, y), __hmin2(x, y), __heq2(x, y), __hlt2(x, y)};
    for (int f = 0; f < 10; ++f) {
      out[2 * f * n + i] = bits_of(values[f].x);
      out[(2 * f + 1) * n + i] = bits_of(values[f].y);
    }
  }
}

#define TO(Type, name) \
  static_cast<long long>(__##name##2int_rn(x)), static_cast<long long>(__##name##2int_rz(x)), static_cast<long long>(__##name##2int_ru(x)), \
      static_cast<long long>(__##name##2int_rd(x)), static_cast<long long>(__##name##2uint_rn(x)), static_cast<long long>(__##name##2uint_rz(x)), \
      static_cast<long long>(__##name##2uint_ru(x)), static_cast<long long>(__##name##2uint_rd(x)), static_cast<long long>(__##name##2short_rn(x)), \
      static_cast<long long>(__##name##2short_rz(x)), static_cast<long long>(__##name##2short_ru(x)), static_cast<long long>(__##name##2short_rd(x)), \
      static_cast<long long>(__##name##2ushort_rn(x)), static_cast<long long>(__##name##2ushort_rz(x)), static_cast<long long>(__##name##2ushort_ru(x)), \
      static_cast<long long>(__##name##2ushort_rd(x)), static_cast<long long>(__##name##2ll_rn(x)), static_cast<long long>(__##name##2ll_rz(x)), \
      static_cast<long long>(__##name##2ll_ru(x)), static_cast<long long>(__##name##2ll_rd(x)), static_cast<long long>(__##name##2ull_rn(x)), \
      static_cast<long long>(__##name##2ull_rz(x)), static_cast<long long>(__##name##2ull_ru(x)), static_cast<long long>(__##name##2ull_rd(x))
#define FROM(name, as)                                                                                                        \
  as(__int2##name##_rn(i32)), as(__int2##name##_rz(i32)), as(__int2##name##_ru(i32)), as(__int2##name##_rd(i32)),              \
      as(__uint2##name##_rn(u32)), as(__uint2##name##_rz(u32)), as(__uint2##name##_ru(u32)), as(__uint2##name##_rd(u32)),      \
      as(__ll2##name##_rn(x)), as(__ll2##name##_rz(x)), as(__ll2##name##_ru(x)), as(__ll2##name##_rd(x))

}  // namespace

extern "C" __global__ void f16_exact(unsigned short* out) { exact_unary<__half>(out, half_of); }
extern "C" __global__ void bf16_exact(unsigned short* out) { exact_unary<__nv_bfloat16>(out, bfloat_of); }
extern "C" __global__ void f16_approximate(unsigned short* out) { approximate_unary<__half>(out, half_of); }
extern "C" __global__ void bf16_approximate(unsigned short* out) { approximate_unary<__nv_bfloat16>(out, bfloat_of); }
extern "C" __global__ void f16_arithmetic(const unsigned short* a, const unsigned short* b, const unsigned short* c, unsigned short* out, long long n) {
  arithmetic<__half>(a, b, c, out, n, half_of);
}
extern "C" __global__ void bf16_arithmetic(const unsigned short* a, const unsigned short* b, const unsigned short* c, unsigned short* out, long long n) {
  arithmetic<__nv_bfloat16>(a, b, c, out, n, bfloat_of);
}
extern "C" __global__ void f16_packed(const unsigned short* a, const unsigned short* b, const unsigned short* c, unsigned short* out, long long n) {
  packed<__half2>(a, b, c, out, n, [](__half x, __half y) { return __halves2half2(x, y); }, half_of);
}
extern "C" __global__ void bf16_packed(const unsigned short* a, const unsigned short* b, const unsigned short* c, unsigned short* out, long long n) {
  packed<__nv_bfloat162>(a, b, c, out, n, [](__nv_bfloat16 x, __nv_bfloat16 y) { return __halves2bfloat162(x, y); }, bfloat_of);
}

extern "C" __global__ void f16_to_integers(long long* out) {
  EACH(i, 65536) {
    const __half x = half_of(i);
    const long long values[] = {TO(__half, half)};
    for (int f = 0; f < 24; ++f) out[f * 65536 + i] = values[f];
  }
}
extern "C" __global__ void bf16_to_integers(long long* out) {
  EACH(i, 65536) {
    const __nv_bfloat16 x = bfloat_of(i);
    const long long values[] = {TO(__nv_bfloat16, bfloat16)};
    for (int f = 0; f < 24; ++f) out[f * 65536 + i] = values[f];
  }
}
extern "C" __global__ void from_integers(const long long* in, unsigned short* f16, unsigned short* bf16, long long n) {
  EACH(i, n) {
    const long long x = in[i];
    const int i32 = static_cast<int>(x);
    const unsigned u32 = static_cast<unsigned>(x);
    const unsigned short first[] = {FROM(half, __half_as_ushort)}, second[] = {FROM(bfloat16, __bfloat16_as_ushort)};
    for (int f = 0; f < 12; ++f) {
      f16[f * n + i] = first[f];
      bf16[f * n + i] = second[f];
    }
  }
}

extern "C" __global__ void widen(float* out) {
  EACH(i, 65536) {
    out[i] = spak::to_float(half_of(i));
    out[65536 + i] = spak::to_float(bfloat_of(i));
    __nv_fp8_e4m3 e4m3;
    __nv_fp8_e5m2 e5m2;
    e4m3.__x = static_cast<__nv_fp8_storage_t>(i);
    e5m2.__x = static_cast<__nv_fp8_storage_t>(i);
    out[2 * 65536 + i] = spak::to_float(e4m3);
    out[3 * 65536 + i] = spak::to_float(e5m2);
    out[4 * 65536 + i] = __half2float(__half(__nv_cvt_fp6_to_halfraw(static_cast<__nv_fp6_storage_t>(i & 63), __NV_E3M2)));
    out[5 * 65536 + i] = __half2float(__half(__nv_cvt_fp6_to_halfraw(static_cast<__nv_fp6_storage_t>(i & 63), __NV_E2M3)));
    out[6 * 65536 + i] = __half2float(__half(__nv_cvt_fp4_to_halfraw(static_cast<__nv_fp4_storage_t>(i & 15), __NV_E2M1)));
  }
}

extern "C" __global__ void narrow(const float* in, unsigned short* out, unsigned* tf32, long long n) {
  EACH(i, n) {
    const float x = in[i];
    const double wide = x;
    const unsigned short values[] = {
        __half_as_ushort(__float2half_rn(x)), __half_as_ushort(__float2half_rz(x)), __half_as_ushort(__float2half_ru(x)),
        __half_as_ushort(__float2half_rd(x)), __bfloat16_as_ushort(__float2bfloat16_rn(x)), __bfloat16_as_ushort(__float2bfloat16_rz(x)),
        __bfloat16_as_ushort(__float2bfloat16_ru(x)), __bfloat16_as_ushort(__float2bfloat16_rd(x)),
        __half_as_ushort(__double2half(wide)), __bfloat16_as_ushort(__double2bfloat16(wide)),
        __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3), __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E4M3),
        __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2), __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E5M2),
        __nv_cvt_double_to_fp8(wide, __NV_SATFINITE, __NV_E4M3), __nv_cvt_double_to_fp8(wide, __NV_NOSAT, __NV_E5M2),
        spak::from_float<__nv_fp8_e4m3>(x).__x, spak::from_float<__nv_fp8_e5m2>(x).__x,
        __nv_cvt_float_to_fp6(x, __NV_E3M2, cudaRoundNearest), __nv_cvt_float_to_fp6(x, __NV_E2M3, cudaRoundNearest),
        __nv_cvt_float_to_fp4(x, __NV_E2M1, cudaRoundNearest)};
    for (int f = 0; f < 21; ++f) out[f * n + i] = values[f];
    tf32[i] = spak::to_tf32(x);
  }
}

// Pairs of fp8, to f32 and back.
extern "C" __global__ void fp8_pairs(float2* wide, unsigned short* e4m3, unsigned short* e5m2) {
  EACH(i, 65536) {
    __nv_fp8x2_e4m3 x;
    __nv_fp8x2_e5m2 y;
    x.__x = y.__x = static_cast<__nv_fp8x2_storage_t>(i);
    wide[i] = spak::to_float2(x);
    wide[65536 + i] = spak::to_float2(y);
    e4m3[i] = spak::to_e4m3x2(wide[i]).__x;
    e5m2[i] = spak::to_e5m2x2(wide[65536 + i]).__x;
  }
}

extern "C" __global__ void half_to_fp8(unsigned short* out) {
  EACH(i, 65536) {
    const __half_raw h = half_of(i);
    const __nv_bfloat16_raw b = bfloat_of(i);
    const unsigned short values[] = {
        __nv_cvt_halfraw_to_fp8(h, __NV_SATFINITE, __NV_E4M3), __nv_cvt_halfraw_to_fp8(h, __NV_NOSAT, __NV_E4M3),
        __nv_cvt_halfraw_to_fp8(h, __NV_SATFINITE, __NV_E5M2), __nv_cvt_halfraw_to_fp8(h, __NV_NOSAT, __NV_E5M2),
        __nv_cvt_bfloat16raw_to_fp8(b, __NV_SATFINITE, __NV_E4M3), __nv_cvt_bfloat16raw_to_fp8(b, __NV_NOSAT, __NV_E4M3),
        __nv_cvt_bfloat16raw_to_fp8(b, __NV_SATFINITE, __NV_E5M2), __nv_cvt_bfloat16raw_to_fp8(b, __NV_NOSAT, __NV_E5M2)};
    for (int f = 0; f < 8; ++f) out[f * 65536 + i] = values[f];
  }
}

// What tensor cores take a pattern for: each row of A has one in column 0, and row 0 of B is ones. One warp.
extern "C" __global__ void mma_of_16_bits(float* f16, float* bf16) {
  const int group = threadIdx.x / 4;
  const bool first = threadIdx.x % 4 == 0;
  for (unsigned base = 0; base < 65536; base += 16) {
    const uint32_t a[2] = {first ? base + group : 0u, first ? base + group + 8 : 0u}, one[1] = {first ? 0x3C00u : 0u}, brain_one[1] = {first ? 0x3F80u : 0u};
    float d[4] = {0, 0, 0, 0}, e[4] = {0, 0, 0, 0};
    spak::mma_f16(d, a, one);
    spak::mma_bf16(e, a, brain_one);
    if (first) {
      f16[base + group] = d[0];
      f16[base + group + 8] = d[2];
      bf16[base + group] = e[0];
      bf16[base + group + 8] = e[2];
    }
  }
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
extern "C" __global__ void mma_of_8_bits(float* e4m3, float* e5m2) {
  const int group = threadIdx.x / 4;
  const bool first = threadIdx.x % 4 == 0;
  for (unsigned base = 0; base < 256; base += 16) {
    const uint32_t a[4] = {first ? base + group : 0u, first ? base + group + 8 : 0u, 0, 0};
    const uint32_t one[2] = {first ? 0x38u : 0u, 0}, other_one[2] = {first ? 0x3Cu : 0u, 0};
    float d[4] = {0, 0, 0, 0}, e[4] = {0, 0, 0, 0};
    spak::mma_e4m3(d, a, one);
    spak::mma_e5m2(e, a, other_one);
    if (first) {
      e4m3[base + group] = d[0];
      e4m3[base + group + 8] = d[2];
      e5m2[base + group] = e[0];
      e5m2[base + group + 8] = e[2];
    }
  }
}
#endif
