// What the 128 bytes of a tensor map hold in the simulator. Knows nothing of copies.
#pragma once
#include <cstddef>
#include <cstdint>

#include "spak/sim/model/bulk.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct TensorMap {
  static constexpr std::uint64_t kMagic = 0x50414D4B41505331;  // no GPU's map begins with it

  std::uint64_t magic;
  char* base;
  std::uint32_t dims[5];             // minus one, so that 2^32 fits
  std::uint16_t box[5];              // 1 to 256
  std::uint8_t step[5];              // element strides, 1 to 8
  std::uint8_t rank, type, swizzle;  // swizzle: 0, or its span is 16 << swizzle
  std::uint8_t fill_nan, flush;
  std::uint64_t strides[4];  // bytes, of dimensions 1 to 4
  std::uint64_t check;       // of all that is above

  std::uint64_t dim(unsigned i) const { return std::uint64_t{dims[i]} + 1; }
  // Elements of the box along a dimension, as they lie in shared memory.
  std::uint32_t count(unsigned i) const { return i == 0 ? box[0] : (box[i] + step[i] - 1u) / step[i]; }
  Element element() const { return static_cast<Element>(type); }
  std::uint64_t digest() const;
};
static_assert(sizeof(TensorMap) <= 128);

}  // namespace spak::sim
#pragma GCC visibility pop
