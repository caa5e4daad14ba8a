// What a thread knows of others: up to which tick of each block, and of single threads, everything is before it. Knows
// nothing of memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

// Counted by its holders; checked launches run on one OS thread.
template <typename T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* body) : body_(body) {
    if (body_) ++body_->refs;
  }
  Ref(const Ref& other) : Ref(other.body_) {}
  Ref(Ref&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Ref() { reset(); }
  void reset() {
    if (T* body = std::exchange(body_, nullptr); body && --body->refs == 0) delete body;
  }
  T* get() const { return body_; }
  T* operator->() const { return body_; }
  T& operator*() const { return *body_; }
  explicit operator bool() const { return body_ != nullptr; }
  bool operator==(const Ref& other) const { return body_ == other.body_; }

 private:
  T* body_ = nullptr;
};

// Ticks of the threads of one block, beyond its last barrier. Changed only by its single holder.
struct Vector {
  unsigned refs = 0;
  std::vector<std::uint32_t> ticks;

  std::uint32_t operator[](std::size_t thread) const { return thread < ticks.size() ? ticks[thread] : 0; }
  void raise(std::size_t thread, std::uint32_t tick);
  bool covers(const Vector& other) const;
  void join(const Vector& other);
};
using VectorRef = Ref<Vector>;

// The join of both, sharing one of them where it covers the other.
VectorRef joined(const VectorRef& a, const VectorRef& b);
// The same vector, but held by nobody else.
Vector& own(VectorRef& vector);

// What is known of one block: all of its threads up to `floor`, and some further.
struct Entry {
  std::uint32_t block;
  std::uint32_t floor;
  VectorRef further;
};

struct Clock {
  unsigned refs = 0;
  std::vector<Entry> entries;  // sorted by block

  const Entry* find(std::uint32_t block) const;
  Entry& at(std::uint32_t block);
  bool knows(std::uint32_t block, std::uint32_t tick, std::uint32_t thread) const {
    const Entry* entry = find(block);
    return entry && (tick <= entry->floor || (entry->further && tick <= (*entry->further)[thread]));
  }
  void join(const Clock& other);
  void join(const Entry& other);
};
using ClockRef = Ref<Clock>;

ClockRef joined(const ClockRef& a, const ClockRef& b);
Clock& own(ClockRef& clock);
bool covers(const Clock* all, const Clock* some);

// What fences order, by how far they reach: a block, a cluster, the device. A wider fence is a narrower one too.
constexpr unsigned kReaches = 3;
struct Scoped {
  ClockRef of[kReaches];

  explicit operator bool() const { return of[0] || of[1] || of[2]; }
  bool operator==(const Scoped& other) const {
    return of[0] == other.of[0] && of[1] == other.of[1] && of[2] == other.of[2];
  }
};
Scoped joined(const Scoped& a, const Scoped& b);

}  // namespace spak::sim::check
#pragma GCC visibility pop
