// Static variables grow upwards from the start of the arena; dynamic shared memory ends just before guard pages, so that
// even a far overflow is seen. Knows nothing of which thread wrote where.
#include "arena.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace spak::sim {

namespace {

constexpr std::size_t kStaticBytes = 256 << 10;
constexpr std::size_t kDynamicBytes = 256 << 10;
constexpr std::size_t kGuardBytes = 4 << 20;  // on either side: an index that is off by a whole tile must hit it
constexpr std::size_t kZone = 64;
// A NaN as f16, bf16, f32 and f64 at once, and unlike the poison: reads past the end show, and so do writes.
constexpr std::uint16_t kZoneWord = 0x7FFD;

void fill_zone(char* begin, char* end) {
  for (char* place = begin; place < end; ++place)
    *place = static_cast<char>(reinterpret_cast<std::uintptr_t>(place) & 1 ? kZoneWord >> 8 : kZoneWord & 0xFF);
}

const char* first_damage(const char* begin, const char* end) {
  for (const char* place = begin; place < end; ++place)
    if (*place != static_cast<char>(reinterpret_cast<std::uintptr_t>(place) & 1 ? kZoneWord >> 8 : kZoneWord & 0xFF))
      return place;
  return nullptr;
}

char* align_up(char* address, std::size_t align) {
  return reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(address) + align - 1) / align * align);
}

std::string place_of(const SharedSite& site) { return std::string(site.site.file) + ":" + std::to_string(site.site.line); }

}  // namespace

Arena::Arena() {
  constexpr std::size_t kUsed = kStaticBytes + kDynamicBytes;
  void* mapped = mmap(nullptr, kUsed + 2 * kGuardBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<char*>(mapped) + kGuardBytes;
  dynamic_end_ = memory_ + kUsed;
  if (mprotect(memory_, kUsed, PROT_READ | PROT_WRITE) == 0) return;
  munmap(mapped, kUsed + 2 * kGuardBytes);
  throw std::bad_alloc();
}

Arena::~Arena() { munmap(memory_ - kGuardBytes, kStaticBytes + kDynamicBytes + 2 * kGuardBytes); }

void Arena::begin(std::size_t dynamic_size) {
  variables_.clear();
  next_ = memory_ + kZone;
  static_size_ = 0;
  dynamic_size_ = dynamic_size;
  dynamic_begin_ = nullptr;
  dynamic_site_ = nullptr;
}

void* Arena::variable(const SharedSite& site, std::size_t size, std::size_t align) {
  for (const Variable& known : variables_)
    if (known.site == &site) return known.begin;
  static_size_ += size;
  if (static_size_ > kStaticLimit)
    fail("bad-launch", "static shared memory exceeds 48 KB a block: use dynamic shared memory", site.site);
  if (static_size_ + dynamic_size_ > kTotalLimit)
    fail("bad-launch", "static and dynamic shared memory together exceed 232448 bytes a block", site.site);
  if (align > 4096) fail("bad-launch", "shared memory cannot be aligned to more than 4096 bytes", site.site);
  // Aligned to what was declared and to no more: code that needs 16 bytes and does not say so must show it.
  char* begin = align_up(next_ + kZone, align);
  if (reinterpret_cast<std::uintptr_t>(begin) % (2 * align) == 0) begin += align;
  char* zone_end = begin + size + kZone;
  if (zone_end + kZone > memory_ + kStaticBytes) fail("bad-launch", "too many shared variables", site.site);
  fill_zone(next_, begin);
  std::memset(begin, 0xFF, size);
  fill_zone(begin + size, zone_end);
  next_ = zone_end;
  variables_.push_back({&site, begin, size, zone_end});
  return begin;
}

void* Arena::dynamic(const SharedSite& site, std::size_t align) {
  if (dynamic_begin_) {
    if (align > dynamic_align_ && reinterpret_cast<std::uintptr_t>(dynamic_begin_) % align != 0)
      fail("misaligned", "dynamic shared memory was first used with a smaller alignment: declare it alike everywhere", site.site);
    return dynamic_begin_;
  }
  if (align > 4096) fail("bad-launch", "shared memory cannot be aligned to more than 4096 bytes", site.site);
  char* begin = dynamic_end_ - dynamic_size_ - kZone;
  begin -= reinterpret_cast<std::uintptr_t>(begin) % align;
  if (reinterpret_cast<std::uintptr_t>(begin) % (2 * align) == 0) begin -= align;
  fill_zone(begin - kZone, begin);
  std::memset(begin, 0xFF, dynamic_size_);
  fill_zone(begin + dynamic_size_, dynamic_end_);
  dynamic_begin_ = begin;
  dynamic_align_ = align;
  dynamic_site_ = &site;
  return begin;
}

std::string Arena::damage() const {
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const Variable& variable = variables_[i];
    const char* zone_begin = i == 0 ? memory_ + kZone : variables_[i - 1].zone_end;
    if (const char* place = first_damage(zone_begin, variable.begin))
      return std::to_string(variable.begin - place) + " bytes before the start of shared variable `" + variable.site->name +
             "` (" + place_of(*variable.site) + ") were written";
    if (const char* place = first_damage(variable.begin + variable.size, variable.zone_end))
      return "byte " + std::to_string(place - variable.begin) + " of shared variable `" + variable.site->name + "` (" +
             place_of(*variable.site) + ") was written, but it has " + std::to_string(variable.size) + " bytes";
  }
  if (!dynamic_begin_) return "";
  if (const char* place = first_damage(dynamic_begin_ - kZone, dynamic_begin_))
    return std::to_string(dynamic_begin_ - place) + " bytes before the start of dynamic shared memory `" + dynamic_site_->name +
           "` (" + place_of(*dynamic_site_) + ") were written";
  if (const char* place = first_damage(dynamic_begin_ + dynamic_size_, dynamic_end_)) {
    return "byte " + std::to_string(place - dynamic_begin_) + " of dynamic shared memory `" + dynamic_site_->name + "` (" +
           place_of(*dynamic_site_) + ") was written, but the launch asked for " + std::to_string(dynamic_size_) + " bytes";
  }
  return "";
}

}  // namespace spak::sim
