// What code compiled with -fsanitize=thread calls before each access: the short way for words whose cells say at a glance
// that all is well, the long way (judge.h) for everything else. Knows nothing of rules.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "check/hook.h"
#include "check/judge.h"
#include "check/machine.h"
#include "check/order.h"
#include "check/places.h"
#include "check/states.h"
#include "profile/profile.h"

namespace spak::sim::check {

namespace {

constexpr Slot kSeveral = Slot{static_cast<unsigned char>(How::several)} << kKindShift;

// One access is before the running thread's.
[[gnu::always_inline]] inline bool before(Slot slot, Slot lower, const Now& at, Slot mine) {
  return slot < lower || slot - at.lo < at.span || ((slot ^ mine) & kAgentMask) == 0;
}

// The first of several readers of a cell.
[[gnu::noinline, gnu::section("spak_sim_hooks")]] bool gather(Cell& cell, Lanes* lanes, Slot mine, const Now& at) {
  if (!(cell.other < at.unit_lo || cell.other - at.lo < at.span)) return false;
  std::fill_n(lanes - at.warp, std::size_t{1} << at.shift, 0);
  *lanes = at.lane;
  cell.other = mine | kSeveral;
  return true;
}

// Reads or writes one word, if nothing speaks against it. `lower`: lesser slots count for nothing; `fresh`: so they do as the
// last write (0 for memory that may be uninitialised); `lanes`: the cell's of the thread's warp, null in global memory.
template <bool write>
[[gnu::always_inline]] inline bool pass(Cell& cell, Lanes* lanes, Slot mine, Slot lower, Slot fresh, const Now& at) {
  const Slot writer = cell.written;
  if (!(writer - at.lo < at.span)) [[unlikely]]
    if (!(writer < fresh) && ((writer ^ mine) & kAgentMask) != 0) return false;
  if constexpr (write) {
    if (!before(cell.first, lower, at, mine) || !before(cell.other, lower, at, mine) ||
        !before(cell.extra, lower, at, mine))
      return false;
    cell.written = mine;
  } else {
    if (lanes && ((cell.other ^ mine) & ~kReaderMask) == kSeveral) {
      cell.other = mine | kSeveral;
      *lanes |= at.lane;
    } else if (before(cell.first, lower, at, mine)) {
      cell.first = mine;
    } else if (lanes) {
      return gather(cell, lanes, mine, at);
    } else {
      cell.other = mine;
    }
  }
  return true;
}

// The same for bytes of a word that have cells of their own; a whole word that is written is one cell again.
template <bool write>
[[gnu::noinline, gnu::section("spak_sim_hooks")]] bool pass_bytes(Cell& word, Cell* bytes, Lanes* lanes, unsigned count,
                                                                  Slot mine, Slot lower, Slot fresh, const Now& at) {
  if (!bytes || !is_split(word.written) || word.written < lower) return false;
  for (unsigned i = 0; i < count; ++i)
    if (!pass<write>(bytes[i], lanes ? lanes + (i << at.shift) : nullptr, mine, lower, fresh, at)) return false;
  if (write && count == 4) word = {mine, 0, 0, 0};
  return true;
}

// Where the cells of a row of words are.
struct Cover {
  Cell* words;
  Cell* bytes;  // of words that are split; null: none are
  Lanes* lanes;
  Lanes* byte_lanes;
};

// Some words in a row, or a part of one, at `offset` from where the cells begin.
template <bool write, bool shared, unsigned size>
[[gnu::always_inline]] inline bool pass_all(const Cover& cover, std::uintptr_t offset, Slot mine, Slot lower,
                                            Slot fresh, const Now& at) {
  const std::uintptr_t first = offset >> 2;
  const auto bytes_at = [&](std::uintptr_t byte) { return cover.bytes ? cover.bytes + byte : nullptr; };
  const auto lanes_at = [&](Lanes* lanes, std::uintptr_t cell) {
    return shared ? lanes + (cell << at.shift) : nullptr;
  };
  if constexpr (size < 4)
    return pass_bytes<write>(cover.words[first], bytes_at(offset), lanes_at(cover.byte_lanes, offset), size, mine,
                             lower, fresh, at);
  for (unsigned i = 0; i < size / 4; ++i)
    if (!pass<write>(cover.words[first + i], lanes_at(cover.lanes, first + i), mine, lower, fresh, at)) [[unlikely]]
      if (!pass_bytes<write>(cover.words[first + i], bytes_at(offset + 4 * i),
                             lanes_at(cover.byte_lanes, offset + 4 * i), 4, mine, lower, fresh, at))
        return false;
  return true;
}

[[gnu::noinline, gnu::section("spak_sim_hooks")]] void the_long_way(std::uintptr_t address, std::size_t size,
                                                                    bool write, How how, std::size_t align,
                                                                    const void* pc) {
  if (!on() || !now.thread) return;
  if (counting()) {
    if (address - now.thread->stack_low >= now.thread->stack_size)
      profile::access(reinterpret_cast<const void*>(address), size,
                      how == How::strong || how == How::strong_block ? profile::Kind::atomic
                      : write                                        ? profile::Kind::write
                                                                     : profile::Kind::read,
                      pc);
    return;
  }
  busy = true;
  if (now.slow) {
    settle_stores(false);
    if (array_pending()) settle_array(address);
    if (!stores_pending()) refresh();
  }
  Spot& spot = spot_of(pc);
  if (spot.pc != pc) settle(spot, pc);
  judge({.address = address, .size = size, .write = write, .how = how, .place = spot.place, .pc = pc, .align = align});
  busy = false;
  if (how != How::is_volatile) return;
  if (!write) polled(pc);  // before it is known what the read will see
  busy = true;
  synchronise(address, Scope::system, !write, write, false, false);
  busy = false;
}

template <bool write, unsigned size>
[[gnu::always_inline]] inline void access(const void* place, const void* pc) {
  const auto address = reinterpret_cast<std::uintptr_t>(place);
  const Now& at = now;
  // Own shared memory, aligned: the low bits rotate into high ones.
  const std::uintptr_t offset = address - at.window;
  constexpr unsigned low_bits = size == 16 ? 4 : size == 8 ? 3 : size == 4 ? 2 : size == 2 ? 1 : 0;
  const std::uintptr_t rotated = low_bits ? offset >> low_bits | offset << (64 - low_bits) : offset;
  const Spot& spot = spot_of(pc);
  if (rotated < WindowShadow::kBytes >> low_bits) [[likely]] {
    if (spot.pc == pc) [[likely]]
      if (pass_all<write, true, size>({at.cells, at.bytes, at.lanes, at.byte_lanes}, offset, at.me | spot.place,
                                      at.unit_lo, 0, at)) [[likely]]
        return;
  } else {
    if (address - at.stack_low < at.stack_size) return;
    const std::uintptr_t inside = address - spot.begin;
    if (spot.pc == pc && inside < spot.size && size <= spot.size - inside && !at.slow && active) [[likely]] {
      if (!spot.cells) return;
      if (address % size == 0) [[likely]]
        if (pass_all<write, false, size>({spot.cells, spot.bytes, nullptr, nullptr}, inside, at.me | spot.place,
                                         at.launch_lo, spot.before, at)) [[likely]]
          return;
    }
  }
  the_long_way(address, size, write, How::plain, size, pc);
}

}  // namespace

#define SPAK_PC __builtin_return_address(0)

SPAK_HOOK void __tsan_init() {}
SPAK_HOOK void __tsan_func_entry(void*) {}
SPAK_HOOK void __tsan_func_exit() {}
SPAK_HOOK void __tsan_vptr_update(void** p, void*) { access<true, 8>(p, SPAK_PC); }
SPAK_HOOK void __tsan_vptr_read(void**) {}

SPAK_HOOK void __tsan_read1(void* p) { access<false, 1>(p, SPAK_PC); }
SPAK_HOOK void __tsan_read2(void* p) { access<false, 2>(p, SPAK_PC); }
SPAK_HOOK void __tsan_read4(void* p) { access<false, 4>(p, SPAK_PC); }
SPAK_HOOK void __tsan_read8(void* p) { access<false, 8>(p, SPAK_PC); }
SPAK_HOOK void __tsan_read16(void* p) { access<false, 16>(p, SPAK_PC); }
SPAK_HOOK void __tsan_write1(void* p) { access<true, 1>(p, SPAK_PC); }
SPAK_HOOK void __tsan_write2(void* p) { access<true, 2>(p, SPAK_PC); }
SPAK_HOOK void __tsan_write4(void* p) { access<true, 4>(p, SPAK_PC); }
SPAK_HOOK void __tsan_write8(void* p) { access<true, 8>(p, SPAK_PC); }
SPAK_HOOK void __tsan_write16(void* p) { access<true, 16>(p, SPAK_PC); }

// Of packed types, and of aggregates: no alignment is asked for.
#define SPAK_UNALIGNED(size)                                                                  \
  SPAK_HOOK void __tsan_unaligned_read##size(const void* p) {                                 \
    if (reinterpret_cast<std::uintptr_t>(p) - now.stack_low >= now.stack_size)                \
      the_long_way(reinterpret_cast<std::uintptr_t>(p), size, false, How::plain, 1, SPAK_PC); \
  }                                                                                           \
  SPAK_HOOK void __tsan_unaligned_write##size(void* p) {                                      \
    if (reinterpret_cast<std::uintptr_t>(p) - now.stack_low >= now.stack_size)                \
      the_long_way(reinterpret_cast<std::uintptr_t>(p), size, true, How::plain, 1, SPAK_PC);  \
  }
