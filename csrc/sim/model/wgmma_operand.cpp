// The address arithmetic of wgmma's matrix descriptors. Knows nothing of products.
#include "wgmma_operand.h"

#include <bitset>

#include "engine/unit.h"
#include "spak/sim/model/wgmma.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace {

constexpr std::uint64_t kReserved = 3ull << 14 | 3ull << 30 | 7ull << 46 | 0x3FFull << 52;
const char* const kModes[] = {"no swizzle", "the 128-byte swizzle", "the 64-byte swizzle", "the 32-byte swizzle"};

std::string number(std::uint32_t value) { return std::to_string(value); }

std::uint32_t field(std::uint64_t descriptor, unsigned shift) {
  return static_cast<std::uint32_t>(descriptor >> shift & 0x3FFF) << 4;
}

[[noreturn]] void stop_at(std::string sentence, std::string hint, Site site) {
  stop({"bad-descriptor", std::move(sentence), std::move(hint), {{"issues the wgmma", {site}, name_of(self()), ""}}});
}

}  // namespace

void Operand::refuse(const char* name, const std::string& what, const char* hint, Site site) const {
  stop_at(std::string("the descriptor of wgmma's ") + name + " " + what + " (start " + number(start_) + ", leading " +
              number(leading_) + ", stride " + number(stride_) + " bytes, " + kModes[mode_] + ", " +
              (mn_major_ ? "MN-major" : "K-major") + ", " + number(rows_) + " rows)",
          hint, site);
}

std::uint32_t Operand::offset(unsigned line, unsigned chunk) const {
  const std::uint32_t within = line % 8 * 16 * span_, group = line / 8;
  if (!mn_major_) return within + group * stride_ + chunk * (mode_ ? 16 : leading_);
  if (!mode_) return within + group * leading_ + chunk * stride_;
  return within + group * stride_ + chunk % span_ * 16 + chunk / span_ * leading_;
}

// The XOR of chunk bits with row bits counts rows from the beginning of the pattern, which the base offset tells.
std::uint32_t Operand::swizzled(std::uint32_t address) const {
  return address ^ (((address >> 7) - base_) & (span_ - 1)) << 4;
}

void Operand::refuse_layout(const char* name, Site site) const {
  const std::uint32_t pattern = 128 * span_, row = 16 * span_, into = (start_ - (base_ << 7)) & (pattern - 1);
  if (into >= row)
    refuse(name,
           "begins " + number(into) + " bytes into the pattern of its swizzle, which repeats every " + number(pattern) +
               " bytes",
           "align the tile in shared memory to 1024 bytes for the 128-byte swizzle, 512 for 64, 256 for 32: "
           "__align__(1024)",
           site);
  const unsigned used = mn_major_ ? (chunks() < span_ ? chunks() : span_) : 2;
  if (into + used * 16 > row)
    refuse(name,
           "begins " + number(into) + " bytes into a row of " + number(row) + " bytes and needs " + number(used * 16) +
               " of it",
           "step along a row by at most its length: then go on in the next tile", site);
  const bool strides = mn_major_ || rows_ > 8, leadings = mn_major_ && chunks() > span_;
  if (strides && stride_ % pattern)
    refuse(name, "has a stride that is not a multiple of its swizzle's pattern of " + number(pattern) + " bytes",
           "the stride goes from 8 rows to the next 8: 8 times the row's 32, 64 or 128 bytes in a dense tile", site);
  if (leadings && leading_ % pattern)
    refuse(name,
           "has a leading offset that is not a multiple of its swizzle's pattern of " + number(pattern) + " bytes",
           "the leading offset of an MN-major operand goes from one column of swizzle patterns to the next", site);
  if (leadings && leading_ == 0)
    refuse(name, "has no leading offset, but is wider than its swizzle", "give leading_bytes", site);
}

