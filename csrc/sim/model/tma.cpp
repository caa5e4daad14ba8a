// Copies of a tensor's box (PTX ISA, cp.async.bulk.tensor in box mode): which elements, where they lie, what fills the rest.
// Knows nothing of how copies complete.
#include "spak/sim/model/tma.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/caller.h"
#include "model/copy.h"
#include "model/map.h"
#include "model/reduce.h"
#include "model/wgmma_operand.h"
#include "profile/profile.h"

namespace spak::sim {

namespace {

// A box at its coordinates. Rows are its lines along dimension 0.
struct Box {
  TensorMap map;
  int at[5] = {};

  std::uint32_t element_bytes() const { return static_cast<std::uint32_t>(size_of(map.element())); }
  std::uint32_t row_bytes() const { return map.box[0] * element_bytes(); }
  std::uint32_t rows() const {
    std::uint32_t n = 1;
    for (unsigned i = 1; i < map.rank; ++i) n *= map.count(i);
    return n;
  }
  std::uint32_t bytes() const { return rows() * row_bytes(); }

  // visit(offset of the row in the box without swizzle, global address of the first byte that is inside, how many bytes lie
  // before it in the row, how many are inside).
  template <typename Visit>
  void each_row(Visit visit) const {
    const std::int64_t first = std::clamp<std::int64_t>(-std::int64_t{at[0]}, 0, map.box[0]);
    const std::int64_t last = std::clamp<std::int64_t>(static_cast<std::int64_t>(map.dim(0)) - at[0], 0, map.box[0]);
    const std::uint32_t n = rows(), row = row_bytes(), size = element_bytes();
    const auto lead = static_cast<std::uint32_t>(first) * size;
    for (std::uint32_t r = 0; r < n; ++r) {
      std::uint32_t rest = r;
      char* address = map.base + (std::int64_t{at[0]} + first) * size;
      bool inside = last > first;
      for (unsigned i = 1; i < map.rank; ++i) {
        const std::int64_t x = std::int64_t{at[i]} + std::int64_t{rest % map.count(i)} * map.step[i];
        rest /= map.count(i);
        inside = inside && x >= 0 && x < static_cast<std::int64_t>(map.dim(i));
        address += x * static_cast<std::int64_t>(map.strides[i - 1]);
      }
      visit(r * row, address, lead, inside ? static_cast<std::uint32_t>(last - first) * size : 0u);
    }
  }

