// Scratch memory on the host, for one call. Knows nothing of who uses it.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#pragma GCC visibility push(hidden)
namespace spak::runtime {

// Freed when the call ends. Not cached: a kernel must never find its last call's data in it.
class Workspace {
 public:
  static constexpr std::size_t alignment = 64;

  Workspace(long long bytes, bool zero) {
    if (bytes < 0) throw std::bad_alloc();
    const std::size_t rounded = (static_cast<std::size_t>(bytes) + alignment) / alignment * alignment;
    data_ = std::aligned_alloc(alignment, rounded);
    if (data_ == nullptr) throw std::bad_alloc();
    if (zero) std::memset(data_, 0, rounded);
  }
  ~Workspace() { std::free(data_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  void* data() const { return data_; }

 private:
  void* data_;
};

}  // namespace spak::runtime
#pragma GCC visibility pop
