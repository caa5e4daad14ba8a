// The rules of memory. Everything an access conflicts with is told by the few slots of its cells.
#include "check/judge.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "check/case.h"
#include "check/flight.h"
#include "check/machine.h"
#include "check/notes.h"
#include "check/places.h"
#include "check/readers.h"
#include "check/regions.h"
#include "engine/thread.h"

namespace spak::sim::check {

constexpr Race kOverlap = {
    "race-global", "work of two streams accesses the same memory, at least one of them writes, and nothing orders them",
    "let the later one's stream wait for an event that is recorded after the earlier one (cudaEventRecord, "
    "cudaStreamWaitEvent), or let the host wait between them"};

namespace {

constexpr std::uintptr_t kAround = 4 << 20;  // nothing else is mapped so near to the windows

bool same_thread(Slot a, Slot b) { return block_of(a) == block_of(b) && thread_of(a) == thread_of(b); }

bool same_warp(Slot a, Slot b) { return block_of(a) == block_of(b) && thread_of(a) / 32 == thread_of(b) / 32; }

Race race_of(const Case& c, Slot earlier, bool earlier_writes) {
  const bool write = c.access.write;
  if (block_of(earlier) < first_of_launch()) return kOverlap;
  if (past_of(block_of(earlier)).agents) {
    if (how_of(earlier) == How::strong)
      return {write ? "in-flight-overwrite" : "in-flight-read",
              "memory is accessed although nothing orders this after the asynchronous operation that adds to it",
              "wait for its group (bulk_wait; bulk_wait_read waits for its sources only) in the thread that issued it, "
              "and be ordered after that thread"};
    if (write && !earlier_writes)
      return {"in-flight-overwrite",
              "memory is overwritten although nothing orders this after the asynchronous operation that read it",
              "be ordered, by a barrier or an mbarrier, after a thread that has waited for the operation"};
    if (write)
      return {"in-flight-overwrite",
              "memory is written although nothing orders this after the asynchronous operation that filled it",
              "wait for the operation's mbarrier (or be ordered after a thread that did) before you write"};
    return {"in-flight-read",
            "memory is read although the reader has not waited for the asynchronous operation that fills it",
            "wait for the operation's mbarrier, with the right parity, before you read"};
  }
  const bool after_read = write && !earlier_writes;
  if (!c.row.block) {
    if (block_of(earlier) != block_of(c.mine))
      return {"race-global",
              "two blocks access the same global memory, at least one of them writes, and nothing orders them",
              "blocks run in any order: let each write its own place, use atomics, or publish with __threadfence() and "
              "an atomic flag; "
              "or split the kernel in two"};
    return {
        "race-global",
        "two threads of a block access the same global memory, at least one of them writes, and nothing orders them",
        "put __syncthreads() (within a warp, __syncwarp()) between the two, or use an atomic operation"};
  }
  if (same_warp(earlier, c.mine))
    return {"race-warp",
            "two lanes of a warp access the same shared memory, at least one of them writes, and nothing orders them",
            "lanes of a warp do not run in step: put __syncwarp() between the two"};
  if (block_of(earlier) != block_of(c.mine))
    return {
        "race-shared",
        "two blocks of a cluster access the same shared memory, at least one of them writes, and nothing orders them",
        "put a cluster barrier between the two"};
  constexpr const char* kBarrier =
      "put __syncthreads() between the two; in a loop, also between the last read of one round and the first write of "
      "the next";
  if (after_read)
    return {"race-shared", "shared memory is written, but nothing orders this after another thread's read", kBarrier};
  if (write)
    return {"race-shared", "two threads write different values to the same shared memory, and nothing orders them",
            "let one thread write, put __syncthreads() between the two, or use an atomic operation"};
  return {"race-shared", "shared memory is read, but nothing orders this after another thread's write", kBarrier};
}

void report_race(const Case& c, Slot earlier, bool earlier_writes) {
  const Race race = race_of(c, earlier, earlier_writes);
  const bool in_block = c.row.block && block_of(earlier) == block_of(c.mine) && race.rule[0] == 'r';
  // A read of what somebody only then writes was no read of what nobody writes.
  if (!earlier_writes) withdraw("uninitialised-read", earlier);
  // Two lines that race within warps and across them are one defect: that of the block.
  if (!seen_first(in_block ? "race-shared" : race.rule, c.mine, earlier)) {
    if (!in_block || std::strcmp(race.rule, noted_rule()) == 0 || std::strcmp(noted_rule(), "race-shared") == 0) return;
    forget_description("race-shared", c.mine, earlier);
  }
  set_rule(race.rule);
  const How how = how_of(earlier);
  describe(race.sentence, race.hint, side_of(c),
           {verb(earlier_writes, how), name_bytes(c.access.address, c.access.size)});
}

void report_flight(const Case& c, const Flight& flight, bool it_writes) {
  const bool write = c.access.write;
  const char* rule = write ? "in-flight-overwrite" : "in-flight-read";
  if (!seen_first(rule, c.mine, flight.issued)) return;
  const std::string operation = flight.what;
  const std::string wait =
      operation.find("wgmma") != std::string::npos ? "wait for it (wgmma_wait) first"
      : operation.find("TMA load") != std::string::npos || operation.find("bulk load") != std::string::npos
          ? "wait for its mbarrier first"
      : operation.find("cp.async") != std::string::npos
          ? "wait for its group (cp_async_wait, then a barrier) or its mbarrier first"
          : "wait for its group or its mbarrier first";
  if (!write)
    describe("memory is read while an asynchronous operation may still be writing it", wait, side_of(c),
             {"issued", name_bytes(c.access.address, c.access.size)});
  else if (it_writes)
    describe("memory is written while an asynchronous operation may still be writing it", wait, side_of(c),
             {"issued", name_bytes(c.access.address, c.access.size)});
  else
    describe("memory is overwritten while an asynchronous operation may still have to read it", wait, side_of(c),
             {"issued", name_bytes(c.access.address, c.access.size)});
}

void report_proxy(const Case& c, Slot writer) {
  if (!seen_first("missing-proxy-fence", c.mine, writer)) return;
  describe(
      "an asynchronous operation accesses memory that ordinary stores have written, and no fence.proxy.async stands "
      "between",
      c.row.block ? "let the threads that wrote call fence_proxy_async() before the barrier that precedes the operation"
                  : "let the threads that wrote call fence_proxy_async() (for global memory) before the order that "
                    "precedes the operation",
      side_of(c), {"writes", name_bytes(c.access.address, c.access.size)});
}

// --- stores of the same value -----------------------------------------------------------------------------------------

struct Store {
  std::uintptr_t address;
  std::size_t size;
  unsigned char before[16];
  Slot mine, earlier;
  bool shared;
  unsigned wait;  // hooks that come before the store itself
};
constexpr unsigned kStores = 8;
Store stores[kStores];
unsigned store_count = 0;

void store_later(const Case& c, Slot earlier) {
  const Access& a = c.access;
  if (a.size > sizeof Store::before || store_count == kStores) return report_race(c, earlier, true);
  if (store_count && stores[store_count - 1].address == a.address && stores[store_count - 1].mine == c.mine) return;
  Store& store = stores[store_count];
  store = {a.address, a.size, {}, c.mine, earlier, c.row.block != nullptr, a.size > 8 ? 2u : 1u};
  std::memcpy(store.before, reinterpret_cast<const void*>(a.address), a.size);
  if (++store_count == 1) take_the_long_way();
}

bool conflicts(const Case& c, Slot slot) {
  if (!slot || slot < c.row.lower || known(c.thread, slot)) return false;
  const How how = how_of(slot);
  if (!is_strong(how) || !is_strong(c.access.how)) return true;
  if (how == How::is_volatile && c.access.how == How::is_volatile) {
    // Relaxed accesses do not race, but between lanes in shared memory they are warp-synchronous code.
    return c.row.block && same_warp(slot, c.mine) && !c.thread.fenced;
  }
  const bool narrow = how == How::strong_block || c.access.how == How::strong_block;
  return narrow && block_of(slot) != block_of(c.mine);
}

bool stale(const Case& c, Slot slot) { return slot < c.row.lower || known(c.thread, slot); }

// Whether the flight that a slot stands for is still under way, and not the one that accesses.
const Flight* under_way(const Case& c, Slot slot) {
  if (!is_flight(slot)) return nullptr;
  const Flight* flight = flight_of(slot);
  return flight && (!c.access.flight || c.access.flight->get() != flight) ? flight : nullptr;
}

// What asynchronous operations have written, and atomic updates among themselves, need no proxy fence.
bool crosses_proxies(const Case& c, Slot writer) {
  if (how_of(writer) == How::landed || (how_of(writer) == How::strong && past_of(block_of(writer)).agents))
    return false;
  return !(c.access.update && is_strong(how_of(writer))) && !proxied(c.thread, writer, c.row.block != nullptr);
}

// `writes`: it is an earlier write instead.
void judge_reader(const Case& c, Slot& slot, bool writes) {
  if (!slot) return;
  if (is_flight(slot)) {
    if (const Flight* flight = under_way(c, slot))
      report_flight(c, *flight, false);
    else if (!c.access.flight)
      slot = 0;
    return;
  }
  if (conflicts(c, slot)) report_race(c, slot, writes);
}

// Those besides the first. One of them is reported: the last, if it is a culprit.
void judge_readers(const Case& c, Cell& cell) {
  bool found = false;
  each_reader(c.row, cell, [&](Slot reader) {
    if (conflicts(c, reader)) report_race(c, reader, false), found = true;
    return found;
  });
  if (Rest* const rest = is_rest(cell.extra) ? rest_of(c.row, cell) : nullptr)
    for (Slot& flight : rest->flights) judge_reader(c, flight, false);
  // Whoever is after this write is after them.
  if (!found && !is_strong(c.access.how)) forget_readers(c.row, cell);
}

// Whoever races with the first reader will race with this one.
bool replaces_first(const Case& c, Slot first) {
  if (is_flight(first)) return !flight_of(first);
  if (is_strong(c.access.how) && !is_strong(how_of(first)) && first >= c.row.lower) return false;
  return stale(c, first) || ((first ^ c.mine) & kAgentMask) == 0;
}

void judge_cell(const Case& c, Cell& cell) {
  const Access& a = c.access;
  const Slot writer = cell.written;
  const bool async = a.flight && (*a.flight)->proxy == Proxy::async;
  bool writer_open = false;  // not ordered before this access
  if (is_flight(writer)) {
    if (const Flight* flight = under_way(c, writer))
      report_flight(c, *flight, true);
    else if (!a.flight)
      cell.written = 0;
  } else if (writer >= c.row.lower && writer) {
    writer_open = !known(c.thread, writer);
    if (conflicts(c, writer)) {
      if (a.write && !a.flight && a.how == How::plain && how_of(writer) == How::plain)
        store_later(c, writer);
      else
        report_race(c, writer, true);
    } else if (async && crosses_proxies(c, writer)) {
      report_proxy(c, writer);
    }
  }
  if (a.write) {
    judge_reader(c, cell.first, false);
    judge_readers(c, cell);
    judge_reader(c, extra_of(c.row, cell), true);
  } else if (const Slot extra = extra_of(c.row, cell); extra && !is_flight(extra) && conflicts(c, extra)) {
    report_race(c, extra, true);
  }

  if (a.flight && !a.update) {
    const Slot mark = (*a.flight)->slot();
    if (a.write) {
      forget_readers(c.row, cell);
      cell = {mark, 0, 0, 0};
    } else if (!is_flight(cell.first) || !flight_of(cell.first)) {
      if (!stale(c, cell.first) && !is_flight(cell.first)) add_reader(c.row, cell, cell.first);
      cell.first = mark;
    } else if (cell.first != mark) {
      add_flight(c.row, cell, mark);
    }
    return;
  }
  if (!a.write) {
    if (replaces_first(c, cell.first))
      cell.first = c.mine;
    else
      add_reader(c.row, cell, c.mine);
    return;
  }
  // Whoever is after this write is after what the thread did before.
  if (same_thread(cell.first, c.mine) && (!is_strong(a.how) || is_strong(how_of(cell.first)))) cell.first = 0;
  Slot& extra = extra_of(c.row, cell);
  if (is_strong(a.how) && !is_flight(extra)) {
    const bool strong_before = is_strong(how_of(writer));
    if (!strong_before && writer >= c.row.lower && !is_flight(writer))
      extra = writer;  // who races with that need not race with this
    else if (a.both && !a.update && is_strong(how_of(extra)))
      extra = 0;  // it has observed what was written atomically before
    else if ((!a.both || a.update) && strong_before && writer_open && stale(c, extra))
      extra = writer;
  }
  cell.written = a.update ? a.update : c.mine;
}

void judge_initialised_shared(const Case& c) {
  const Access& a = c.access;
  bool found = false;
  each_cell(c.row, a.address, a.size, false, [&](Cell& cell, std::uintptr_t) {
    found |= cell.written < c.row.lower && extra_of(c.row, cell) < c.row.lower;
  });
  if (!found || !seen_first("uninitialised-read", c.mine, 0)) return;
  describe("shared memory is read that no thread of the block has written",
           "write it first; shared memory does not begin as zeros", side_of(c));
}

void judge_shared(const Access& access, const Row& row) {
  const ThreadState& thread = *now.thread;
  const Case c{access, thread, row,
               now.me | static_cast<Slot>(static_cast<unsigned char>(access.how)) << kKindShift | access.place};
  require_aligned(c);
  const bool visits = row.block != thread.block && !access.flight;
  if (visits && !judge_begun(c) && row.block->variables.empty()) return;
  if (!inside_variable(c)) return;
  if (visits) judge_visit(c);
  if (!access.write || (access.both && !access.replaces)) judge_initialised_shared(c);
  each_cell(row, access.address, access.size, access.write, [&](Cell& cell, std::uintptr_t) { judge_cell(c, cell); });
}

void judge_global(const Access& access) {
  const ThreadState& thread = *now.thread;
  const Slot mine = now.me | static_cast<Slot>(static_cast<unsigned char>(access.how)) << kKindShift | access.place;
  Row row = row_of(access.address);
  const Case whole{access, thread, row, mine};
  require_aligned(whole);
  Extent* region = region_of(access.address, access.size);
  if (!region) {
    std::uintptr_t begin = 0, end = 0;
    const Foreign foreign = foreign_memory(access.address, access.size, begin, end);
    if (foreign == Foreign::ignored || (foreign == Foreign::constant && !access.write)) {
      if (Spot& spot = spot_of(access.pc); access.pc && spot.pc == access.pc)
        spot.begin = begin, spot.size = end - begin, spot.cells = nullptr;
      return;
    }
    if (foreign == Foreign::constant) {
      if (seen_first("const-write", mine, 0))
        describe("read-only memory is written", "write to a buffer of the device instead", side_of(whole));
      end_with_it();
    }
    if (foreign == Foreign::none && (any_regions() || former_region_of(access.address))) end_outside(whole);
  } else if (access.write && !region->writable) {
    if (seen_first("const-write", mine, 0)) {
      describe("`" + region->name + "` is an input, and is written",
               "write results to an output, or declare the argument as one that is changed", side_of(whole));
      describe_place("passed", {region->made, nullptr}, "`" + region->name + "`");
    }
    end_with_it();
  }
  if (region && region->careful) {
    const bool reads = !access.write || (access.both && !access.replaces);
    if (reads && first_unwritten(*region, access.address, access.size) < access.size &&
        seen_first("uninitialised-read", mine, 0)) {
      describe("global memory is read that nobody has written: `" + region->name + "`",
               "fill the buffer before the launch (cudaMemset, cudaMemcpy), or write it in the kernel first",
               side_of(whole));
      describe_place("allocated", {region->made, nullptr}, "`" + region->name + "`, " + bytes_text(region->size));
    }
    if (access.write) mark_written(*region, access.address, access.size);
  }
  for (std::uintptr_t at = access.address; at < access.address + access.size;) {
    const std::size_t bytes = std::min(access.address + access.size, row.base + row.size) - at;
    const Case part{access, thread, row, mine};
    each_cell(row, at, bytes, access.write, [&](Cell& cell, std::uintptr_t) { judge_cell(part, cell); });
    if ((at += bytes) < access.address + access.size) row = row_of(at);
  }
  // The next access of this instruction takes the short way if it is to the same region and chunk.
  if (!access.pc || access.how != How::plain) return;
  Spot& spot = spot_of(access.pc);
  if (spot.pc != access.pc) return;
  const Row last = row_of(access.address);
  const std::uintptr_t low = region ? std::max(region->begin, last.base) : last.base;
  const std::uintptr_t high = region ? std::min(region->end(), last.base + last.size) : last.base + last.size;
  if (!region && any_regions()) return;
  if (low % 4 || low >= high) return;
  spot.begin = low;
  spot.size = high - low;
  spot.cells = last.cells->words() + (low - last.base) / 4;
  spot.bytes = last.cells->bytes_if_any() ? last.cells->bytes_if_any() + (low - last.base) : nullptr;
  spot.before = region && region->careful ? 0 : now.launch_lo;
}

}  // namespace

bool stores_pending() { return store_count != 0; }

void settle_stores(bool all) {
  unsigned kept = 0;
  for (unsigned i = 0; i < store_count; ++i) {
    Store& store = stores[i];
    if (!all && --store.wait) {
      stores[kept++] = store;
      continue;
    }
    if (std::memcmp(store.before, reinterpret_cast<const void*>(store.address), store.size) == 0) continue;
    const Access access{store.address, store.size, true};
    const Row row = row_of(store.address);
    report_race({access, *now.thread, row, store.mine}, store.earlier, true);
  }
  store_count = kept;
}

Row row_of(std::uintptr_t address) {
  BlockState* block = now.thread->block;
  if (address - block->window >= WindowShadow::kBytes) block = block->unit->of_window(address);
  if (block) return {block->shadow.get(), block->window, WindowShadow::kBytes, now.unit_lo, block};
  return {&chunk_of(address), address / kChunk * kChunk, kChunk, now.launch_lo, nullptr};
}

Row row_of(const UnitState& unit, std::uintptr_t address) {
  const Slot lower = Slot{unit.first} << kBlockShift;
  if (BlockState* block = unit.of_window(address))
    return {block->shadow.get(), block->window, WindowShadow::kBytes, lower, block};
  return {&chunk_of(address), address / kChunk * kChunk, kChunk, lower, nullptr};
}

void judge(const Access& access) {
  if (!now.thread || !access.size) return;
  const BlockState& own = *now.thread->block;
  BlockState* block =
      access.address - own.window < WindowShadow::kBytes ? now.thread->block : own.unit->of_window(access.address);
  if (block)
    return judge_shared(access, {block->shadow.get(), block->window, WindowShadow::kBytes, now.unit_lo, block});
  if (judge_own_stack(access)) return;
  // Far over the end of a window nothing is mapped: the next step would be a trap.
  const std::uintptr_t first = own.unit->blocks.front()->window;
  if (access.address - (first - kAround) < 2 * kAround + WindowShadow::kBytes * own.unit->count) {
    BlockState* nearest = now.thread->block;
    (void)inside_variable({access,
                           *now.thread,
                           {nearest->shadow.get(), nearest->window, WindowShadow::kBytes, now.unit_lo, nearest},
                           now.me | access.place});
    end_with_it();
  }
  judge_global(access);
}

void hand_over(const void* word, const Thread& to) {
  if (!now.thread || counting()) return;
  const auto address = reinterpret_cast<std::uintptr_t>(word);
  const Row row = row_of(address);
  const Slot written = row.cells->words()[(address - row.base) / 4].written;
  if (written < row.lower || written - now.lo < now.span) return;
  settle_now();
  const ThreadState& thread = *to.checked;
  const Access access{.address = address, .size = 4, .write = false, .place = place_of(to.site)};
  const Case c{access, thread, row,
               slot_of(thread.block->number, thread.tick, thread.index, How::plain, place_of(to.site))};
  each_cell(row, address, 4, false, [&](Cell& cell, std::uintptr_t) {
    if (!is_flight(cell.written) && conflicts(c, cell.written)) report_race(c, cell.written, true);
  });
}

std::string name_bytes(std::uintptr_t address, std::size_t size) {
  const std::string bytes = bytes_text(size) + " ";
  if (now.thread) {
    const BlockState& own = *now.thread->block;
    const BlockState* block =
        address - own.window < WindowShadow::kBytes ? now.thread->block : own.unit->of_window(address);
    if (block) {
      const Variable* variable = block->variable_at(address);
      if (!variable) return bytes + "of shared memory at " + std::to_string(address - block->window);
      return bytes + "of `" + variable->site->name + "` at byte " + std::to_string(address - variable->begin);
    }
  }
  if (const Extent* region = region_of(address, 1))
    return bytes + "of `" + region->name + "` at byte " + std::to_string(address - region->begin);
  return bytes + "of global memory";  // where it lies is another number in each run
}

}  // namespace spak::sim::check