SPAK_UNALIGNED(2)
SPAK_UNALIGNED(4)
SPAK_UNALIGNED(8)
SPAK_UNALIGNED(16)
SPAK_HOOK void __tsan_read_range(void* p, std::size_t size) {
  if (reinterpret_cast<std::uintptr_t>(p) - now.stack_low >= now.stack_size)
    the_long_way(reinterpret_cast<std::uintptr_t>(p), size, false, How::plain, 1, SPAK_PC);
}
SPAK_HOOK void __tsan_write_range(void* p, std::size_t size) {
  if (reinterpret_cast<std::uintptr_t>(p) - now.stack_low >= now.stack_size)
    the_long_way(reinterpret_cast<std::uintptr_t>(p), size, true, How::plain, 1, SPAK_PC);
}

#define SPAK_VOLATILE(size)                                                                            \
  SPAK_HOOK void __tsan_volatile_read##size(void* p) {                                                 \
    if (reinterpret_cast<std::uintptr_t>(p) - now.stack_low >= now.stack_size)                         \
      the_long_way(reinterpret_cast<std::uintptr_t>(p), size, false, How::is_volatile, size, SPAK_PC); \
  }                                                                                                    \
  SPAK_HOOK void __tsan_volatile_write##size(void* p) {                                                \
    if (reinterpret_cast<std::uintptr_t>(p) - now.stack_low >= now.stack_size)                         \
      the_long_way(reinterpret_cast<std::uintptr_t>(p), size, true, How::is_volatile, size, SPAK_PC);  \
  }                                                                                                    \
  SPAK_HOOK void __tsan_unaligned_volatile_read##size(void* p) { __tsan_volatile_read##size(p); }      \
  SPAK_HOOK void __tsan_unaligned_volatile_write##size(void* p) { __tsan_volatile_write##size(p); }
SPAK_VOLATILE(1)
SPAK_VOLATILE(2)
SPAK_VOLATILE(4)
SPAK_VOLATILE(8)
SPAK_VOLATILE(16)

// --- accesses of the models ---------------------------------------------------------------------------------------------

void read(const void* address, std::size_t size, Site site) {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  judge({.address = reinterpret_cast<std::uintptr_t>(address), .size = size, .write = false, .place = place_of(site)});
}

void write(void* address, std::size_t size, Site site) {
  if (!on() || !now.thread || counting()) return;
  settle_now();
  judge({.address = reinterpret_cast<std::uintptr_t>(address), .size = size, .write = true, .place = place_of(site)});
}

}  // namespace spak::sim::check
