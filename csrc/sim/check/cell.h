// What is remembered of one 4-byte cell of memory: who wrote it last, who read it since. Knows nothing of who is ordered
// after whom.
#pragma once
#include <cstdint>
#include <vector>

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

// One access in 64 bits, from the top: which block of the process's history (20), the tick of the thread's clock (18), which
// thread of the block (10), how it accessed (3), where (13: see places.h). 0: none. Later blocks have greater slots, and within
// a block later ticks do, so that "before the last barrier" is one comparison.
using Slot = std::uint64_t;
constexpr unsigned kTickShift = 26, kBlockShift = 44, kThreadShift = 16, kKindShift = 13;
constexpr Slot kPlaceMask = (Slot{1} << kKindShift) - 1;
constexpr std::uint32_t kMaxTick = (1u << 18) - 2;
constexpr std::uint32_t kFlightBlock = (1u << 20) - 1;  // the rest of such a slot is the number of a flight
constexpr std::uint32_t kRestBlock = kFlightBlock - 1;  // or of what a cell has no room for (readers.h)
constexpr std::uint32_t kMaxBlock = kRestBlock - 1;

enum class How : unsigned char {
  plain,
  strong,        // atomic at device or system scope
  strong_block,  // atomic at block scope
  landed,        // the write of an operation of the async proxy that has completed
  is_volatile,   // a relaxed access at system scope that is not an atomic instruction
  copied,        // the write of a cp.async that has completed: of the generic proxy, as ordinary stores are
  several = 6,   // plain reads by threads of one block at one tick: this one, and those of the cell's lanes
  split = 7,     // not an access: the cell's bytes are remembered one by one
};

constexpr bool is_strong(How how) { return how == How::strong || how == How::strong_block || how == How::is_volatile; }

constexpr std::uint32_t block_of(Slot slot) { return static_cast<std::uint32_t>(slot >> kBlockShift); }
constexpr std::uint32_t tick_of(Slot slot) { return static_cast<std::uint32_t>(slot >> kTickShift) & ((1u << 18) - 1); }
constexpr std::uint32_t thread_of(Slot slot) { return static_cast<std::uint32_t>(slot >> kThreadShift) & 1023; }
constexpr How how_of(Slot slot) { return static_cast<How>(slot >> kKindShift & 7); }
constexpr unsigned place_of(Slot slot) { return static_cast<unsigned>(slot & kPlaceMask); }
constexpr Slot slot_of(std::uint32_t block, std::uint32_t tick, std::uint32_t thread, How how, unsigned place) {
  return Slot{block} << kBlockShift | Slot{tick} << kTickShift | Slot{thread} << kThreadShift |
         Slot{static_cast<unsigned char>(how)} << kKindShift | place;
}
constexpr Slot with(Slot slot, How how) {
  return (slot & ~(Slot{7} << kKindShift)) | Slot{static_cast<unsigned char>(how)} << kKindShift;
}
constexpr bool is_flight(Slot slot) { return block_of(slot) == kFlightBlock; }
constexpr Slot flight_slot(std::uint64_t number) {
  return Slot{kFlightBlock} << kBlockShift | (number & ((Slot{1} << kBlockShift) - 1));
}
constexpr bool is_rest(Slot slot) { return block_of(slot) == kRestBlock; }
constexpr Slot rest_slot(std::uint64_t number) { return Slot{kRestBlock} << kBlockShift | number; }
constexpr std::uint64_t number_of_rest(Slot slot) { return slot & ((Slot{1} << kBlockShift) - 1); }
constexpr bool is_split(Slot slot) { return how_of(slot) == How::split && !is_flight(slot); }

// Bits that two slots of one thread share: the block, the thread, and that neither needs a longer look (is_volatile, several,
// split).
constexpr Slot kAgentMask = ~((Slot{1} << kBlockShift) - 1) | Slot{1023} << kThreadShift | Slot{4} << kKindShift;

// Bits that differ between reads of one block at one tick.
constexpr Slot kReaderMask = Slot{1023} << kThreadShift | kPlaceMask;

// 32 bytes, so that a tile of 16 x 16 floats and its cells stay in the first-level cache. In shared memory the readers besides
// the first are all known, by the lanes that belong to the cell; in global memory the last of them is. `extra` is a write before
// an atomic `written`, which says less than it: not ordered with it, or no atomic; or a second flight that reads; or a rest.
struct alignas(32) Cell {
  Slot written;  // last; or a flight that will write
  Slot first;    // reader since; or a flight that reads
  Slot other;    // reader since, or several
  Slot extra;
};

// The lanes of one warp. Those of a cell are as many as the block has warps, rounded up to a power of two.
using Lanes = std::uint32_t;
constexpr unsigned kMostWarps = 32;

// What a cell of shared memory has no room for.
struct Group {
  Slot slot;    // of lane 0 of a warp,
  Lanes lanes;  // these of which have read at that tick
};
struct Rest {
  Slot extra = 0;             // the cell's own
  std::vector<Slot> flights;  // that read, besides
  std::vector<Group> groups;
};

}  // namespace spak::sim::check
#pragma GCC visibility pop
