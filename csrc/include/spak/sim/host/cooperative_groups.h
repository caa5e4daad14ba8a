// <cooperative_groups.h>: groups of threads as CUDA has them, on the simulator's own collectives. Knows nothing of the engine
// beyond engine.h and groups.h.
#pragma once
#include <spak/sim/host/groups.h>
#include <spak/sim/host/prelude.h>
#include <spak/sim/model/barrier.h>
#include <spak/sim/model/cluster.h>

#include <type_traits>

namespace cooperative_groups {

namespace details {

using spak::sim::here;
using spak::sim::Site;

inline unsigned rank_in_block() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
inline unsigned block_threads() { return blockDim.x * blockDim.y * blockDim.z; }
inline unsigned lane() { return rank_in_block() & 31; }
inline unsigned long long rank_of_block() {
  return blockIdx.x + static_cast<unsigned long long>(gridDim.x) *
                          (blockIdx.y + static_cast<unsigned long long>(gridDim.y) * blockIdx.z);
}
inline unsigned long long blocks_of_grid() {
  return static_cast<unsigned long long>(gridDim.x) * gridDim.y * gridDim.z;
}

// A value of any size, in the pieces that a shuffle takes.
template <typename T>
inline T shuffle(unsigned mask, const T& value, unsigned source_lane, Site at) {
  static_assert(std::is_trivially_destructible_v<T> && sizeof(T) <= 32,
                "a group shuffles values of at most 32 bytes that can be copied");
  constexpr std::size_t words = (sizeof(T) + 3) / 4;
  std::uint32_t raw[words] = {};
  __builtin_memcpy(raw, static_cast<const void*>(&value), sizeof(T));
  for (std::uint32_t& word : raw)
    word = static_cast<std::uint32_t>(
        spak::sim::collective(spak::sim::Collective::shfl, mask, word, 4, static_cast<int>(source_lane), 32, at));
  T out = value;
  __builtin_memcpy(static_cast<void*>(&out), raw, sizeof(T));
  return out;
}

// The lane with rank `rank` among those of `mask`.
inline unsigned lane_of(unsigned mask, unsigned rank) {
  for (; rank; --rank) mask &= mask - 1;
  return mask ? static_cast<unsigned>(__builtin_ctz(mask)) : 32;
}

// Bits of `mask` picked out of `bits`, packed by rank.
inline unsigned pack(unsigned mask, unsigned bits) {
  unsigned out = 0;
  for (unsigned rank = 0; mask; mask &= mask - 1, ++rank) out |= (bits >> __builtin_ctz(mask) & 1u) << rank;
  return out;
}

}  // namespace details

using details::here;
using details::Site;

// Lanes of one warp: what tiles and coalesced groups are. `Packed` masks (ballots) are by rank.
class coalesced_group {
 public:
  coalesced_group() = default;
  explicit coalesced_group(unsigned mask, unsigned meta_rank = 0, unsigned meta_size = 1)
      : mask_(mask), meta_rank_(meta_rank), meta_size_(meta_size) {}

  void sync(Site at = here()) const { __syncwarp(mask_, at); }
  unsigned long long num_threads() const { return static_cast<unsigned>(__builtin_popcount(mask_)); }
  unsigned long long size() const { return num_threads(); }
  unsigned long long thread_rank() const {
    return static_cast<unsigned>(__builtin_popcount(mask_ & ((1u << details::lane()) - 1)));
  }
  unsigned long long meta_group_rank() const { return meta_rank_; }
  unsigned long long meta_group_size() const { return meta_size_; }

