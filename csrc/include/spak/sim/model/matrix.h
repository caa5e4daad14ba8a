// ldmatrix, stmatrix and movmatrix: what <spak/cuda/matrix.h> and inline PTX call in the simulator. Knows nothing of the
// language's headers.
#pragma once
#include <spak/sim/engine.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// m8n8 .b16 .x1 .x2 .x4 (`count`), with .trans or not. Whole warps, together. `row` is the address that this lane gives: only
// lanes below 8 * count give one that is looked at.
void ldmatrix(std::uint32_t* r, unsigned count, bool transposed, const void* row, Site site);
void stmatrix(void* row, const std::uint32_t* r, unsigned count, bool transposed, Site site);
// The same with the 32-bit shared addresses that PTX has.
void ldmatrix_shared(std::uint32_t* r, unsigned count, bool transposed, std::uint32_t row, Site site);
void stmatrix_shared(std::uint32_t row, const std::uint32_t* r, unsigned count, bool transposed, Site site);
// m8n8 .trans .b16.
std::uint32_t movmatrix(std::uint32_t r, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
