// Products of small matrices by a warp (PTX ISA: mma.sync, m16n8k*). Knows nothing of memory.
#include "spak/sim/model/mma.h"

#include <cstring>

#include "fragments.h"
#include "product.h"
#include "profile/profile.h"
#include "whole_warp.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace {

struct Factors {
  const MmaForm* form;
  std::uint32_t* d;
  const std::uint32_t *a, *b, *c;
};

constexpr unsigned kRows = 16, kColumns = 8;

void multiply(void* const* arguments, std::uint32_t arrived) {
  require_whole_warp(arrived, "mma.sync");
  const MmaForm& form = *static_cast<const Factors*>(arguments[0])->form;
  profile::event(profile::Event::mma);
  profile::event(profile::Event::mma_flops, 2 * kRows * kColumns * form.k);
  double a[kRows * 32], b[32 * kColumns], sums[kRows * kColumns];
  const unsigned packed = 4 / bytes_of(form.a), registers = form.k / (4 * packed);  // of B; A has twice as many
  for (unsigned l = 0; l < 32; ++l) {
    const Factors& lane = *static_cast<const Factors*>(arguments[l]);
    for (unsigned r = 0; r < 2 * registers; ++r)
      decode(form.a, &lane.a[r], packed, a + fragment_row(l, r) * form.k + packed * (l % 4) + 4 * packed * (r / 2));
    for (unsigned r = 0; r < registers; ++r) {
      double elements[4];
      decode(form.b, &lane.b[r], packed, elements);
      for (unsigned j = 0; j < packed; ++j) b[(packed * (l % 4) + j + 4 * packed * r) * kColumns + l / 4] = elements[j];
    }
  }
  product(a, b, kRows, kColumns, form.k, sums);
  const bool pairs = form.d == Accumulator::f16;
  for (unsigned l = 0; l < 32; ++l) {
    const Factors& lane = *static_cast<const Factors*>(arguments[l]);
    for (unsigned i = 0; i < 4; ++i) {
      const double sum = sums[(l / 4 + 8 * (i / 2)) * kColumns + 2 * (l % 4) + i % 2];
      if (pairs) {
        const unsigned shift = 16 * (i % 2);
        const std::uint32_t c = lane.c[i / 2] >> shift & 0xFFFFu;
        lane.d[i / 2] = (lane.d[i / 2] & ~(0xFFFFu << shift)) | accumulate(form.d, false, c, sum) << shift;
      } else {
        lane.d[i] = accumulate(form.d, form.saturate, lane.c[i], sum);
      }
    }
  }
}

}  // namespace

void mma(const MmaForm& form, void* d, const std::uint32_t* a, const std::uint32_t* b, const void* c, Site site) {
  // Sums of integer products are exact in double, as those of the others are but for 2^-53.
  Factors lane{&form, static_cast<std::uint32_t*>(d), a, b, static_cast<const std::uint32_t*>(c)};
  static const char* const names[] = {"mma.sync f16",  "mma.sync bf16", "mma.sync tf32", "mma.sync e4m3",
                                      "mma.sync e5m2", "mma.sync s8",   "mma.sync u8"};
  together_warp(names[static_cast<unsigned>(form.a)], 0xFFFFFFFFu, &lane, multiply, site);
}

}  // namespace spak::sim
#pragma GCC visibility pop
