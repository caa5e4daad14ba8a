// The memory requests of a warp: what its lanes access when they execute one instruction together. Knows nothing of
// launches.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "profile/profile.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::profile {

enum class Space : unsigned char { global, shared };

// What one instruction has cost so far. A sector has 32 bytes; a wavefront is one pass over the 32 banks of 4 bytes.
struct Tally {
  Space space = Space::global;
  Kind kind = Kind::read;
  std::uint64_t requests = 0;    // executions by a warp
  std::uint64_t lanes = 0;       // lanes that took part in them
  std::uint64_t bytes = 0;       // asked for by the lanes
  std::uint64_t units = 0;       // sectors (global) or wavefronts (shared) that they took
  std::uint64_t least = 0;       // what they would take if the lanes' addresses were neighbours
  std::uint64_t most_alike = 0;  // lanes of one request at one address, at most: for atomics
};

// Lanes run one after another here, so a request is put together from the n-th execution of an instruction by each lane
// between two points where the warp's lanes are together.
class Requests {
 public:
  void add(unsigned lane, std::uint64_t address, unsigned size, Space space, Kind kind, const void* pc);
  // Adds all requests to the tallies, and forgets them.
  void settle(std::map<const void*, Tally>& tallies);

 private:
  struct Request {
    std::array<std::uint64_t, 32> address;
    std::uint32_t lanes = 0;
  };
  struct Instruction {
    Space space;
    Kind kind;
    unsigned size;
    std::array<std::uint32_t, 32> executed{};
    std::vector<Request> requests;
  };
  std::unordered_map<const void*, Instruction> instructions_;
};

}  // namespace spak::sim::profile
#pragma GCC visibility pop