void Operand::read(std::uint64_t descriptor, Format format, unsigned rows, bool mn_major, const char* name, Site site) {
  start_ = field(descriptor, 0);
  leading_ = field(descriptor, 16);
  stride_ = field(descriptor, 32);
  base_ = static_cast<unsigned>(descriptor >> 49 & 7);
  mode_ = static_cast<unsigned>(descriptor >> 62);
  span_ = mode_ == 0 ? 1 : 16u >> mode_;
  format_ = format;
  rows_ = rows;
  mn_major_ = mn_major;
  if (descriptor & kReserved)
    refuse(name, "has reserved bits that are not zero", "make it with wgmma_descriptor, and step with wgmma_advance",
           site);
  if (mn_major && bytes_of(format) != 2)
    refuse(name, std::string("is MN-major, which ") + name_of(format) + " cannot be", "store it K-major", site);
  if (mode_) {
    refuse_layout(name, site);
  } else {
    if (base_) refuse(name, "has a base offset without a swizzle", "leave bits 49 to 51 zero", site);
    if (leading_ == 0)
      refuse(name, "has no leading offset", "give leading_bytes: the distance of two chunks along K", site);
  }
  const std::uint32_t last = start_ + offset(lines() - 1, chunks() - 1) + 16, first = mode_ ? start_ & ~15u : start_;
  if (last > kWindow)
    refuse(name, "names bytes up to " + number(last) + ", beyond the 18 bits of shared memory",
           "check start, stride and leading offset", site);
  window_ = static_cast<const char*>(shared_pointer(first, last - first, site)) - first;
  const SwizzleNotes* notes = block_states().find<SwizzleNotes>();
  const unsigned noted = notes ? notes->mode(window_, start_) : 0;
  if (noted && noted != mode_ + 1)
    refuse(name, std::string("reads a tile that TMA wrote with ") + kModes[noted - 1],
           "use one swizzle for the tensor map and the descriptor", site);
}

void Operand::decode(double* out, unsigned row_step, unsigned k_step) const {
  double elements[16];
  const unsigned each = 16 / bytes_of(format_);
  // Neighbouring elements of a chunk are neighbours along K, or along M or N.
  const unsigned line_step = mn_major_ ? k_step : row_step, step = mn_major_ ? row_step : k_step;
  for (unsigned line = 0; line < lines(); ++line)
    for (unsigned chunk = 0; chunk < chunks(); ++chunk) {
      const char* at = window_ + swizzled(start_ + offset(line, chunk));
      double* to = out + line * line_step + chunk * each * step;
      if (step == 1) {
        sim::decode(format_, at, each, to);
        continue;
      }
      sim::decode(format_, at, each, elements);
      for (unsigned j = 0; j < each; ++j) to[j * step] = elements[j];
    }
}

void Operand::will_read(const check::FlightRef& flight) const {
  std::bitset<kWindow / 16> touched;
  for (unsigned line = 0; line < lines(); ++line)
    for (unsigned chunk = 0; chunk < chunks(); ++chunk) touched[swizzled(start_ + offset(line, chunk)) / 16] = true;
  for (std::size_t begin = touched._Find_first(); begin < touched.size();) {
    std::size_t end = begin;
    while (end < touched.size() && touched[end]) ++end;
    check::will_read(flight, window_ + begin * 16, (end - begin) * 16);
    begin = end < touched.size() ? touched._Find_next(end) : end;
  }
}

std::uint64_t wgmma_descriptor(const void* shared, unsigned mode, std::uint32_t leading_bytes,
                               std::uint32_t stride_bytes, Site site) {
  const std::uint32_t start = shared_address(shared, site);
  if (start % 16)
    stop_at("a wgmma operand begins at byte " + number(start) + " of shared memory, which is not a multiple of 16",
            "align the tile; a swizzled one to 1024, 512 or 256 bytes", site);
  if (leading_bytes % 16 || stride_bytes % 16 || leading_bytes >= kWindow || stride_bytes >= kWindow)
    stop_at("a wgmma descriptor cannot hold leading_bytes " + number(leading_bytes) + " and stride_bytes " +
                number(stride_bytes) + ": both must be multiples of 16 below 262144",
            "give them in bytes", site);
  return (start & (kWindow - 1)) >> 4 | static_cast<std::uint64_t>(leading_bytes >> 4) << 16 |
         static_cast<std::uint64_t>(stride_bytes >> 4) << 32 | static_cast<std::uint64_t>(mode) << 62;
}

}  // namespace spak::sim
#pragma GCC visibility pop
