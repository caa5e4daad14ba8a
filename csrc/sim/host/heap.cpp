// The heap of device code. In check mode each piece is a region of its own whose bytes are not given out again, so that it is
// seen where it ends and whether it is still there; otherwise it is the host's heap. Knows nothing of cudaMalloc's memory.
#include "spak/sim/host/heap.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <string>

#include "host/call.h"
#include "host/memory.h"
#include "model/caller.h"
#include "spak/sim/regions.h"

namespace spak::sim::host {

namespace {

struct Pieces {
  std::map<const void*, bool> live;  // false: was freed
};
Pieces& pieces() {
  static Pieces* const one = new Pieces;  // outlives every destructor of the program
  return *one;
}

bool own_heap() {
  static const bool checked = check_mode();
  return checked && current != nullptr;
}

void* give(std::size_t size, const char* function, Site at) {
  void* const out = std::malloc(size ? size : 1);
  if (!out) return nullptr;
  std::memset(out, 0xFF, size);
  std::string name = "the " + std::to_string(size) + " bytes of " + function;
  if (at.file)
    name += std::string(" at ") + (std::strrchr(at.file, '/') ? std::strrchr(at.file, '/') + 1 : at.file) + ":" +
            std::to_string(at.line);
  add_region({name.c_str(), out, size, true, false}, at);
  pieces().live[out] = true;
  return out;
}

// Whether the pointer is a piece, which is then gone.
bool take(void* pointer, const char* function, Place by) {
  const auto found = pieces().live.find(pointer);
  const bool known = found != pieces().live.end();
  if (known && found->second) {
    found->second = false;
    remove_region(pointer, by.site);
    return true;
  }
  if (!known && !reserved(pointer)) return false;
  Finding wrong =
      finding("bad-argument",
              std::string(function) + " of memory that " +
                  (known ? "was freed already" : "is not from the heap of device code"),
              "free once what malloc() or new of a kernel returned; what cudaMalloc returned is for cudaFree", "calls",
              by.site);
  wrong.parties.front().place = by;
  stop(std::move(wrong));
}

// The same for `delete`, which host code and the standard library call as well.
bool deleted(void* pointer, const void* by) {
  return pointer && own_heap() && take(pointer, "delete", {{nullptr, 0}, by});
}

using Delete = void (*)(void*);
using SizedDelete = void (*)(void*, std::size_t);

template <typename F>
F next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void* heap_malloc(std::size_t size, Site at) { return own_heap() ? give(size, "malloc", at) : std::malloc(size); }
void heap_free(void* pointer, Site at) {
  if (!pointer) return;
  if (!own_heap()) return std::free(pointer);
  if (!take(pointer, "free()", {at, nullptr}))
    stop(finding("bad-argument", "free() of memory that is not from the heap of device code",
                 "free once what malloc() of a kernel returned", "calls", at));
}

}  // namespace spak::sim::host

using namespace spak::sim::host;

void* operator new(std::size_t size, OnHeap heap) noexcept {
  return own_heap() ? give(size, "new", heap.at) : ::operator new(size, std::nothrow);
}
void* operator new[](std::size_t size, OnHeap heap) noexcept {
  return own_heap() ? give(size, "new", heap.at) : ::operator new[](size, std::nothrow);
}

// `delete` may stand in a destructor that the compiler makes: it is told by its pointer.
#pragma GCC visibility push(default)
void operator delete(void* pointer) noexcept {
  static const auto other = next<Delete>("_ZdlPv");
  if (!deleted(pointer, __builtin_return_address(0))) other(pointer);
}
void operator delete[](void* pointer) noexcept {
  static const auto other = next<Delete>("_ZdaPv");
  if (!deleted(pointer, __builtin_return_address(0))) other(pointer);
}
void operator delete(void* pointer, std::size_t size) noexcept {
  static const auto other = next<SizedDelete>("_ZdlPvm");
  if (!deleted(pointer, __builtin_return_address(0))) other(pointer, size);
}
void operator delete[](void* pointer, std::size_t size) noexcept {
  static const auto other = next<SizedDelete>("_ZdaPvm");
  if (!deleted(pointer, __builtin_return_address(0))) other(pointer, size);
}
#pragma GCC visibility pop
