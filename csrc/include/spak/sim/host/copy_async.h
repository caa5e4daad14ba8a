// Bytes that a group copies to shared memory while it goes on: what memcpy_async of cooperative groups, pipelines and barriers
// have in common. Knows nothing of who waits for them.
#pragma once
#include <spak/sim/host/groups.h>
#include <spak/sim/host/prelude.h>
#include <spak/sim/model/cp_async.h>

#include <cstddef>
#include <cstdint>

namespace spak::sim::host {

// The calling thread's part, of `count` threads, as cp.async where the target is shared memory and both sides are aligned to
// 4 bytes; else as plain loads and stores, as the toolkit does.
inline void copy_part(void* to, const void* from, ::std::size_t bytes, unsigned rank, unsigned count, Site at) {
  auto* const out = static_cast<char*>(to);
  const auto* const in = static_cast<const char*>(from);
  const ::std::size_t both = reinterpret_cast<::std::uintptr_t>(out) | reinterpret_cast<::std::uintptr_t>(in) | bytes;
  const ::std::size_t piece = both % 16 == 0 ? 16 : both % 8 == 0 ? 8 : both % 4 == 0 ? 4 : 1;
  const bool async = piece >= 4 && in_shared(to) && !in_shared(from);
  for (::std::size_t i = rank * piece; i < bytes; i += count * piece) {
    if (async)
      cp_async(out + i, in + i, static_cast<int>(piece), static_cast<int>(piece), at);
    else if (piece == 16)
      *reinterpret_cast<uint4*>(out + i) = *reinterpret_cast<const uint4*>(in + i);
    else if (piece == 8)
      *reinterpret_cast<uint2*>(out + i) = *reinterpret_cast<const uint2*>(in + i);
    else if (piece == 4)
      *reinterpret_cast<unsigned*>(out + i) = *reinterpret_cast<const unsigned*>(in + i);
    else
      out[i] = in[i];
  }
}

}  // namespace spak::sim::host

// Sizes whose alignment the program vouches for.
namespace cuda {
template <::std::size_t Alignment>
struct aligned_size_t {
  static constexpr ::std::size_t align = Alignment;
  ::std::size_t value;
  explicit constexpr aligned_size_t(::std::size_t size) : value(size) {}
  constexpr operator ::std::size_t() const { return value; }
};
}  // namespace cuda
