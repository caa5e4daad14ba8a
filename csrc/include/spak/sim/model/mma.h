// mma.sync: what <spak/cuda/mma.h> and inline PTX call in the simulator. Knows nothing of the language's headers.
#pragma once
#include <spak/sim/engine.h>
#include <spak/sim/model/formats.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// mma.sync.aligned.m16n8k<k>.row.col: k * bytes is 16 or 32, where `bytes` is the size of an element of A and of B (their
// formats may differ, as .e4m3.e5m2 and .s8.u8 do). C has the type of D.
struct MmaForm {
  Format a, b;
  Accumulator d;
  unsigned char k;
  bool saturate = false;  // .satfinite, of s32
};

// D = A B + C; d may be c. Registers of a lane: a has k * bytes / 8, b half as many; c and d have 4 (f32, s32) or 2 (f16 pairs).
// Whole warps, together.
void mma(const MmaForm& form, void* d, const std::uint32_t* a, const std::uint32_t* b, const void* c, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
