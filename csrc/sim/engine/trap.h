// Turns a processor trap inside a kernel (bad address, division by zero, stack overflow) into a Fault. Knows nothing
// of other code's traps, and leaves them to whoever handled them before.
#pragma once

#pragma GCC visibility push(hidden)
namespace spak::sim {

// While one lives, traps on the OS thread that made it are caught if they happen inside a simulated thread.
class Trap {
 public:
  Trap();
  ~Trap();
  Trap(const Trap&) = delete;
  Trap& operator=(const Trap&) = delete;

 private:
  void* stack_ = nullptr;
  void* previous_ = nullptr;  // the alternate signal stack that was in force
};

}  // namespace spak::sim
#pragma GCC visibility pop