  // Where 16 bytes of the box lie: the address in shared memory is what is swizzled. `base` is the box's offset in the window.
  std::uint32_t place(std::uint32_t base, std::uint32_t offset) const {
    if (!map.swizzle) return offset;
    const std::uint32_t absolute = base + offset;
    return (absolute ^ (absolute >> 3 & ((16u << map.swizzle) - 16u))) - base;
  }
};

void fill(char* to, std::size_t bytes, const TensorMap& map) {
  if (!map.fill_nan) return static_cast<void>(std::memset(to, 0, bytes));
  const std::size_t size = size_of(map.element());  // a quiet NaN: all ones but for the sign
  std::memset(to, 0xFF, bytes);
  for (std::size_t i = size - 1; i < bytes; i += size) to[i] = 0x7F;
}

void flush(char* row, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 4) {
    std::uint32_t bits;
    std::memcpy(&bits, row + i, 4);
    if (!(bits & 0x7F800000u)) bits &= 0x80000000u;
    std::memcpy(row + i, &bits, 4);
  }
}

struct BoxLoad final : Load {
  void move() override {
    alignas(16) char row[256 * 8];
    const std::uint32_t width = box.row_bytes();
    box.each_row([&](std::uint32_t offset, const char* global, std::uint32_t lead, std::uint32_t inside) {
      const char* from = global;
      if (inside < width || box.map.flush) {
        if (inside < width) fill(row, width, box.map);
        if (inside) std::memcpy(row + lead, global, inside);
        if (box.map.flush) flush(row, width);
        from = row;
      }
      if (!box.map.swizzle) return static_cast<void>(std::memcpy(to + offset, from, width));
      for (std::uint32_t i = 0; i < width; i += 16) std::memcpy(to + box.place(base, offset + i), from + i, 16);
    });
    constexpr unsigned modes[] = {0, 3, 2, 1};  // of a descriptor of wgmma
    into->states().get<SwizzleNotes>().note(into->window().base(), base, box.bytes(), modes[box.map.swizzle]);
  }
  Box box;
  char* to = nullptr;
  std::uint32_t base = 0;
};

struct BoxStore final : Store {
  void move(const char* source) override {
    alignas(16) char row[256 * 8];
    const std::uint32_t width = box.row_bytes();
    box.each_row([&](std::uint32_t offset, char* global, std::uint32_t lead, std::uint32_t inside) {
      if (!inside) return;
      for (std::uint32_t i = 0; i < width; i += 16) std::memcpy(row + i, source + box.place(base, offset + i), 16);
      if (combines)
        reduce(reduction, box.map.element(), global, row + lead, inside / box.element_bytes());
      else
        std::memcpy(global, row + lead, inside);
    });
  }
  Box box;
  std::uint32_t base = 0;
  bool combines = false;
  Reduction reduction = Reduction::add;
};

Box box_at(const void* map, int rank, const int* coordinates, const char* what, Site site) {
  Box box;
  std::memcpy(&box.map, map, sizeof box.map);
  const auto refuse = [&](const char* rule, const std::string& sentence, const char* hint) {
    stop(finding(rule, sentence, hint, "calls", site));
  };
  if (reinterpret_cast<std::uintptr_t>(map) % 64)
    refuse("bad-tensor-map", std::string("the tensor map of ") + what + " is not aligned to 64 bytes",
           "pass it as `const __grid_constant__ CUtensorMap`");
  if (box.map.magic != TensorMap::kMagic || box.map.check != box.map.digest())
    refuse("bad-tensor-map", std::string(what) + " with 128 bytes that are no tensor map",
           "encode it on the host and pass it as `const __grid_constant__ CUtensorMap`");
  if (box.map.rank != rank)
    refuse("bad-tensor-map",
           std::string(what) + " with " + std::to_string(rank) + (rank == 1 ? " coordinate" : " coordinates") +
               " of a tensor map of rank " + std::to_string(box.map.rank),
           "pass as many coordinates as the map has dimensions, innermost first");
  std::copy_n(coordinates, rank, box.at);
  if (box.map.swizzle && box.row_bytes() != 16u << box.map.swizzle)
    refuse("unsupported",
           std::string(what) + " of a box whose rows have " + std::to_string(box.row_bytes()) +
               " bytes, with a swizzle of " + std::to_string(16u << box.map.swizzle) +
               ": the simulator models rows as wide as the swizzle",
           "choose the swizzle that is as wide as the box's inner dimension");
  return box;
}

// The box in shared memory: inside it, and at a multiple of what the swizzle needs.
void check_box(const Box& box, const Block& block, const void* shared, const char* what, Site site) {
  const auto base = static_cast<std::uint32_t>(static_cast<const char*>(shared) - block.window().base());
  require_multiple(
      base, 128,
      [&] { return std::string("the shared memory of ") + what + ", " + name_of_shared(block, shared) + ","; },
      "declare it with __align__(128), or __align__(1024) for a 128-byte swizzle", site);
  if (base + box.bytes() > kWindow)
    stop(finding("out-of-bounds",
                 std::string(what) + " of " + std::to_string(box.bytes()) + " bytes at " +
                     name_of_shared(block, shared) + " leaves shared memory",
                 "check the box of the tensor map", "calls", site));
  const std::uint32_t pattern = box.map.swizzle ? 128u << box.map.swizzle : 128u;
  if (base % pattern)
    report(finding("misaligned",
                   std::string("the shared memory of ") + what + ", " + name_of_shared(block, shared) +
                       ", is not a multiple of " + std::to_string(pattern) + " bytes: a " +
                       std::to_string(16u << box.map.swizzle) + "-byte swizzle is shifted against the tile",
                   "declare it with __align__(1024), and keep stages multiples of that", "calls", site));
}

// One copy into one block; `shared` and `bar` lie there.
std::shared_ptr<BoxLoad> load(const Box& box, Block& into, void* shared, std::uint64_t* bar, const char* what,
                              Site site) {
  check_box(box, into, shared, what, site);
  auto copy = std::make_shared<BoxLoad>();
  copy->what = "TMA load";
  copy->into = &into;
  copy->barrier = mbarrier_for_copy(bar, what, site);
  copy->bytes = box.bytes();
  copy->box = box;
  copy->to = static_cast<char*>(shared);
  copy->base = static_cast<std::uint32_t>(copy->to - into.window().base());
  if (check::on()) {
    copy->flight = check::depart("TMA load", check::Proxy::async, site);
    box.each_row([&](std::uint32_t, const char* global, std::uint32_t, std::uint32_t inside) {
      if (inside) check::will_read(copy->flight, global, inside);
    });
    check::will_write(copy->flight, shared, box.bytes());
  }
  return copy;
}

// A bad address traps at the call, not where the copy is performed.
void touch_rows(const Box& box) {
  box.each_row([](std::uint32_t, const char* global, std::uint32_t, std::uint32_t inside) { touch(global, inside); });
}

void store(const void* map, const void* shared, int rank, const int* coordinates, const Reduction* reduction,
           const char* what, Site site) {
  caller(site);
  const Box box = box_at(map, rank, coordinates, what, site);
  if (reduction && !has_reduction(*reduction, box.map.element()))
    stop(finding("bad-argument",
                 std::string("a TMA reduction cannot ") + name_of(*reduction) + " elements of type " +
                     name_of(box.map.element()),
                 "see the table of cp.reduce.async.bulk.tensor in the PTX ISA", "calls", site));
  const Block& own = own_shared(shared, (std::string("the source of ") + what).c_str(), site);
  check_box(box, own, shared, what, site);
  auto copy = std::make_shared<BoxStore>();
  copy->what = reduction ? "TMA reduction" : "TMA store";
  copy->shared = static_cast<const char*>(shared);
  copy->bytes = box.bytes();
  copy->box = box;
  copy->base = static_cast<std::uint32_t>(copy->shared - own.window().base());
  if (reduction) copy->combines = true, copy->reduction = *reduction;
  if (check::on()) {
    copy->flight = check::depart(copy->what, check::Proxy::async, site);
    check::will_read(copy->flight, shared, box.bytes());
    box.each_row([&](std::uint32_t, char* global, std::uint32_t, std::uint32_t inside) {
      if (!inside) return;
      if (reduction)
        check::will_update(copy->flight, global, inside);
      else
        check::will_write(copy->flight, global, inside);
    });
  }
  touch_rows(box);
  issue_store(std::move(copy), site);
}

}  // namespace

