// Stacks for the threads of a block, each with a guard page below it. Knows nothing of what runs on them.
#pragma once
#include <cstddef>
#include <vector>

#pragma GCC visibility push(hidden)
namespace spak::sim {

class Stacks {
 public:
  explicit Stacks(std::size_t bytes) : bytes_(bytes) {}
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  std::size_t bytes() const { return bytes_; }
  int take() {
    if (free_.empty()) grow();
    int stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void give(int stack) { free_.push_back(stack); }
  void give_all();

  void* low(int stack) const;  // lowest usable byte
  void* top(int stack) const;  // staggered: see stacks.cpp
  bool in_guard(const void* address) const;

 private:
  void grow();

  static constexpr int kSlab = 32;
  std::size_t bytes_;
  std::vector<char*> slabs_;
  std::vector<int> free_;
};

}  // namespace spak::sim
#pragma GCC visibility pop
