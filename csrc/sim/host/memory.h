// The memory that a program has allocated, by address. Knows nothing of who copies to and from it.
#pragma once
#include <cstddef>
#include <string>

#include "spak/sim/engine.h"
#include "spak/sim/host/launch.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

enum class Kind : unsigned char {
  device,      // cudaMalloc and its kin
  managed,     // cudaMallocManaged: the host may touch it
  pinned,      // cudaMallocHost, cudaHostAlloc
  registered,  // cudaHostRegister: the program's own memory
  variable,    // __device__
  constant,    // __constant__
};

struct Allocation {
  Kind kind;
  char* begin;
  std::size_t size;
  std::string name;  // "the 4096 bytes of cudaMalloc at main.cu:12", "`table`"
  Site site;
  char* pages = nullptr;  // of the reserved range
  std::size_t page_bytes = 0;
};

// Fresh memory, aligned to 256 bytes, that ends (nearly) at a page that nobody may touch. Null: the device is full.
Allocation* allocate(Kind kind, std::size_t size, const char* function, Site site);
// Memory that is there already.
Allocation* adopt(Kind kind, void* begin, std::size_t size, std::string name, Site site);
// Whoever touches it from now on faults. `place`: of whoever frees it, for what its end shows.
void release(Allocation* allocation, Site site);
// What contains `address` (or begins there), or null.
Allocation* find(const void* address);
// What was freed and contained `address`, or null.
const Allocation* find_freed(const void* address);
// Whether `address` is in the reserved range, which no host pointer is.
bool reserved(const void* address);
std::size_t bytes_in_use();
// Everything but variables and registered memory.
void release_all();
// Looks for writes beyond the ends of everything that is allocated, and reports them.
void inspect();

// While one lives, the host may touch device memory: what runs on its behalf. In check mode device memory is closed
// otherwise, so that host code that dereferences a device pointer ends as on a GPU, with a finding.
class Opened {
 public:
  Opened();
  ~Opened();
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

inline bool host_may_touch(Kind kind) {
  return kind == Kind::managed || kind == Kind::pinned || kind == Kind::registered;
}

}  // namespace spak::sim::host
#pragma GCC visibility pop
