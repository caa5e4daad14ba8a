// The checkers' entry points. Knows nothing of how a finding is shown.
#include "check/check.h"

#include "engine/operation.h"
#include "spak/sim/regions.h"

namespace spak::sim {

void add_region(const Region&, Site) {}
void remove_region(void*, Site) {}
void initialised(const void*, std::size_t) {}
Regions::Regions(std::initializer_list<Region>) : begins_(nullptr), count_(0) {}
Regions::~Regions() = default;

namespace check {

__thread bool active __attribute__((tls_model("initial-exec"))) = false;

void unit_begin(Unit&) {}
void unit_end(Unit&) {}
void thread_begin(Thread&) {}
void thread_end(Thread&) {}
void resumed(Thread&) {}
void left() {}
void launch_begin(const Job&) {}
void launch_end(const Job&) {}
void shared_variable(const SharedSite&, void*, std::size_t) {}
void meet(Thread* const*, unsigned) {}
void meet_block(Thread* const*, unsigned) {}

struct Order::Body {};
Order::Order() = default;
Order::~Order() = default;
Order::Order(Order&&) noexcept = default;
Order& Order::operator=(Order&&) noexcept = default;
void Order::release() {}
void Order::acquire() const {}
void Order::join(const Order&) {}
void Order::clear() {}

void fence(Scope) {}
void fence_proxy_async() {}
void fence_proxy_tensormap(const void*) {}

void read(const void*, std::size_t, Site) {}
void write(void*, std::size_t, Site) {}
void atomic(void*, std::size_t, Scope, bool, bool, Site) {}

class Flight {};
FlightRef depart(const char*, Proxy, Site) { return {}; }
void will_read(const FlightRef&, const void*, std::size_t) {}
void will_write(const FlightRef&, void*, std::size_t) {}
void will_change(const FlightRef&, void*, std::size_t) {}
void sources_free(const FlightRef&) {}
void land(const FlightRef&, Order&) {}
void land(const FlightRef&) {}

}  // namespace check
}  // namespace spak::sim
