// The product of warp matrix fragments: the last lane to come computes it for all. Knows nothing of nvcuda::wmma's types.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>
#include <vector>

#include "engine/operation.h"
#include "spak/sim/host/wmma_model.h"

namespace spak::sim::host {

namespace {

struct Lane {
  const Product* product;
  void* d;
  const void *a, *b, *c;
};

double get(Number type, const void* at, std::size_t i) {
  switch (type) {
    case Number::f16:
      return __half2float(static_cast<const __half*>(at)[i]);
    case Number::bf16:
      return __bfloat162float(static_cast<const __nv_bfloat16*>(at)[i]);
    case Number::tf32: {  // the bits beyond its 10 are not looked at
      std::uint32_t bits;
      std::memcpy(&bits, static_cast<const float*>(at) + i, sizeof bits);
      bits &= 0xFFFFE000u;
      float value;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    }
    case Number::f32:
      return static_cast<const float*>(at)[i];
    case Number::f64:
      return static_cast<const double*>(at)[i];
    case Number::s8:
      return static_cast<const signed char*>(at)[i];
    case Number::u8:
      return static_cast<const unsigned char*>(at)[i];
    default:
      return static_cast<const int*>(at)[i];
  }
}

void put(Number type, void* at, std::size_t i, double value) {
  switch (type) {
    case Number::f16:
      static_cast<__half*>(at)[i] = __double2half(value);
      break;
    case Number::f64:
      static_cast<double*>(at)[i] = value;
      break;
    case Number::s32:
      static_cast<int*>(at)[i] = static_cast<int>(static_cast<std::uint32_t>(static_cast<std::int64_t>(value)));
      break;  // wraps
    default:
      static_cast<float*>(at)[i] = static_cast<float>(value);
  }
}

void multiply(void* const* arguments, std::uint32_t) {
  const Lane* lanes[32];
  for (unsigned l = 0; l < 32; ++l) lanes[l] = static_cast<const Lane*>(arguments[l]);
  const Product& p = *lanes[0]->product;
  std::vector<double> a(p.m * p.k), b(p.k * p.n), d(p.m * p.n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = get(p.factor, lanes[i % 32]->a, i / 32);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = get(p.factor, lanes[i % 32]->b, i / 32);
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = get(p.sum_in, lanes[i % 32]->c, i / 32);
  for (unsigned row = 0; row < p.m; ++row)
    for (unsigned inner = 0; inner < p.k; ++inner)
      for (unsigned column = 0; column < p.n; ++column)
        d[row * p.n + column] += a[row * p.k + inner] * b[inner * p.n + column];
  for (std::size_t i = 0; i < d.size(); ++i) put(p.sum_out, lanes[i % 32]->d, i / 32, d[i]);
}

}  // namespace

void multiply_fragments(const Product& product, void* d, const void* a, const void* b, const void* c, Site site) {
  Lane mine{&product, d, a, b, c};
  together_warp("wmma::mma_sync", 0xFFFFFFFFu, &mine, multiply, site);
}

}  // namespace spak::sim::host
