// <spak/cuda/swizzle.h>: where TMA and wgmma put the bytes of a tile in shared memory. Knows nothing of either: pure
// index arithmetic.
//
// A swizzle exchanges the 16-byte chunks of a tile so that a column of chunks lies in different banks. The tile must start
// at a multiple of its pattern: 256 bytes (b32), 512 (b64), 1024 (b128); `none` needs 128 for TMA.
#pragma once
#include <spak/cuda/device.h>

namespace spak {

/// The span in bytes within which chunks are exchanged; a tile's rows have that many bytes: 32, 64 or 128.
enum class Swizzle { none, b32, b64, b128 };

/// The byte at which a tile holds what is at `offset` of the same tile without a swizzle. Chunk index bits 4 to 6 are XORed
/// with row bits 7 to 9: one of them for b32, two for b64, three for b128. Its own inverse. A tile of 128-byte rows
/// keeps element (row, byte) at `swizzle<Swizzle::b128>(row * 128 + byte)`.
template <Swizzle Mode>
SPAK_DEVICE constexpr uint32_t swizzle(uint32_t offset) {
  return offset ^ (offset >> 3 & (Mode == Swizzle::b128  ? 0x70u
                                  : Mode == Swizzle::b64 ? 0x30u
                                  : Mode == Swizzle::b32 ? 0x10u
                                                         : 0u));
}

}  // namespace spak
