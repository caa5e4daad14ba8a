// An operand of wgmma in shared memory: what its descriptor says and which bytes it names. Knows nothing of products.
#pragma once
#include <cstdint>

#include "check/check.h"
#include "engine/operation.h"
#include "spak/sim/model/formats.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

// How the tiles that TMA loads brought lie in a block's shared memory, for each 128 bytes: 0 unknown, else 1 + the mode of a
// descriptor that matches. Hangs on the block (States); the model of TMA notes, that of wgmma compares.
struct SwizzleNotes {
  std::uint8_t mode[kWindow / 128] = {};

  void note(std::uint32_t offset, std::uint32_t size, unsigned descriptor_mode) {
    set(offset, size, descriptor_mode + 1);
  }
  // Something else was written there.
  void forget(std::uint32_t offset, std::uint32_t size) { set(offset, size, 0); }

 private:
  void set(std::uint32_t offset, std::uint32_t size, unsigned value) {
    for (std::uint32_t i = offset / 128; i * 128 < offset + size && i < kWindow / 128; ++i)
      mode[i] = static_cast<std::uint8_t>(value);
  }
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
