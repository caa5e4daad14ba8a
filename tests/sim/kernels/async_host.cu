// For the simulator alone: tensor maps made as the driver would make them, and mbarriers driven one instruction at a time.
#include "sim_test.h"

#include <spak/cuda/mbarrier.h>
#include <spak/sim/model/tensor_map.h>

// 0, or 1 and what is wrong in `error`.
SPAK_TEST_EXPORT int encode(void* map, int type, unsigned rank, void* base, const unsigned long long* dims, const unsigned long long* strides,
                            const unsigned* box, const unsigned* steps, int interleave, int swizzle, int l2, int fill, char* error, int size) {
  static_assert(sizeof(unsigned long long) == sizeof(std::uint64_t));
  try {
    spak::sim::encode_tensor_map(map, type, rank, base, reinterpret_cast<const std::uint64_t*>(dims), reinterpret_cast<const std::uint64_t*>(strides),
                                 box, steps, interleave, swizzle, l2, fill);
    return 0;
  } catch (const spak::sim::Fault& fault) {
    std::snprintf(error, static_cast<std::size_t>(size), "%s\n%s", fault.rule().c_str(), fault.what());
    return 1;
  }
}

// Each step is an instruction and its operand; after it, out[i] has bit 0: phase of parity 0 complete, bit 1: of parity 1.
extern "C" __global__ void script(const int* steps, int count, int arrivals, int* out) {
  __shared__ uint64_t bar;
  spak::mbarrier_init(&bar, static_cast<unsigned>(arrivals));
  for (int i = 0; i < count; ++i) {
    const auto operand = static_cast<unsigned>(steps[2 * i + 1]);
    switch (steps[2 * i]) {
      case 0: spak::mbarrier_arrive(&bar, operand); break;
      case 1: spak::mbarrier_expect_tx(&bar, operand); break;
      case 2: spak::mbarrier_arrive_expect_tx(&bar, operand); break;
      case 3: spak::sim::mbarrier_complete_tx(&bar, operand, spak::sim::here()); break;
      case 4: spak::sim::mbarrier_arrive_drop(&bar, operand, spak::sim::here()); break;
      default: break;
    }
    out[i] = (spak::mbarrier_test_wait(&bar, 0) ? 1 : 0) | (spak::mbarrier_test_wait(&bar, 1) ? 2 : 0);
  }
}
