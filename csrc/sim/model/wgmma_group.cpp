// The order in which wgmmas of a warpgroup happen, and what its threads see of them. Knows nothing of descriptors.
#include "wgmma_group.h"

#include <algorithm>

#include "engine/unit.h"
#include "fragments.h"
#include "product.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace {

constexpr unsigned kTileRows = 64, kMaxColumns = 256, kMaxDepth = 32;
constexpr std::size_t kTilesKept = 8;

// Too large for the stack of whoever happens to perform a wgmma, and for static thread-local storage.
struct Operands {
  double left[kTileRows * kMaxDepth], right[kMaxDepth * kMaxColumns], sums[kTileRows * kMaxColumns];
  float total[kTileRows * kMaxColumns];
};

Operands& operands() {
  static thread_local std::unique_ptr<Operands> own;
  if (!own) own = std::make_unique<Operands>();
  return *own;
}

std::string thread_name(unsigned thread) {
  Block& block = self().owner();
  return name_of(block.thread(self().index / kGroupThreads * kGroupThreads + thread));
}

void report_touched(std::string sentence, std::string hint, std::string threads, const char* role, Site site) {
  report({"accumulator-in-flight",
          std::move(sentence),
          std::move(hint),
          {{role, {site}, std::move(threads), "accumulators of a wgmma"}}});
}

}  // namespace

bool Tile::is(std::uint32_t* const* others, unsigned columns, Accumulator accumulator) const {
  return columns == n && accumulator == type && std::equal(registers.begin(), registers.end(), others);
}

bool Tile::overlaps(const std::uint32_t* others, unsigned others_count) const {
  const auto mine = reinterpret_cast<std::uintptr_t>(registers[0]), theirs = reinterpret_cast<std::uintptr_t>(others);
  return mine < theirs + 4 * others_count && theirs < mine + 4 * count();
}

// f(register, index of its value, second of a pair?) for all elements of the warp's 16 rows.
template <typename F>
void Tile::each(unsigned warp, F f) const {
  const bool pairs = type == Accumulator::f16;
  for (unsigned lane = 0; lane < 32; ++lane) {
    std::uint32_t* const from = registers[32 * warp + lane];
    for (unsigned half = 0; half < 2; ++half) {
      const std::size_t row = (16 * warp + fragment_row(lane, half)) * n + 2 * (lane % 4);
      for (unsigned block = 0; block < n / 8; ++block) {
        const std::size_t at = row + 8 * block;
        if (pairs) {
          f(from[2 * block + half], at, false);
          f(from[2 * block + half], at + 1, true);
        } else {
          f(from[4 * block + 2 * half], at, false);
          f(from[4 * block + 2 * half + 1], at + 1, false);
        }
      }
    }
  }
}

void Tile::collect(unsigned warp) {
  if (type == Accumulator::f16)
    each(warp,
         [this](std::uint32_t& from, std::size_t at, bool high) { values[at] = high ? from >> 16 : from & 0xFFFFu; });
  else
    each(warp, [this](std::uint32_t& from, std::size_t at, bool) { values[at] = from; });
}

bool Tile::differs(unsigned warp) const {
  bool different = false;
  each(warp, [&](std::uint32_t& from, std::size_t at, bool high) {
    different |= values[at] != (type == Accumulator::f16 ? (high ? from >> 16 : from & 0xFFFFu) : from);
  });
  return different;
}

void Tile::poison(unsigned warp) {
  for (unsigned lane = 0; lane < 32; ++lane) std::fill_n(registers[32 * warp + lane], count(), kPoison);
}

bool Tile::poisoned(unsigned thread) const {
  return std::all_of(registers[thread], registers[thread] + count(),
                     [](std::uint32_t value) { return value == kPoison; });
}

void Tile::give_back(unsigned warp) {
  if (type == Accumulator::f16)
    each(warp, [this](std::uint32_t& to, std::size_t at, bool high) {
      to = high ? (to & 0xFFFFu) | values[at] << 16 : (to & 0xFFFF0000u) | values[at];
    });
  else
    each(warp, [this](std::uint32_t& to, std::size_t at, bool) { to = values[at]; });
}

