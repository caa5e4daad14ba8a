// What a warpgroup has in flight: its wgmmas in order, their groups, and the accumulators that nobody may touch. Knows nothing
// of descriptors.
#pragma once
#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "check/check.h"
#include "engine/operation.h"
#include "spak/sim/model/wgmma.h"
#include "wgmma_operand.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

constexpr unsigned kWarps = 4, kGroupThreads = 128;

// One tile of accumulators, spread over the registers of 128 threads. While a wgmma is in flight the registers hold kPoison and
// the values are here; afterwards they stay here as what the registers held when they were given back.
struct Tile {
  std::array<std::uint32_t*, kGroupThreads> registers{};
  unsigned n = 0;
  Accumulator type{};
  std::unique_ptr<std::uint32_t[]> values;     // 64 rows of n: the bits of f32, s32, or of f16 in the lower half
  unsigned in_flight = 0;                      // warps whose registers hold the poison
  std::uint64_t last_use = 0;                  // the number of the last wgmma that changes it
  std::array<std::uint64_t, kWarps> fences{};  // how often a warp had fenced when it got its registers back
  std::vector<check::FlightRef> flights;       // one a thread, while in flight and checked

  unsigned count() const { return type == Accumulator::f16 ? n / 4 : n / 2; }
  bool is(std::uint32_t* const* others, unsigned columns, Accumulator accumulator) const;
  bool overlaps(const std::uint32_t* others, unsigned others_count) const;
  void collect(unsigned warp);
  bool differs(unsigned warp) const;  // from what the registers hold
  void poison(unsigned warp);
  bool poisoned(unsigned thread) const;
  void give_back(unsigned warp);

 private:
  template <typename F>
  void each(unsigned warp, F f) const;
};

struct Multiplication : Operation {
  WgmmaForm form;
  bool from_registers = false, accumulate = true;
  std::array<std::array<std::uint32_t, 4>, kGroupThreads> fragments;  // of A, where it comes from registers
  Operand a, b;
  std::shared_ptr<Tile> tile;
  std::shared_ptr<Multiplication> previous;  // of the warpgroup: they change accumulators in order
  std::uint64_t number = 0;
  check::FlightRef reads;
  // Of A in registers, one a thread while checked: nobody may touch them until the last wgmma that reads them completes.
  std::array<const std::uint32_t*, kGroupThreads> fragments_at{};
  std::vector<check::FlightRef> fragment_flights;

  void perform() override;

 private:
  void multiply();
};

// Registers of A of one warp, and what they held when a wgmma read them.
struct FragmentNote {
  std::array<const std::uint32_t*, 32> at;
  std::array<std::array<std::uint32_t, 4>, 32> values;
};

struct WarpState {
  bool fenced = false;                  // ever
  std::vector<FragmentNote> fragments;  // since the last fence
  std::uint64_t fences = 0;
  std::deque<std::uint64_t> groups;  // committed and not waited for: the number after each one's last wgmma
  std::uint64_t waited = 0;          // wgmmas below this are complete for this warp
  std::vector<std::shared_ptr<Multiplication>> landed;  // by the latest wait, for all lanes
  std::vector<std::shared_ptr<Tile>> given_back;
};

struct Warpgroup {
  std::deque<std::shared_ptr<Multiplication>> issued;  // those that some warp has not waited for
  std::vector<std::shared_ptr<Tile>> tiles;            // in flight, and some that were
  std::uint64_t count = 0;                             // wgmmas issued
  std::array<WarpState, kWarps> warps;

  void issue(std::shared_ptr<Multiplication> next, std::uint32_t* const* registers, Site site);
  void wait(unsigned warp, std::size_t pending, Site site);

 private:
  void note_fragments(const Multiplication& next, unsigned warp, Site site);
  std::shared_ptr<Tile> tile_for(const WgmmaForm& form, std::uint32_t* const* registers, Site site);
  void give_back(Tile& tile, unsigned warp, Site site);
};

// The calling thread's, and where the thread is in it.
struct Warpgroups {
  std::array<Warpgroup, 8> groups;
};
inline Warpgroup& own_warpgroup() { return block_state<Warpgroups>().groups[whereabouts().thread / kGroupThreads]; }

}  // namespace spak::sim
#pragma GCC visibility pop
