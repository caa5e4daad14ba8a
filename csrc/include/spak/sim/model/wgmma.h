// wgmma: what <spak/cuda/wgmma.h> and inline PTX call in the simulator. Knows nothing of the language's headers.
#pragma once
#include <spak/sim/engine.h>
#include <spak/sim/model/formats.h>

#pragma GCC visibility push(hidden)
namespace spak::sim {

// wgmma.mma_async.sync.aligned.m64n<n>k<32 bytes>: A is 64 x k, B k x n, D 64 x n.
struct WgmmaForm {
  Format a, b;
  Accumulator d;
  unsigned short n;        // 8 to 256 in steps of 8
  bool m_major_a = false;  // imm-trans-a: shared-memory A is M-major; 16-bit formats only
  bool n_major_b = false;  // imm-trans-b: B is N-major; 16-bit formats only
  bool negate_a = false;   // imm-scale-a is -1
  bool negate_b = false;   // imm-scale-b is -1
  bool saturate = false;   // .satfinite, of s32
};

// D = A B + D, or A B where `accumulate` is false (scale-d). `d` are the calling thread's accumulators: n / 2 registers of 4
// bytes that lie one after the other (n / 4 for f16). Their address is kept: until a wait_group covers this wgmma they hold
// kPoison, whatever was there. A is a descriptor, or four registers of each thread. Whole warpgroups, together.
void wgmma(const WgmmaForm& form, void* d, std::uint64_t a, std::uint64_t b, bool accumulate, Site site);
void wgmma(const WgmmaForm& form, void* d, const std::uint32_t (&a)[4], std::uint64_t b, bool accumulate, Site site);

// What accumulators in flight hold: a NaN that no arithmetic makes, also as two f16, and an unlikely integer.
constexpr std::uint32_t kPoison = 0x7FEF7FEFu;

void wgmma_fence(Site site);              // wgmma.fence.sync.aligned
void wgmma_commit(Site site);             // wgmma.commit_group.sync.aligned
void wgmma_wait(int pending, Site site);  // wgmma.wait_group.sync.aligned; 0 to 7 groups may stay in flight

// The descriptor of a matrix that begins at `shared`. `mode` is the descriptor's: 0 none, 1 128 bytes, 2 64, 3 32. What does
// not fit into the fields is a bad-descriptor finding.
std::uint64_t wgmma_descriptor(const void* shared, unsigned mode, std::uint32_t leading_bytes,
                               std::uint32_t stride_bytes, Site site);

}  // namespace spak::sim
#pragma GCC visibility pop
