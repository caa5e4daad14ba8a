// The memory that kernels may touch, by name and exact extent. Knows nothing of shared memory, which the engine gives out.
#pragma once
#include <spak/sim/engine.h>

#include <cstddef>
#include <initializer_list>

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Region {
  const char* name;  // copied
  void* begin;
  std::size_t size;
  bool writable = true;
  bool initialised = true;
};

// Global memory that launches may use from now on. Costs nothing in plain mode.
void add_region(const Region& region, Site site = here());
// The region that begins there is gone: touching it is a use after free, until another takes its place.
void remove_region(void* begin, Site site = here());
// The host wrote these bytes.
void initialised(const void* begin, std::size_t size);
// The host copied these bytes: they are as initialised as their source was.
void copied(void* to, const void* from, std::size_t size);

// The buffers of one call of a generated launcher: there while it lives. Once any region exists, global memory outside
// every region is out of bounds for kernels in check mode.
class Regions {
 public:
  Regions(std::initializer_list<Region> regions);
  ~Regions();
  Regions(const Regions&) = delete;
  Regions& operator=(const Regions&) = delete;

 private:
  void** begins_;
  std::size_t count_;
};

}  // namespace spak::sim
#pragma GCC visibility pop