  template <typename T>
  T shfl(const T& value, unsigned rank, Site at = here()) const {
    return details::shuffle(mask_, value, details::lane_of(mask_, rank % static_cast<unsigned>(size())), at);
  }
  template <typename T>
  T shfl_up(const T& value, unsigned delta, Site at = here()) const {
    const unsigned rank = static_cast<unsigned>(thread_rank());
    return details::shuffle(mask_, value, rank >= delta ? details::lane_of(mask_, rank - delta) : details::lane(), at);
  }
  template <typename T>
  T shfl_down(const T& value, unsigned delta, Site at = here()) const {
    const unsigned rank = static_cast<unsigned>(thread_rank());
    return details::shuffle(mask_, value,
                            rank + delta < size() ? details::lane_of(mask_, rank + delta) : details::lane(), at);
  }
  template <typename T>
  T shfl_xor(const T& value, unsigned lanes, Site at = here()) const {
    const unsigned rank = static_cast<unsigned>(thread_rank()) ^ lanes;
    return details::shuffle(mask_, value, rank < size() ? details::lane_of(mask_, rank) : details::lane(), at);
  }
  int any(int predicate, Site at = here()) const { return __any_sync(mask_, predicate, at); }
  int all(int predicate, Site at = here()) const { return __all_sync(mask_, predicate, at); }
  unsigned ballot(int predicate, Site at = here()) const {
    return details::pack(mask_, __ballot_sync(mask_, predicate, at));
  }
  template <typename T>
  unsigned match_any(T value, Site at = here()) const {
    return details::pack(mask_, __match_any_sync(mask_, value, at));
  }
  template <typename T>
  unsigned match_all(T value, int& predicate, Site at = here()) const {
    return details::pack(mask_, __match_all_sync(mask_, value, &predicate, at));
  }

  unsigned lanes() const { return mask_; }

 protected:
  unsigned mask_ = 0, meta_rank_ = 0, meta_size_ = 1;
};

class thread_block {
 public:
  static void sync(Site at = here()) { __syncthreads(at); }
  static unsigned thread_rank() { return details::rank_in_block(); }
  static unsigned num_threads() { return details::block_threads(); }
  static unsigned size() { return num_threads(); }
  static dim3 group_index() { return {blockIdx.x, blockIdx.y, blockIdx.z}; }
  static dim3 thread_index() { return {threadIdx.x, threadIdx.y, threadIdx.z}; }
  static dim3 group_dim() { return {blockDim.x, blockDim.y, blockDim.z}; }
  static dim3 dim_threads() { return group_dim(); }
  struct arrival_token {};
  // The barrier of a block arrives and waits in one: what comes between is done after it, which is one of the orders allowed.
  static arrival_token barrier_arrive() { return {}; }
  static void barrier_wait(arrival_token, Site at = here()) { __syncthreads(at); }
  static void barrier_wait(Site at = here()) { __syncthreads(at); }
};

class grid_group {
 public:
  void sync(Site at = here()) const { spak::sim::grid_barrier(at); }
  bool is_valid() const { return spak::sim::cooperative(); }
  unsigned long long num_threads() const { return details::blocks_of_grid() * details::block_threads(); }
  unsigned long long size() const { return num_threads(); }
  unsigned long long thread_rank() const {
    return details::rank_of_block() * details::block_threads() + details::rank_in_block();
  }
  unsigned long long num_blocks() const { return details::blocks_of_grid(); }
  unsigned long long block_rank() const { return details::rank_of_block(); }
  static dim3 group_dim() { return {gridDim.x, gridDim.y, gridDim.z}; }
  static dim3 dim_blocks() { return group_dim(); }
  static dim3 block_index() { return {blockIdx.x, blockIdx.y, blockIdx.z}; }
  struct arrival_token {};
  // As of a block: arrives and waits in one.
  static arrival_token barrier_arrive() { return {}; }
  static void barrier_wait(arrival_token = {}, Site at = here()) { spak::sim::grid_barrier(at); }
};

class cluster_group {
 public:
  struct arrival_token {};
  static void sync(Site at = here()) { spak::sim::cluster_arrive(false, at), spak::sim::cluster_wait(at); }
  static arrival_token barrier_arrive(Site at = here()) {
    spak::sim::cluster_arrive(false, at);
    return {};
  }
  static void barrier_wait(arrival_token = {}, Site at = here()) { spak::sim::cluster_wait(at); }
  static unsigned block_rank(Site at = here()) { return spak::sim::cluster_rank(at); }
  static unsigned num_blocks(Site at = here()) { return spak::sim::cluster_size(at); }
  static dim3 dim_blocks(Site at = here()) {
    const spak::sim::Dim shape = spak::sim::cluster_shape(at);
    return {shape.x, shape.y, shape.z};
  }
  static dim3 block_index(Site at = here()) {
    const dim3 shape = dim_blocks(at);
    return {blockIdx.x % shape.x, blockIdx.y % shape.y, blockIdx.z % shape.z};
  }
  static unsigned thread_rank(Site at = here()) {
    return block_rank(at) * details::block_threads() + details::rank_in_block();
  }
  static unsigned num_threads(Site at = here()) { return num_blocks(at) * details::block_threads(); }
  static unsigned size(Site at = here()) { return num_threads(at); }
  static dim3 dim_threads(Site at = here()) {
    const dim3 blocks = dim_blocks(at);
    return {blocks.x * blockDim.x, blocks.y * blockDim.y, blocks.z * blockDim.z};
  }
  static unsigned query_shared_rank(const void* address) {
    return static_cast<unsigned>(spak::sim::host::shared_rank(address));
  }
  template <typename T>
  static T* map_shared_rank(T* address, int rank, Site at = here()) {
    return static_cast<T*>(spak::sim::cluster_map(address, static_cast<unsigned>(rank), at));
  }
};

namespace details {

// Of one warp, or of a part of one.
template <unsigned Size>
class lanes_tile : public coalesced_group {
 public:
  lanes_tile() : lanes_tile(rank_in_block(), block_threads()) {}
  // `rank` and `threads` of the parent; the tile lies in the calling warp.
  lanes_tile(unsigned rank, unsigned threads)
      : coalesced_group((Size == 32 ? ~0u : (1u << (Size & 31)) - 1) << (lane() / Size * Size), rank / Size,
                        (threads + Size - 1) / Size) {}