void Multiplication::perform() {
  // Those before it first, from the oldest: a chain that recursed would need a stack as long as itself.
  std::vector<OperationRef> earlier;
  for (std::shared_ptr<Multiplication> at = std::move(previous); at && !at->done; at = std::move(at->previous))
    earlier.push_back(at);
  for (auto at = earlier.rbegin(); at != earlier.rend(); ++at) finish(*at);
  multiply();
}

void Multiplication::multiply() {
  Operands& buffers = operands();
  double *const left = buffers.left, *const right = buffers.right;
  const unsigned packed = 4 / bytes_of(form.a), k = 8 * packed;
  if (from_registers) {
    for (unsigned thread = 0; thread < kGroupThreads; ++thread)
      for (unsigned r = 0; r < 4; ++r) {
        const unsigned lane = thread % 32, row = thread / 32 * 16 + fragment_row(lane, r);
        decode(form.a, &fragments[thread][r], packed, &left[row * k + packed * (lane % 4) + 4 * packed * (r / 2)]);
      }
  } else {
    a.decode(left, k, 1);
  }
  b.decode(right, 1, form.n);
  if (form.negate_a != form.negate_b)
    for (unsigned i = 0; i < kTileRows * k; ++i) left[i] = -left[i];
  const std::size_t size = std::size_t{kTileRows} * form.n;
  if (!accumulate) std::fill_n(tile->values.get(), size, 0u);
  if (form.d == Accumulator::f32) {
    std::memcpy(buffers.total, tile->values.get(), size * sizeof(float));
    product_add(left, right, kTileRows, form.n, k, buffers.total);
    std::memcpy(tile->values.get(), buffers.total, size * sizeof(float));
  } else {
    product(left, right, kTileRows, form.n, k, buffers.sums);
    for (std::size_t i = 0; i < size; ++i)
      tile->values[i] = sim::accumulate(form.d, form.saturate, tile->values[i], buffers.sums[i]);
  }
}

std::shared_ptr<Tile> Warpgroup::tile_for(const WgmmaForm& form, std::uint32_t* const* registers, Site site) {
  const unsigned count = form.d == Accumulator::f16 ? form.n / 4u : form.n / 2u;
  for (auto at = tiles.begin(); at != tiles.end();) {
    Tile& tile = **at;
    if (tile.is(registers, form.n, form.d)) return *at;
    if (!tile.overlaps(registers[0], count)) {
      ++at;
      continue;
    }
    // Other accumulators at the same place: those of a shape that is still in flight must be waited for.
    if (tile.in_flight) {
      report_touched("a wgmma changes accumulators that another wgmma of another shape, still in flight, changes too",
                     "wait for the first (wgmma_wait) before using its registers for other accumulators",
                     thread_name(0), "issues the second wgmma", site);
      for (const auto& step : issued) finish(step);
      for (unsigned warp = 0; warp < kWarps; ++warp)
        if (tile.in_flight >> warp & 1) give_back(tile, warp, site);
    }
    at = tiles.erase(at);
  }
  if (tiles.size() >= kTilesKept) {
    const auto idle = std::find_if(tiles.begin(), tiles.end(), [](const auto& tile) { return tile->in_flight == 0; });
    if (idle != tiles.end()) tiles.erase(idle);
  }
  auto tile = std::make_shared<Tile>();
  std::copy_n(registers, kGroupThreads, tile->registers.begin());
  tile->n = form.n;
  tile->type = form.d;
  tile->values = std::make_unique<std::uint32_t[]>(std::size_t{kTileRows} * form.n);
  tile->fences.fill(~std::uint64_t{0});
  tiles.push_back(tile);
  return tile;
}

