// Shuffles, votes, matches and reductions of a warp. Knows nothing of how the lanes are brought together.
#pragma once
#include <spak/sim/engine.h>

#include <cstring>
#include <type_traits>

namespace spak::sim {

// Not is_trivially_copyable: the toolkit's __half2 has its own, equally trivial, assignment.
template <typename T>
concept Word = std::is_trivially_destructible_v<T> && (sizeof(T) <= 8);

template <Word T>
inline T exchange(Collective op, unsigned mask, T value, int argument, int width, Site at) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, static_cast<const void*>(&value), sizeof(T));
  bits = collective(op, mask, bits, sizeof(T), argument, width, at);
  std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
  return value;
}

template <typename T>
concept Number32 = std::is_same_v<T, int> || std::is_same_v<T, unsigned>;

}  // namespace spak::sim

inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, spak::sim::Site at = spak::sim::here()) {
  spak::sim::collective(spak::sim::Collective::sync, mask, 0, 0, 0, 32, at);
}
inline unsigned __activemask(spak::sim::Site at = spak::sim::here()) { return spak::sim::active_mask(at); }

template <spak::sim::Word T>
inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::shfl, mask, value, lane, width, at);
}
template <spak::sim::Word T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                        spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::shfl_up, mask, value, static_cast<int>(delta), width, at);
}
template <spak::sim::Word T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                          spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::shfl_down, mask, value, static_cast<int>(delta), width, at);
}
template <spak::sim::Word T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32,
                         spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::shfl_xor, mask, value, lane_mask, width, at);
}

inline int __all_sync(unsigned mask, int predicate, spak::sim::Site at = spak::sim::here()) {
  return static_cast<int>(spak::sim::collective(spak::sim::Collective::all, mask, predicate != 0, 4, 0, 32, at));
}
inline int __any_sync(unsigned mask, int predicate, spak::sim::Site at = spak::sim::here()) {
  return static_cast<int>(spak::sim::collective(spak::sim::Collective::any, mask, predicate != 0, 4, 0, 32, at));
}
inline unsigned __ballot_sync(unsigned mask, int predicate, spak::sim::Site at = spak::sim::here()) {
  return static_cast<unsigned>(
      spak::sim::collective(spak::sim::Collective::ballot, mask, predicate != 0, 4, 0, 32, at));
}

template <spak::sim::Word T>
inline unsigned __match_any_sync(unsigned mask, T value, spak::sim::Site at = spak::sim::here()) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, static_cast<const void*>(&value), sizeof(T));
  return static_cast<unsigned>(
      spak::sim::collective(spak::sim::Collective::match_any, mask, bits, sizeof(T), 0, 32, at));
}
template <spak::sim::Word T>
inline unsigned __match_all_sync(unsigned mask, T value, int* predicate, spak::sim::Site at = spak::sim::here()) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, static_cast<const void*>(&value), sizeof(T));
  const auto equal =
      static_cast<unsigned>(spak::sim::collective(spak::sim::Collective::match_all, mask, bits, sizeof(T), 0, 32, at));
  *predicate = equal != 0;
  return equal;
}

template <spak::sim::Number32 T>
inline T __reduce_add_sync(unsigned mask, T value, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::add, mask, value, 0, 32, at);
}
template <spak::sim::Number32 T>
inline T __reduce_min_sync(unsigned mask, T value, spak::sim::Site at = spak::sim::here()) {
  using spak::sim::Collective;
  return spak::sim::exchange(std::is_signed_v<T> ? Collective::min_signed : Collective::min_unsigned, mask, value, 0,
                             32, at);
}
template <spak::sim::Number32 T>
inline T __reduce_max_sync(unsigned mask, T value, spak::sim::Site at = spak::sim::here()) {
  using spak::sim::Collective;
  return spak::sim::exchange(std::is_signed_v<T> ? Collective::max_signed : Collective::max_unsigned, mask, value, 0,
                             32, at);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::bit_and, mask, value, 0, 32, at);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::bit_or, mask, value, 0, 32, at);
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value, spak::sim::Site at = spak::sim::here()) {
  return spak::sim::exchange(spak::sim::Collective::bit_xor, mask, value, 0, 32, at);
}