  static constexpr unsigned num_threads() { return Size; }
  static constexpr unsigned size() { return Size; }
  static unsigned thread_rank() { return lane() % Size; }
  unsigned meta_group_rank() const { return meta_rank_; }
  unsigned meta_group_size() const { return meta_size_; }

  template <typename T>
  T shfl(const T& value, int rank, Site at = here()) const {
    return shuffle(mask_, value, base() + static_cast<unsigned>(rank) % Size, at);
  }
  template <typename T>
  T shfl_up(const T& value, int delta, Site at = here()) const {
    return shuffle(mask_, value,
                   static_cast<int>(thread_rank()) >= delta ? lane() - static_cast<unsigned>(delta) : lane(), at);
  }
  template <typename T>
  T shfl_down(const T& value, int delta, Site at = here()) const {
    return shuffle(mask_, value,
                   thread_rank() + static_cast<unsigned>(delta) < Size ? lane() + static_cast<unsigned>(delta) : lane(),
                   at);
  }
  template <typename T>
  T shfl_xor(const T& value, int lanes, Site at = here()) const {
    return shuffle(mask_, value, base() + ((thread_rank() ^ static_cast<unsigned>(lanes)) % Size), at);
  }

 private:
  static unsigned base() { return lane() / Size * Size; }
};

// Of several warps, all of whose threads do together what it does.
template <unsigned Size>
class warps_tile {
 public:
  warps_tile() : warps_tile(rank_in_block(), block_threads()) {}
  warps_tile(unsigned rank, unsigned threads) : meta_rank_(rank / Size), meta_size_((threads + Size - 1) / Size) {}

  static void sync(Site at = here()) { spak::sim::tile_sync(Size, at); }
  static constexpr unsigned num_threads() { return Size; }
  static constexpr unsigned size() { return Size; }
  static unsigned thread_rank() { return rank_in_block() % Size; }
  unsigned meta_group_rank() const { return meta_rank_; }
  unsigned meta_group_size() const { return meta_size_; }

  template <typename T>
  T shfl(T value, unsigned rank, Site at = here()) const {
    static_assert(std::is_trivially_destructible_v<T> && sizeof(T) <= 32,
                  "a group shuffles values of at most 32 bytes that can be copied");
    spak::sim::host::tile_shuffle(Size, &value, sizeof(T), rank, at);
    return value;
  }
  int any(int predicate, Site at = here()) const { return spak::sim::host::tile_count(Size, predicate, at) != 0; }
  int all(int predicate, Site at = here()) const { return spak::sim::host::tile_count(Size, predicate, at) == Size; }

 private:
  unsigned meta_rank_, meta_size_;
};

template <unsigned Size>
using tile = std::conditional_t<(Size > 32), warps_tile<Size>, lanes_tile<Size>>;

}  // namespace details

template <unsigned Size, typename Parent = void>
class thread_block_tile : public details::tile<Size> {
  static_assert(Size >= 1 && Size <= 1024 && (Size & (Size - 1)) == 0,
                "the size of a tile must be a power of two of at most 1024");