// Fragments of A that were changed since a wgmma read them, without a fence.
void Warpgroup::note_fragments(const Multiplication& next, unsigned warp, Site site) {
  FragmentNote note;
  std::copy_n(next.fragments_at.begin() + 32 * warp, 32, note.at.begin());
  std::copy_n(next.fragments.begin() + 32 * warp, 32, note.values.begin());
  auto& notes = warps[warp].fragments;
  const auto old = std::find_if(notes.begin(), notes.end(), [&](const FragmentNote& one) { return one.at == note.at; });
  if (old == notes.end()) return notes.push_back(note);
  if (old->values != note.values)
    report_touched(
        "registers of A were changed after a wgmma that read them, and the next wgmma that reads them follows without "
        "a wgmma.fence",
        "call wgmma_fence() between writing fragments of A and the next wgmma", thread_name(32 * warp),
        "issues the wgmma", site);
  *old = note;
}

void Warpgroup::issue(std::shared_ptr<Multiplication> next, std::uint32_t* const* registers, Site site) {
  next->tile = tile_for(next->form, registers, site);
  Tile& tile = *next->tile;
  for (unsigned warp = 0; warp < kWarps; ++warp) {
    WarpState& state = warps[warp];
    if (!state.fenced) {
      report_touched("a wgmma without a wgmma.fence before it: the registers that it uses are not ordered before it",
                     "call wgmma_fence() before the first wgmma, and after touching accumulators or A registers",
                     thread_name(32 * warp), "issues the wgmma", site);
      state.fenced = true;
    }
    if (next->from_registers) note_fragments(*next, warp, site);
    if (tile.in_flight >> warp & 1) continue;
    if (next->accumulate && tile.fences[warp] == state.fences && tile.differs(warp))
      report_touched(
          "accumulators were changed after wgmma_wait, and the next wgmma that adds to them follows without a "
          "wgmma.fence",
          "call wgmma_fence() between touching accumulators and the next wgmma", thread_name(32 * warp),
          "issues the wgmma", site);
    if (next->accumulate) {
      // What the earlier ones of this tile made for other warps is not to be lost.
      for (const auto& step : issued)
        if (step->tile == next->tile) finish(step);
      tile.collect(warp);
    }
    tile.poison(warp);
    tile.in_flight |= 1u << warp;
  }
  next->number = count++;
  tile.last_use = next->number;
  if (!issued.empty()) next->previous = issued.back();
  issued.push_back(next);
  sim::issue(std::move(next));
}

void Warpgroup::give_back(Tile& tile, unsigned warp, Site site) {
  for (unsigned thread = 32 * warp; thread < 32 * warp + 32; ++thread)
    if (!tile.poisoned(thread)) {
      report_touched("accumulators were written while a wgmma that changes them was in flight",
                     "touch accumulators only after the wgmma_wait that covers the last wgmma on them",
                     thread_name(thread), "waits for the wgmma", site);
      break;
    }
  tile.give_back(warp);
  tile.in_flight &= ~(1u << warp);
  tile.fences[warp] = warps[warp].fences;
}

void Warpgroup::wait(unsigned warp, std::size_t pending, Site site) {
  WarpState& state = warps[warp];
  state.landed.clear();
  state.given_back.clear();
  if (state.groups.size() <= pending) return;
  const std::size_t complete = state.groups.size() - pending;
  const std::uint64_t end = state.groups[complete - 1];
  state.groups.erase(state.groups.begin(), state.groups.begin() + static_cast<std::ptrdiff_t>(complete));
  for (const auto& step : issued) {
    if (step->number >= end) break;
    finish(step);
    if (step->number >= state.waited && step->reads) state.landed.push_back(step);
  }
  state.waited = end;
  for (const auto& tile : tiles)
    if ((tile->in_flight >> warp & 1) && tile->last_use < end) {
      give_back(*tile, warp, site);
      if (!tile->flights.empty()) state.given_back.push_back(tile);
    }
  std::uint64_t all = end;
  for (const WarpState& other : warps) all = std::min(all, other.waited);
  while (!issued.empty() && issued.front()->number < all) issued.pop_front();
}

}  // namespace spak::sim
#pragma GCC visibility pop
