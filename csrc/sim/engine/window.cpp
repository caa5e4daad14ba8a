// Static variables grow upwards from the start of the window; dynamic shared memory ends at its end, where guard pages
// follow, so that even a far overflow is seen. Knows nothing of which thread wrote where.
#include "window.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "check/check.h"
#include "sanitizer.h"

namespace spak::sim {

namespace {

constexpr std::size_t kGuardBytes = 4 << 20;  // on either side: an index that is off by a whole tile must hit it
constexpr std::size_t kReserved = 1024;  // the first kilobyte is the system's on Hopper: address 0 is no variable's
constexpr std::size_t kZone = 64;
constexpr std::size_t kMaxAlign = 4096;
// A NaN as f16, bf16, f32 and f64 at once, and unlike the poison: reads past the end show, and so do writes.
constexpr std::uint16_t kZoneWord = 0x7FFD;

char zone_byte(const char* place) {
  return static_cast<char>(reinterpret_cast<std::uintptr_t>(place) & 1 ? kZoneWord >> 8 : kZoneWord & 0xFF);
}

void fill_zone(char* begin, char* end) {
  for (char* place = begin; place < end; ++place) *place = zone_byte(place);
  poison(begin, static_cast<std::size_t>(end - begin));
}

const char* first_damage(const char* begin, const char* end) {
  for (const char* place = begin; place < end; ++place)
    if (*place != zone_byte(place)) return place;
  return nullptr;
}

char* align_up(char* address, std::size_t align) {
  return reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(address) + align - 1) / align * align);
}

std::string place_of(const SharedSite& site) {
  return std::string(site.site.file) + ":" + std::to_string(site.site.line);
}

void require_alignment(std::size_t align, Site site) {
  if (align > kMaxAlign) fail("bad-launch", "shared memory cannot be aligned to more than 4096 bytes", site);
}

}  // namespace

Windows::~Windows() { release(); }

void Windows::release() {
  if (!count_) return;
  unpoison(memory_, count_ * Window::kSize);
  munmap(mapping_, (count_ + 1) * Window::kSize + 2 * kGuardBytes);
  count_ = 0;
}

void Windows::reserve(std::size_t count) {
  if (count <= count_) return;
  release();
  const std::size_t used = count * Window::kSize,
                    all = used + Window::kSize + 2 * kGuardBytes;  // one more, to align it
  mapping_ = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping_ == MAP_FAILED) throw std::bad_alloc();
  memory_ = align_up(static_cast<char*>(mapping_) + kGuardBytes, Window::kSize);
  if (mprotect(memory_, used, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping_, all);
    throw std::bad_alloc();
  }
  count_ = count;
}

void Window::begin(char* base, std::size_t dynamic_size, std::size_t limit, std::size_t alignment) {
  alignment_ = alignment;
  memory_ = base;
  if (!variables_.empty() || dynamic_begin_) unpoison(memory_, kSize);
  variables_.clear();
  known_.fill({});
  next_ = memory_ + kReserved;
  static_size_ = 0;
  limit_ = limit;
  dynamic_size_ = dynamic_size;
  dynamic_begin_ = nullptr;
  dynamic_site_ = nullptr;
}

void* Window::find(const SharedSite& site, std::size_t size, std::size_t align) {
  for (const Variable& variable : variables_)
    if (variable.site == &site) return (known_[slot(site)] = {&site, variable.begin}).begin;
  static_size_ += size;
  if (static_size_ > kStaticLimit)
    fail("bad-launch", "static shared memory exceeds 48 KB a block: use dynamic shared memory", site.site);
  if (static_size_ + dynamic_size_ > limit_) {
    const std::string what =
        "static and dynamic shared memory together exceed " + std::to_string(limit_) + " bytes a block";
    fail("bad-launch", what.c_str(), site.site);
  }
  require_alignment(align, site.site);
  // Aligned to what was declared and to no more: code that needs 16 bytes and does not say so must show it.
  const bool generous = alignment_ > 1 && size % alignment_ == 0;
  if (generous) align = std::max(align, alignment_);
  char* begin = align_up(next_ + kZone, align);
  if (!generous && reinterpret_cast<std::uintptr_t>(begin) % (2 * align) == 0) begin += align;
  char* zone_end = align_up(begin + size + kZone, 8);
  const char* const dynamic_from =
      dynamic_begin_ ? dynamic_begin_ - kZone : memory_ + kSize - dynamic_size_ - (dynamic_size_ ? 2 * kMaxAlign : 0);
  if (zone_end > dynamic_from) fail("bad-launch", "too many shared variables", site.site);
  fill_zone(next_, begin);
  std::memset(begin, 0xFF, size);
  fill_zone(begin + size, zone_end);
  next_ = zone_end;
  variables_.push_back({&site, begin, size, zone_end});
  known_[slot(site)] = {&site, begin};
  if (check::on()) check::shared_variable(site, begin, size);
  return begin;
}

void* Window::dynamic(const SharedSite& site, std::size_t align) {
  if (dynamic_begin_) {
    if (align > dynamic_align_ && reinterpret_cast<std::uintptr_t>(dynamic_begin_) % align != 0)
      fail("misaligned", "dynamic shared memory was first used with a smaller alignment: declare it alike everywhere",
           site.site);
    return dynamic_begin_;
  }
  require_alignment(align, site.site);
  char* const end = memory_ + kSize;
  char* begin = end - dynamic_size_ - kZone;
  begin -= reinterpret_cast<std::uintptr_t>(begin) % align;
  if (reinterpret_cast<std::uintptr_t>(begin) % (2 * align) == 0) begin -= align;
  fill_zone(begin - kZone, begin);
  std::memset(begin, 0xFF, dynamic_size_);
  fill_zone(begin + dynamic_size_, end);
  dynamic_begin_ = begin;
  dynamic_align_ = align;
  dynamic_site_ = &site;
  if (check::on()) check::shared_variable(site, begin, dynamic_size_);
  return begin;
}

const Window::Variable* Window::variable_at(const void* address) const {
  for (const Variable& variable : variables_)
    if (address >= variable.begin - kZone && address < variable.zone_end) return &variable;
  return nullptr;
}

Window::Damage Window::damage() const {
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const Variable& variable = variables_[i];
    const char* zone_begin = i == 0 ? memory_ + kReserved : variables_[i - 1].zone_end;
    const std::string name =
        "shared variable `" + std::string(variable.site->name) + "` (" + place_of(*variable.site) + ")";
    if (const char* place = first_damage(zone_begin, variable.begin))
      return {std::to_string(variable.begin - place) + " bytes before the start of " + name + " were written",
              variable.site->site};
    if (const char* place = first_damage(variable.begin + variable.size, variable.zone_end))
      return {"byte " + std::to_string(place - variable.begin) + " of " + name + " was written, but it has " +
                  std::to_string(variable.size) + " bytes",
              variable.site->site};
  }
  if (!dynamic_begin_) return {};
  const std::string name =
      "dynamic shared memory `" + std::string(dynamic_site_->name) + "` (" + place_of(*dynamic_site_) + ")";
  if (const char* place = first_damage(dynamic_begin_ - kZone, dynamic_begin_))
    return {std::to_string(dynamic_begin_ - place) + " bytes before the start of " + name + " were written",
            dynamic_site_->site};
  if (const char* place = first_damage(dynamic_begin_ + dynamic_size_, memory_ + kSize))
    return {"byte " + std::to_string(place - dynamic_begin_) + " of " + name +
                " was written, but the launch asked for " + std::to_string(dynamic_size_) + " bytes",
            dynamic_site_->site};
  return {};
}

}  // namespace spak::sim
