// State that models hang on a thread, a block, a cluster or a unit, found by its type. Knows nothing of what it is.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#pragma GCC visibility push(hidden)
namespace spak::sim {

unsigned next_slot();

class States {
 public:
  States() = default;
  ~States() { clear(); }
  States(const States&) = delete;
  States& operator=(const States&) = delete;

  // The one T that hangs here, default-constructed when it is first asked for.
  template <typename T>
  T& get() {
    if (slot<T> < entries_.size() && entries_[slot<T>].object) [[likely]]
      return *static_cast<T*>(entries_[slot<T>].object);
    if (slot<T> >= entries_.size()) entries_.resize(slot<T> + 1);
    entries_[slot<T>] = {new T(), [](void* object) { delete static_cast<T*>(object); }};
    return *static_cast<T*>(entries_[slot<T>].object);
  }
  // The same, or null where nobody has asked for one.
  template <typename T>
  T* find() const {
    return slot<T> < entries_.size() ? static_cast<T*>(entries_[slot<T>].object) : nullptr;
  }
  void clear() {
    for (Entry& entry : entries_)
      if (entry.object) std::exchange(entry, {}).destroy_now();
  }

 private:
  template <typename T>
  static inline const unsigned slot = next_slot();
  struct Entry {
    void* object = nullptr;
    void (*destroy)(void*) = nullptr;
    void destroy_now() { destroy(object); }
  };
  std::vector<Entry> entries_;
};

}  // namespace spak::sim
#pragma GCC visibility pop
