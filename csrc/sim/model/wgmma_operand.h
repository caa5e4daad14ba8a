// An operand of wgmma in shared memory: what its descriptor says and which bytes it names. Knows nothing of products.
#pragma once
#include <cstdint>
#include <cstring>

#include "check/check.h"
#include "engine/operation.h"
#include "spak/sim/model/formats.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// How the tiles that TMA loads brought lie in a block's shared memory, for each 128 bytes: 0 unknown, else 1 + the mode of a
// descriptor that matches. Hangs on the block (States); the model of TMA notes, that of wgmma compares.
class SwizzleNotes {
 public:
  void note(const char* window, std::uint32_t offset, std::uint32_t size, unsigned descriptor_mode) {
    for (std::uint32_t i = offset / kLine; i * kLine < offset + size && i < kWindow / kLine; ++i) {
      mode_[i] = static_cast<std::uint8_t>(descriptor_mode + 1);
      brought_[i] = sum(window + i * kLine);
    }
  }
  // 0 if something else has been written there since.
  unsigned mode(const char* window, std::uint32_t offset) const {
    const std::uint32_t i = offset / kLine;
    return mode_[i] && brought_[i] == sum(window + i * kLine) ? mode_[i] : 0;
  }

 private:
  static constexpr std::uint32_t kLine = 128;

  static std::uint64_t sum(const char* line) {
    std::uint64_t words[kLine / 8], all = 0;
    std::memcpy(words, line, kLine);
    for (std::uint32_t i = 0; i < kLine / 8; ++i) all += words[i] * (0x9E3779B97F4A7C15u + 2 * i);
    return all;
  }

  std::uint8_t mode_[kWindow / kLine] = {};
  std::uint64_t brought_[kWindow / kLine] = {};  // sums of the lines as they were brought
};

// PTX ISA, "Matrix descriptor" and "Canonical layouts". The operand is `rows` (M or N) by 32 bytes of K.
class Operand {
 public:
  // Stops the launch with bad-descriptor unless the descriptor is right for that shape. `name` is "A" or "B".
  void read(std::uint64_t descriptor, Format format, unsigned rows, bool mn_major, const char* name, Site site);
  // The elements as they are in memory now: out[row * row_step + k * k_step].
  void decode(double* out, unsigned row_step, unsigned k_step) const;
  void will_read(const check::FlightRef& flight) const;

 private:
  std::uint32_t offset(unsigned line, unsigned chunk) const;
  std::uint32_t swizzled(std::uint32_t address) const;
  unsigned lines() const { return mn_major_ ? 16 : rows_; }      // what a chunk of 16 bytes lies in: a k, or a row
  unsigned chunks() const { return mn_major_ ? rows_ / 8 : 2; }  // in a line
  void refuse(const char* name, const std::string& what, const char* hint, Site site) const;
  void refuse_layout(const char* name, Site site) const;

  std::uint64_t descriptor_ = 0;
  std::uint32_t start_ = 0, leading_ = 0, stride_ = 0;
  unsigned mode_ = 0, base_ = 0, span_ = 1;  // span: chunks in a row of the swizzle's pattern
  Format format_{};
  unsigned rows_ = 0;
  bool mn_major_ = false;
  const char* window_ = nullptr;
};

}  // namespace spak::sim
#pragma GCC visibility pop
