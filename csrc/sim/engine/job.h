// What is the same for all blocks of a launch. Knows nothing of how they are run.
#pragma once
#include "schedule.h"
#include "spak/sim/launch.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Job {
  Config config;
  Settings settings;
  void (*entry)(void*);
  void* context;
  std::size_t context_bytes = 0;  // of what `context` points to, where that is known
  bool checked = false;           // the checkers look on: mode check or profile
  std::uint64_t number = 0;       // of the launch in this process, from 1

  unsigned cluster_blocks() const {
    return static_cast<unsigned>(config.cluster[0] * config.cluster[1] * config.cluster[2]);
  }
  unsigned block_threads() const { return static_cast<unsigned>(config.block[0] * config.block[1] * config.block[2]); }
  std::uint64_t blocks() const {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(config.grid[0]) *
                                      static_cast<unsigned __int128>(config.grid[1]) *
                                      static_cast<unsigned __int128>(config.grid[2]));
  }
  std::uint64_t unit_blocks() const { return config.cooperative ? blocks() : cluster_blocks(); }
  std::uint64_t units() const { return blocks() / unit_blocks(); }
};

}  // namespace spak::sim
#pragma GCC visibility pop