 public:
  thread_block_tile() = default;
  thread_block_tile(unsigned rank, unsigned threads) : details::tile<Size>(rank, threads) {}
  template <typename Other>
  thread_block_tile(const thread_block_tile<Size, Other>& other) : details::tile<Size>(other) {}
};

// Any of the groups of a block, by value.
class thread_group {
 public:
  thread_group(const thread_block&) : whole_(true) {}
  thread_group(const coalesced_group& group) : lanes_(group) {}
  void sync(Site at = here()) const { whole_ ? __syncthreads(at) : lanes_.sync(at); }
  unsigned long long size() const { return whole_ ? details::block_threads() : lanes_.size(); }
  unsigned long long num_threads() const { return size(); }
  unsigned long long thread_rank() const { return whole_ ? details::rank_in_block() : lanes_.thread_rank(); }

 private:
  bool whole_ = false;
  coalesced_group lanes_;
};

struct thread_self {
  static void sync() {}
  static unsigned size() { return 1; }
  static unsigned num_threads() { return 1; }
  static unsigned thread_rank() { return 0; }
};

// What tiles of several warps need on a device.
template <unsigned Threads>
struct block_tile_memory {};

inline thread_block this_thread_block() { return {}; }
template <unsigned Threads>
inline thread_block this_thread_block(block_tile_memory<Threads>&) {
  return {};
}
inline grid_group this_grid() { return {}; }
inline cluster_group this_cluster() { return {}; }
inline thread_self this_thread() { return {}; }
inline coalesced_group coalesced_threads(Site at = here()) { return coalesced_group(spak::sim::host::converged(at)); }

template <unsigned Size, typename Group>
inline thread_block_tile<Size, Group> tiled_partition(const Group& parent) {
  return {static_cast<unsigned>(parent.thread_rank()), static_cast<unsigned>(parent.num_threads())};
}
template <unsigned Size>
inline coalesced_group tiled_partition(const coalesced_group& parent) {
  const unsigned first = static_cast<unsigned>(parent.thread_rank()) / Size * Size,
                 count = static_cast<unsigned>(parent.size());
  unsigned mask = 0;
  for (unsigned rank = first; rank < first + Size && rank < count; ++rank)
    mask |= 1u << details::lane_of(parent.lanes(), rank);
  return coalesced_group(mask, first / Size, (count + Size - 1) / Size);
}
template <typename Group>
inline coalesced_group tiled_partition(const Group& parent, unsigned size, Site at = here()) {
  if (size == 0 || size > 32 || (size & (size - 1)))
    spak::sim::fail("bad-argument", "tiled_partition: the size must be a power of two of at most 32", at);
  const unsigned rank = static_cast<unsigned>(parent.thread_rank());
  return coalesced_group((size == 32 ? ~0u : (1u << size) - 1) << (details::lane() / size * size), rank / size,
                         (static_cast<unsigned>(parent.size()) + size - 1) / size);
}

// The lanes whose label is the same.
template <typename Group, typename Label>
inline coalesced_group labeled_partition(const Group& group, Label label, Site at = here()) {
  return coalesced_group(__match_any_sync(group.lanes(), label, at));
}
template <typename Group>
inline coalesced_group binary_partition(const Group& group, bool predicate, Site at = here()) {
  const unsigned yes = __ballot_sync(group.lanes(), predicate, at);
  return coalesced_group((predicate ? yes : ~yes) & group.lanes());
}

template <typename Group>
inline void sync(const Group& group, Site at = here()) {
  group.sync(at);
}
template <typename Group>
inline auto thread_rank(const Group& group) {
  return group.thread_rank();
}
template <typename Group>
inline auto group_size(const Group& group) {
  return group.size();
}
template <typename Group, typename F, typename... A>
inline void invoke_one(const Group& group, F&& f, A&&... arguments) {
  if (group.thread_rank() == 0) f(std::forward<A>(arguments)...);
}
template <typename Group, typename F, typename... A>
inline auto invoke_one_broadcast(const Group& group, F&& f, A&&... arguments) {
  std::invoke_result_t<F, A...> result{};
  if (group.thread_rank() == 0) result = f(std::forward<A>(arguments)...);
  return group.shfl(result, 0);
}

}  // namespace cooperative_groups
