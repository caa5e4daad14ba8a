// What simulated device code needs of the engine: who am I, wait for the others, shared memory. Knows nothing of
// scheduling: the engine behind these functions (csrc/sim) may be replaced without touching a kernel.
#pragma once
#include <cstddef>
#include <cstdint>

// Hidden: two modules of one process may carry two versions of the engine, and must not share its symbols.
#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Site {
  const char* file;
  int line;
};

// As a default argument it names the line of the call that left it out.
constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }

struct Dim {
  unsigned x, y, z;
};

struct BlockView {
  Dim block, dim, grid;
};

struct ThreadView {
  Dim thread;
  unsigned lane;
  BlockView* block;
  Site site;  // the last place the thread was seen at, for reports
};

// The running CUDA thread; null outside kernels. initial-exec: a module takes some bytes of the process's static TLS.
extern __thread ThreadView* current __attribute__((tls_model("initial-exec")));

enum class Barrier : unsigned char { sync, count, all, any };

// Waits until every thread of the block has called it from the same line. Returns the predicate's count, and or or.
int barrier(Barrier kind, int predicate, Site site);

enum class Collective : unsigned char {
  sync,
  shfl,
  shfl_up,
  shfl_down,
  shfl_xor,
  all,
  any,
  ballot,
  match_any,
  match_all,
  add,
  min_signed,
  min_unsigned,
  max_signed,
  max_unsigned,
  bit_and,
  bit_or,
  bit_xor,
};

// Waits until every lane named in `mask` that has not exited has called the same operation with the same mask.
// `bytes` is the size of the value (1 to 8), `argument` the lane, delta or lane mask of a shuffle.
std::uint64_t collective(Collective op, std::uint32_t mask, std::uint64_t value, unsigned bytes, int argument,
                         int width, Site site);

// The lanes of the calling warp that come to this place together: waits until every other lane has exited, waits for
// something else, or is here as well.
std::uint32_t active_mask(Site site);

// Lets other threads run first; a thread that polls memory calls it now and then.
void yield();

// Counts what polls on this OS thread, so that a thread that spins on a flag lets the others run.
extern __thread unsigned polls __attribute__((tls_model("initial-exec")));
inline void polled() {
  if ((++polls & 63u) == 0) yield();
}
// The same, on behalf of the instruction at `pc`.
void yield(const void* pc);
inline void polled(const void* pc) {
  if ((++polls & 63u) == 0) yield(pc);
}

// Scopes of fences and atomic operations, narrow to wide.
enum class FenceScope : unsigned char { block, cluster, device, system };
// __threadfence and its kin: a real one, since blocks run on several cores.
void fence(FenceScope scope);
// What the atomic operations of the running thread are known as to the checkers: set for one operation, else `device`.
extern __thread FenceScope atomic_scope __attribute__((tls_model("initial-exec")));

// Waits until all threads of a cooperative launch have called it.
void grid_barrier(Site site);
// Whether the running kernel was launched as one.
bool cooperative();

// Called first thing in every kernel body, by code that spak.sim.source inserts.
void enter(unsigned max_threads, Site site);

// One `__shared__` declaration of one function instance. Its address is its identity.
struct SharedSite {
  const char* name;
  Site site;
};

// The block's copy of a static shared variable: filled with 0xFF before the block's first use of it.
void* shared_bytes(const SharedSite& site, std::size_t size, std::size_t align);

// The block's dynamic shared memory: filled with 0xFF, aligned to `align` and, on purpose, to no more.
void* dynamic_bytes(const SharedSite& site, std::size_t align);

template <typename T>
inline T& shared(const SharedSite& site, std::size_t align = 0) {
  return *static_cast<T*>(shared_bytes(site, sizeof(T), align > alignof(T) ? align : alignof(T)));
}

// T is an array of unknown bound.
template <typename T>
inline T& dynamic(const SharedSite& site, std::size_t align = 0) {
  return *reinterpret_cast<T*>(dynamic_bytes(site, align > 16 ? align : 16));
}

// Stops the launch with a Fault: `what` is a full sentence about the calling thread.
[[noreturn]] void fail(const char* rule, const char* what, Site site);
// PTX `exit`: the calling thread is at its end, as if its kernel returned.
[[noreturn]] void end_thread();

// A fault at `address` unless it is a multiple of `align`.
inline void require_aligned(const void* address, std::size_t align, const char* what, Site site) {
  if (reinterpret_cast<std::uintptr_t>(address) % align != 0) fail("misaligned", what, site);
}

}  // namespace spak::sim
#pragma GCC visibility pop
