// What the simulated device is: the numbers that programs ask for. Knows nothing of how kernels run.
#pragma once
#include <cstddef>

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

struct Device {
  const char* key;   // of SPAK_SIM_DEVICE
  const char* name;  // as cudaDeviceProp::name
  int major, minor;
  int multiprocessors;
  std::size_t total_memory;
  int shared_kb, shared_block_kb;  // of a multiprocessor; of a block that opts in
  int threads, blocks;             // resident on a multiprocessor
  int l2_kb;
  int clock_khz, memory_khz, bus_bits;
};

// The one that SPAK_SIM_DEVICE names; the first of the table when it is not set.
const Device& device();

constexpr int kRegisters = 65536;  // of a multiprocessor, on every device of the table
constexpr int kMaxBlockThreads = 1024;

}  // namespace spak::sim::host
#pragma GCC visibility pop
