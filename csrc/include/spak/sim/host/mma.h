// <mma.h>: nvcuda::wmma. Where an element of a fragment lies is not specified; here number 32 i + l of the matrix is element i of
// lane l. Knows nothing of sub-byte types.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <spak/sim/host/wmma_model.h>

namespace nvcuda::wmma {

struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;
enum layout_t { mem_row_major, mem_col_major };
namespace precision {
struct tf32;
}

namespace details {

using spak::sim::here;
using spak::sim::Site;
using spak::sim::host::Number;

template <typename T>
struct Stored {
  using type = T;
};
template <>
struct Stored<precision::tf32> {
  using type = float;
};

template <typename T>
constexpr Number number() {
  if constexpr (std::is_same_v<T, __half>)
    return Number::f16;
  else if constexpr (std::is_same_v<T, __nv_bfloat16>)
    return Number::bf16;
  else if constexpr (std::is_same_v<T, precision::tf32>)
    return Number::tf32;
  else if constexpr (std::is_same_v<T, float>)
    return Number::f32;
  else if constexpr (std::is_same_v<T, double>)
    return Number::f64;
  else if constexpr (std::is_same_v<T, signed char>)
    return Number::s8;
  else if constexpr (std::is_same_v<T, unsigned char>)
    return Number::u8;
  else
    return Number::s32;
}

template <typename T>
constexpr bool possible(int m, int n, int k) {
  const bool wide = (m == 16 && n == 16) || (m == 32 && n == 8) || (m == 8 && n == 32);
  if (std::is_same_v<T, precision::tf32>) return m == 16 && n == 16 && k == 8;
  if (std::is_same_v<T, double>) return m == 8 && n == 8 && k == 4;
  return wide && k == 16;
}

inline void require(bool fine, const char* what, Site at) {
  if (!fine) spak::sim::fail("bad-argument", what, at);
}

// Rows, columns and their meaning in memory.
template <typename F, typename T>
inline T& element(T* base, unsigned index, unsigned ldm, bool by_rows) {
  const unsigned row = index / F::columns, column = index % F::columns;
  return base[by_rows ? static_cast<std::size_t>(row) * ldm + column : static_cast<std::size_t>(column) * ldm + row];
}

inline unsigned lane() { return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) & 31; }

}  // namespace details

template <typename Use, int M, int N, int K, typename T, typename Layout = void>
class fragment {
  static constexpr bool sums = std::is_same_v<Use, accumulator>;
  static_assert(sums || details::possible<T>(M, N, K), "wmma has no fragments of this shape and type");

 public:
  using element_type = typename details::Stored<T>::type;
  using storage_element_type = element_type;
  static constexpr unsigned rows = std::is_same_v<Use, matrix_b> ? K : M,
                            columns = std::is_same_v<Use, matrix_a> ? K : N;
  static constexpr int num_elements = rows * columns / 32, num_storage_elements = num_elements;
  element_type x[num_elements];
};

template <typename Use, int M, int N, int K, typename T, typename Layout, typename V>
inline void fill_fragment(fragment<Use, M, N, K, T, Layout>& f, const V& value) {
  for (auto& each : f.x) each = static_cast<std::remove_reference_t<decltype(each)>>(value);
}

namespace details {
template <typename F, typename T>
inline void check(const T* p, unsigned ldm, Site at) {
  require(reinterpret_cast<std::uintptr_t>(p) % 32 == 0, "a matrix in memory must begin at a multiple of 32 bytes", at);
  require(ldm * sizeof(T) % 16 == 0, "the leading dimension must be a multiple of 16 bytes", at);
}
template <typename F, typename T>
inline void load(F& f, const T* p, unsigned ldm, bool by_rows, Site at) {
  check<F>(p, ldm, at);
  __syncwarp(0xFFFFFFFFu, at);
  for (int i = 0; i < F::num_elements; ++i) f.x[i] = element<F>(p, 32u * i + lane(), ldm, by_rows);
}
}  // namespace details

template <typename Use, int M, int N, int K, typename T, typename Layout>
inline void load_matrix_sync(fragment<Use, M, N, K, T, Layout>& f, const typename details::Stored<T>::type* p,
                             unsigned ldm, details::Site at = details::here()) {
  details::load(f, p, ldm, std::is_same_v<Layout, row_major>, at);
}
template <int M, int N, int K, typename T>
inline void load_matrix_sync(fragment<accumulator, M, N, K, T>& f, const T* p, unsigned ldm, layout_t layout,
                             details::Site at = details::here()) {
  details::load(f, p, ldm, layout == mem_row_major, at);
}
template <int M, int N, int K, typename T>
inline void store_matrix_sync(T* p, const fragment<accumulator, M, N, K, T>& f, unsigned ldm, layout_t layout,
                              details::Site at = details::here()) {
  using F = fragment<accumulator, M, N, K, T>;
  details::check<F>(p, ldm, at);
  __syncwarp(0xFFFFFFFFu, at);
  for (int i = 0; i < F::num_elements; ++i)
    details::element<F>(p, 32u * i + details::lane(), ldm, layout == mem_row_major) = f.x[i];
}

template <int M, int N, int K, typename T, typename LayoutA, typename LayoutB, typename D, typename C>
inline void mma_sync(fragment<accumulator, M, N, K, D>& d, const fragment<matrix_a, M, N, K, T, LayoutA>& a,
                     const fragment<matrix_b, M, N, K, T, LayoutB>& b, const fragment<accumulator, M, N, K, C>& c,
                     details::Site at = details::here()) {
  static constexpr spak::sim::host::Product product{
      M, N, K, details::number<T>(), details::number<C>(), details::number<D>()};
  spak::sim::host::multiply_fragments(product, d.x, a.x, b.x, c.x, at);
}

// Rounded to the 10 bits of tf32, ties away from zero.
inline float __float_to_tf32(float x) {
  const std::uint32_t bits = spak::sim::cast_bits<std::uint32_t>(x);
  return (bits & 0x7F800000u) == 0x7F800000u ? x : spak::sim::cast_bits<float>((bits + 0x1000u) & 0xFFFFE000u);
}

}  // namespace nvcuda::wmma
