// What the engine and the models tell the checkers: who is ordered after whom, which bytes an asynchronous operation is
// reading or writing. Knows nothing of how either is remembered. Every function returns at once unless `on()`.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "spak/sim/engine.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

struct Party;
struct Thread;
class Unit;
struct Job;

namespace check {

// Whether the launch that this OS thread works for is checked (mode check or profile, instrumented code).
extern __thread bool active __attribute__((tls_model("initial-exec")));
// Inside the checkers: no moment to end a launch.
extern bool busy;
inline bool on() { return __builtin_expect(active, false); }

// --- the engine's part: life cycles ------------------------------------------------------------------------------------
void unit_begin(Unit& unit);  // a cluster (or a single block) is about to run
void unit_end(Unit& unit);    // all of its threads have exited
void thread_begin(Thread& thread);
void thread_end(Thread& thread);
void resumed(Thread& thread);  // it is the one that runs from now on, whether it begins or goes on
void left();                   // none of them is
void launch_begin(const Job& job);
void launch_end(const Job& job);  // ordered: everything in a launch is before the next one
// `begin` has just been given to the calling thread's block as shared memory, uninitialised.
void shared_variable(const SharedSite& site, void* begin, std::size_t size);

// --- order between threads ---------------------------------------------------------------------------------------------
// All of `threads` know everything that any of them has done: __syncthreads, __syncwarp, cluster barriers, named ones.
void meet(Thread* const* threads, unsigned count);
// The same for all threads of a block, or of a whole unit; cheap.
void meet_block(Thread* const* threads, unsigned count);

// What has been released to an object: the phase of an mbarrier, the arrivals at a barrier that some only arrive at.
class Order {
 public:
  Order();
  ~Order();
  Order(Order&&) noexcept;
  Order& operator=(Order&&) noexcept;
  void release();         // what the calling thread has done, and knows, is before whoever acquires
  void release_fenced();  // a relaxed arrival: only what is before a fence of the calling thread's is
  void acquire() const;   // the calling thread is after all that was released
  void join(const Order& other);
  void clear();

  struct Body;
  Body& body();

 private:
  std::unique_ptr<Body> body_;
};

enum class Scope : unsigned char { block, cluster, device, system };
void fence(Scope scope);  // __threadfence and its kin: by the calling thread
// fence.proxy.async: what the thread knows is now visible to the async proxy, in all memory or in one state space.
enum class Space : unsigned char { all, shared, global };
void fence_proxy_async(Space space = Space::all);
void fence_proxy_tensormap(const void* map);
// fence.mbarrier_init: makes what the thread has initialised known to whoever is after its next relaxed arrival.
void fence_mbarrier_init();

// --- accesses of the models, on behalf of the calling thread (models are not instrumented) ------------------------------
void read(const void* address, std::size_t size, Site site);
void write(void* address, std::size_t size, Site site);

// A lane of the warp has read these 4 bytes (at a multiple of 4), and another one, `to`, gets them.
void hand_over(const void* word, const Thread& to);

// Who wrote there last, as a party of a finding; its role is "" where nobody is known. For the calling thread's unit.
Party last_writer(const void* address);

// --- asynchronous operations -------------------------------------------------------------------------------------------
enum class Proxy : unsigned char { generic, async };

// One operation that was issued and has not completed; made by the thread that issues it.
class Flight;
using FlightRef = std::shared_ptr<Flight>;  // null while not on()
// `what` names the operation in reports: "cp.async", "TMA load", "wgmma".
FlightRef depart(const char* what, Proxy proxy, Site site);
// The operation will read or write these bytes. Reported at once: earlier accesses that are not ordered before the issue,
// and, for the async proxy, generic writes without a proxy fence between. From now until it lands the bytes are in flight:
// any thread's read of a destination, or write to a source or destination, is a finding.
void will_read(const FlightRef& flight, const void* address, std::size_t size);
void will_write(const FlightRef& flight, void* address, std::size_t size);
// The operation will update these bytes atomically: as will_write, but it races with no other atomic access.
void will_update(const FlightRef& flight, void* address, std::size_t size);
// The operation is issued by `other` as well, which must be ordered after the writes of what it reads, too.
void issued_with(const FlightRef& flight, const Thread& other);
// The accumulators of an operation: registers (locals) of the calling thread that nobody may touch until it lands.
void will_change(const FlightRef& flight, void* locals, std::size_t size);
// Operands in registers (locals): nobody may change them until it lands, but anybody may read them.
void will_use(const FlightRef& flight, const void* locals, std::size_t size);
// wait_group.read: its sources may be written again by whoever is ordered after the calling thread.
void sources_free(const FlightRef& flight);
// Completed through an mbarrier: its writes are before whoever acquires `into`.
void land(const FlightRef& flight, Order& into);
// Completed by the calling thread's own wait: its writes are before what the calling thread does from now on.
void land(const FlightRef& flight);

}  // namespace check
}  // namespace spak::sim
#pragma GCC visibility pop
