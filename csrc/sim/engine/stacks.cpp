// Stacks are mapped a warp's worth at a time, when they are first needed: a kernel whose threads never wait uses one.
// Knows nothing of scheduling.
#include "stacks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace spak::sim {

namespace {
std::size_t page() {
  static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}
}  // namespace

Stacks::~Stacks() {
  for (char* slab : slabs_) munmap(slab, (bytes_ + page()) * kSlab);
}

void Stacks::grow() {
  const std::size_t step = bytes_ + page();
  void* slab = mmap(nullptr, step * kSlab, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (slab == MAP_FAILED) throw std::bad_alloc();
  // A machine with very many cores may run out of mappings; a stack without a guard still works.
  for (int i = 0; i < kSlab; ++i) (void)mprotect(static_cast<char*>(slab) + i * step, page(), PROT_NONE);
  const int first = static_cast<int>(slabs_.size()) * kSlab;
  slabs_.push_back(static_cast<char*>(slab));
  for (int i = kSlab; i-- > 0;) free_.push_back(first + i);
}

void Stacks::give_all() {
  free_.clear();
  for (int i = static_cast<int>(slabs_.size()) * kSlab; i-- > 0;) free_.push_back(i);
}

void* Stacks::low(int stack) const { return slabs_[stack / kSlab] + (stack % kSlab) * (bytes_ + page()) + page(); }

// Stacks a whole number of pages apart would put every thread's hot frames into the same cache sets: each top is
// moved down by its own number of cache lines.
void* Stacks::top(int stack) const { return static_cast<char*>(low(stack)) + bytes_ - (stack * 5 % 61) * 64; }

bool Stacks::in_guard(const void* address) const {
  const auto* place = static_cast<const char*>(address);
  for (const char* slab : slabs_) {
    if (place < slab || place >= slab + (bytes_ + page()) * kSlab) continue;
    return static_cast<std::size_t>(place - slab) % (bytes_ + page()) < page();
  }
  return false;
}

}  // namespace spak::sim
