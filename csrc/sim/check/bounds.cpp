// Rules of one access by itself: where it lies, how it is aligned. Knows nothing of other threads, but of operations in flight
// that hold a thread's own registers.
#include <cstdint>
#include <string>

#include "check/case.h"
#include "check/flight.h"
#include "check/machine.h"
#include "check/regions.h"

namespace spak::sim::check {

namespace {

constexpr std::uintptr_t kNothingBelow = 1 << 16;  // no system maps memory there
constexpr std::uintptr_t kNear = 1 << 20;          // an index that is wrong, rather than a pointer

}  // namespace

const char* verb(bool write, How how) {
  if (how == How::strong || how == How::strong_block) return "accesses atomically";
  return write ? "writes" : "reads";
}

Side side_of(const Case& c) {
  return {verb(c.access.write, c.access.how), name_bytes(c.access.address, c.access.size)};
}

bool inside_variable(const Case& c) {
  const Access& a = c.access;
  const BlockState& block = *c.row.block;
  const Variable* variable = block.variable_at(a.address);
  if (variable && a.address + a.size <= variable->begin + variable->size) return true;
  if (!seen_first("shared-overflow", c.mine, 0)) return false;
  if (!variable) variable = block.nearest(a.address);
  if (!variable) {
    describe("shared memory is accessed, but the block has no shared variable yet",
             "declare the memory that the kernel uses", side_of(c));
    return false;
  }
  const std::string name = std::string("`") + variable->site->name + "`";
  std::string offset;
  if (a.address < variable->begin)
    offset = std::to_string(variable->begin - a.address) + " bytes before the start of " + name;
  else
    offset = "byte " + std::to_string(a.address - variable->begin) + " of " + name;
  describe("an access of " + bytes_text(a.size) + " lies outside every shared variable: " + offset + ", which has " +
               bytes_text(variable->size),
           "check the index against the size of the variable; dynamic shared memory is as large as the launch says",
           {verb(a.write, a.how), bytes_text(a.size) + " at " + offset});
  describe_place("declares", {variable->site->site, nullptr}, name + ", " + bytes_text(variable->size));
  return false;
}

void require_aligned(const Case& c) {
  const Access& a = c.access;
  if (a.align <= 1 || a.address % a.align == 0) return;
  if (seen_first("misaligned", c.mine, 0))
    describe(
        "an access of " + bytes_text(a.size) + " at an address that is not a multiple of " + std::to_string(a.align),
        "align the data to the size of the access, or access it in smaller pieces", side_of(c));
  end_with_it();
}

void end_outside(const Case& c) {
  const Access& a = c.access;
  const char* const role = verb(a.write, a.how);
  if (const Extent* gone = former_region_of(a.address)) {
    if (seen_first("use-after-free", c.mine, 0)) {
      describe("global memory is accessed after it was freed: byte " + std::to_string(a.address - gone->begin) +
                   " of `" + gone->name + "`",
               "free memory only when every kernel that uses it has finished, and do not keep pointers to it",
               {role, bytes_text(a.size) + " at byte " + std::to_string(a.address - gone->begin) + " of `" +
                          gone->name + "`"});
      describe_place("allocated", {gone->made, nullptr}, "`" + gone->name + "`, " + bytes_text(gone->size));
      describe_place("freed", {gone->gone, nullptr}, "`" + gone->name + "`");
    }
    end_with_it();
  }
  if (a.address < kNothingBelow) {
    if (seen_first("invalid-address", c.mine, 0))
      describe(std::string("a null pointer is followed: the kernel ") + role + " " + bytes_text(a.size) +
                   " at address " + std::to_string(a.address),
               "pass memory of the device, and check what an allocation returns",
               {role, bytes_text(a.size) + " at address " + std::to_string(a.address)});
    end_with_it();
  }
  if (!seen_first("out-of-bounds", c.mine, 0)) end_with_it();
  if (local_memory(a.address)) {
    describe("a local variable of another thread is accessed",
             "local memory belongs to its thread alone: exchange values through shared memory",
             {role, bytes_text(a.size) + " of another thread's local memory"});
    end_with_it();
  }
  const Extent* nearest = nearest_region(a.address);
  const std::uintptr_t distance = !nearest                     ? 0
                                  : a.address < nearest->begin ? nearest->begin - a.address
                                                               : a.address - nearest->begin - nearest->size;
  if (!nearest || (distance > kNear && a.address - nearest->begin >= nearest->size)) {
    // Where it lies is another number in each run: not said.
    describe("an access of " + bytes_text(a.size) + " lies far outside every buffer",
             "pass the kernel memory of the device; check the index for overflow",
             {role, bytes_text(a.size) + " of no buffer"});
    end_with_it();
  }
  const std::string name = "`" + nearest->name + "`";
  std::string offset;
  if (a.address < nearest->begin)
    offset = std::to_string(nearest->begin - a.address) + " bytes before the start of " + name;
  else if (a.address < nearest->end())
    offset = "byte " + std::to_string(a.address - nearest->begin) + " of " + name + ", over its end";
  else
    offset = "byte " + std::to_string(a.address - nearest->begin) + " of " + name + ", " +
             std::to_string(a.address - nearest->end()) + " bytes past its end";
  describe("an access of " + bytes_text(a.size) + " lies outside every buffer; the nearest: " + offset + " (" +
               bytes_text(nearest->size) + ")",
           "check the index against the size of the buffer, and the grid against the problem",
           {role, bytes_text(a.size) + " at " + offset});
  describe_place("allocated", {nearest->made, nullptr}, name + ", " + bytes_text(nearest->size));
  end_with_it();
}

bool judge_own_stack(const Access& access) {
  const ThreadState& thread = *now.thread;
  if (access.address - thread.stack_low >= thread.stack_size) return false;
  for (const Accumulator& locals : thread.accumulators) {
    if (access.address + access.size <= locals.begin || access.address >= locals.begin + locals.size) continue;
    const FlightRef flight = locals.flight.lock();
    if (!flight || flight->landed) continue;
    if (access.flight && access.flight->get() == flight.get()) continue;
    if (locals.only_read && !access.write) continue;
    const Slot mine = now.me | access.place;
    if (!seen_first("accumulator-in-flight", mine, flight->issued)) continue;
    const std::string registers = locals.only_read ? " of its operand registers" : " of its accumulators";
    const std::string what = bytes_text(access.size) + registers + ", from byte " +
                             std::to_string(access.address > locals.begin ? access.address - locals.begin : 0);
    describe(locals.only_read ? "a register is changed while the operation that reads it is in flight"
                              : "an accumulator is touched while the operation that changes it is in flight",
             locals.only_read ? "wait for the operation (wgmma_wait) before you change the registers that it multiplies"
                              : "wait for the operation (wgmma_wait) before you use or change its accumulators",
             {access.write ? "writes" : "reads", what},
             {"issued", bytes_text(locals.size) + (locals.only_read ? " of operands" : " of accumulators")});
  }
  return true;
}

}  // namespace spak::sim::check