void tma_load(void* shared, const void* map, std::uint64_t* bar, int rank, const int* coordinates, Site site) {
  caller(site);
  const Box box = box_at(map, rank, coordinates, "tma_load", site);
  // A shared::cluster destination may be a peer's: then the mbarrier is that peer's too.
  Block& into = block_of_shared(shared, "the destination of tma_load", site);
  auto copy = load(box, into, shared, bar, "tma_load", site);
  touch_rows(box);
  count_copy(profile::Event::async_bytes_in, box.bytes());
  issue_load(std::move(copy), site);
}

void tma_load_multicast(void* shared, const void* map, std::uint64_t* bar, std::uint16_t mask, int rank,
                        const int* coordinates, Site site) {
  caller(site);
  const Box box = box_at(map, rank, coordinates, "tma_load_multicast", site);
  own_shared(shared, "the destination of tma_load_multicast", site);
  own_shared(bar, "the mbarrier of tma_load_multicast", site);
  touch_rows(box);
  std::vector<std::shared_ptr<BoxLoad>> copies;
  for (Block* into : destinations(mask, "tma_load_multicast", site))
    copies.push_back(load(box, *into, in_block(*into, shared), static_cast<std::uint64_t*>(in_block(*into, bar)),
                          "tma_load_multicast", site));
  for (auto& copy : copies) {
    count_copy(profile::Event::async_bytes_in, box.bytes());
    issue_load(std::move(copy), site);
  }
}

void tma_store(const void* map, const void* shared, int rank, const int* coordinates, Site site) {
  store(map, shared, rank, coordinates, nullptr, "tma_store", site);
}

void tma_reduce(Reduction reduction, const void* map, const void* shared, int rank, const int* coordinates, Site site) {
  store(map, shared, rank, coordinates, &reduction, "tma_reduce", site);
}

void tma_prefetch(const void* map, Site site) {
  caller(site);
  TensorMap made;
  std::memcpy(&made, map, sizeof made);
  if (made.magic != TensorMap::kMagic || made.check != made.digest())
    stop(finding("bad-tensor-map", "tma_prefetch of 128 bytes that are no tensor map",
                 "encode it on the host and pass it as `const __grid_constant__ CUtensorMap`", "calls", site));
}

}  // namespace spak::sim
