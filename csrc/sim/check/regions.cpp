// Regions by address. Live ones may overlap, since a launcher's inputs may; what is freed is remembered until it is given out
// again.
#include "check/regions.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "check/check.h"
#include "check/places.h"

namespace spak::sim {

namespace check {

namespace {

struct All {
  std::recursive_mutex mutex;
  std::multimap<std::uintptr_t, std::unique_ptr<Extent>> live;
  std::vector<Extent> gone;  // oldest first
  std::size_t longest = 0;
};
All& all() {
  static All regions;
  return regions;
}

void set(Extent& region, std::size_t from, std::size_t to) {
  for (; from < to && from % 64; ++from) region.bytes[from / 64] |= std::uint64_t{1} << from % 64;
  for (; from + 64 <= to; from += 64) region.bytes[from / 64] = ~std::uint64_t{0};
  for (; from < to; ++from) region.bytes[from / 64] |= std::uint64_t{1} << from % 64;
}

// Calls `act` with every live region that overlaps the bytes.
template <typename Act>
void overlapping(std::uintptr_t begin, std::size_t size, Act act) {
  All& regions = all();
  auto at = regions.live.lower_bound(begin > regions.longest ? begin - regions.longest : 0);
  for (; at != regions.live.end() && at->first < begin + size; ++at)
    if (at->second->end() > begin) act(*at->second);
}

}  // namespace

bool any_regions() { return !all().live.empty(); }

Extent* region_of(std::uintptr_t address, std::size_t size) {
  Extent* found = nullptr;
  overlapping(address, size ? size : 1, [&](Extent& region) {
    if (region.holds(address, size) && (!found || (region.writable && !found->writable))) found = &region;
  });
  return found;
}

const Extent* former_region_of(std::uintptr_t address) {
  const std::vector<Extent>& gone = all().gone;
  for (auto at = gone.rbegin(); at != gone.rend(); ++at)
    if (at->holds(address, 1)) return &*at;
  return nullptr;
}

const Extent* nearest_region(std::uintptr_t address) {
  const Extent* nearest = nullptr;
  std::uintptr_t least = ~std::uintptr_t{0};
  for (const auto& [begin, region] : all().live) {
    const std::uintptr_t distance = address < begin           ? begin - address
                                    : address < region->end() ? 0
                                                              : address - region->end() + 1;
    if (distance < least) least = distance, nearest = region.get();
  }
  return nearest;
}

std::size_t first_unwritten(const Extent& region, std::uintptr_t address, std::size_t size) {
  if (!region.careful) return size;
  const std::size_t from = address - region.begin;
  for (std::size_t i = 0; i < size; ++i)
    if (!(region.bytes[(from + i) / 64] >> (from + i) % 64 & 1)) return i;
  return size;
}

void mark_written(Extent& region, std::uintptr_t address, std::size_t size) {
  if (region.careful) set(region, address - region.begin, address - region.begin + size);
}

}  // namespace check

void add_region(const Region& region, Site site) {
  using namespace check;
  All& regions = all();
  const std::lock_guard lock(regions.mutex);
  const auto begin = reinterpret_cast<std::uintptr_t>(region.begin);
  auto extent = std::make_unique<Extent>(Extent{region.name ? region.name : "memory",
                                                begin,
                                                region.size,
                                                region.writable,
                                                !region.initialised,
                                                {},
                                                site,
                                                {nullptr, 0}});
  if (extent->careful) extent->bytes.resize((region.size + 63) / 64);
  std::erase_if(regions.gone, [&](const Extent& old) { return old.begin < begin + region.size && begin < old.end(); });
  regions.longest = std::max(regions.longest, region.size);
  regions.live.emplace(begin, std::move(extent));
  forget_memory();
}

void remove_region(void* begin, Site site) {
  using namespace check;
  All& regions = all();
  const std::lock_guard lock(regions.mutex);
  const auto at = regions.live.find(reinterpret_cast<std::uintptr_t>(begin));
  if (at == regions.live.end()) return;
  Extent gone = std::move(*at->second);
  regions.live.erase(at);
  gone.bytes.clear();
  gone.gone = site;
  if (regions.gone.size() >= 1024) regions.gone.erase(regions.gone.begin());
  regions.gone.push_back(std::move(gone));
  forget_memory();
}

void initialised(const void* begin, std::size_t size) {
  using namespace check;
  const std::lock_guard lock(all().mutex);
  const auto from = reinterpret_cast<std::uintptr_t>(begin);
  overlapping(from, size, [&](Extent& region) {
    if (!region.careful) return;
    const std::uintptr_t low = std::max(from, region.begin), high = std::min(from + size, region.end());
    set(region, low - region.begin, high - region.begin);
  });
}

void copied(void* to, const void* from, std::size_t size) {
  using namespace check;
  const std::lock_guard lock(all().mutex);
  const auto source = reinterpret_cast<std::uintptr_t>(from), target = reinterpret_cast<std::uintptr_t>(to);
  const Extent* origin = region_of(source, size);
  Extent* copy = region_of(target, size);
  if (!copy || !copy->careful) return;
  if (!origin || !origin->careful) return set(*copy, target - copy->begin, target - copy->begin + size);
  std::vector<bool> written(size);  // the two may overlap
  for (std::size_t i = 0; i < size; ++i) written[i] = first_unwritten(*origin, source + i, 1) == 1;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t at = target + i - copy->begin;
    const std::uint64_t bit = std::uint64_t{1} << at % 64;
    copy->bytes[at / 64] = written[i] ? copy->bytes[at / 64] | bit : copy->bytes[at / 64] & ~bit;
  }
}

Regions::Regions(std::initializer_list<Region> regions) : begins_(new void*[regions.size()]), count_(0) {
  for (const Region& region : regions) {
    if (!region.size) continue;
    add_region(region, {nullptr, 0});  // a buffer of a call: the launcher is no place to show
    begins_[count_++] = region.begin;
  }
}

Regions::~Regions() {
  for (std::size_t i = 0; i < count_; ++i) remove_region(begins_[i]);
  delete[] begins_;
}

}  // namespace spak::sim
