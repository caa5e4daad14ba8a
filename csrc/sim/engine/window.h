// A block's shared memory: one window of 256 KB with 18-bit addresses, poisoned variables with red zones between them.
// Knows nothing of threads.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "spak/sim/engine.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

class Window {
 public:
  static constexpr std::size_t kSize = std::size_t{1} << 18;  // low 18 bits of a pointer into it are its address
  static constexpr std::size_t kStaticLimit = 48 << 10;       // of any device, for `__shared__` arrays of stated size

  // `base`: kSize bytes of a Windows. `limit`: of static and dynamic shared memory together, on the device that is simulated.
  // `alignment`: see Config::shared_alignment.
  void begin(char* base, std::size_t dynamic_size, std::size_t limit, std::size_t alignment);
  void* variable(const SharedSite& site, std::size_t size, std::size_t align) {
    const Known& known = known_[slot(site)];
    return known.site == &site ? known.begin : find(site, size, align);
  }
  void* dynamic(const SharedSite& site, std::size_t align);

  char* base() const { return memory_; }
  bool holds(const void* address) const {
    return (reinterpret_cast<std::uintptr_t>(address) & ~(kSize - 1)) == reinterpret_cast<std::uintptr_t>(memory_);
  }
  std::size_t static_size() const { return static_size_; }
  std::size_t dynamic_size() const { return dynamic_size_; }

  struct Damage {
    std::string sentence;  // "" if no red zone was written to
    Site site{nullptr, 0};
  };
  Damage damage() const;

  // The variable that holds (or, in a red zone, lies next to) this address.
  struct Variable {
    const SharedSite* site;
    char* begin;
    std::size_t size;
    char* zone_end;
  };
  const Variable* variable_at(const void* address) const;

 private:
  struct Known {
    const SharedSite* site = nullptr;
    void* begin = nullptr;
  };
  static std::size_t slot(const SharedSite& site) {
    const auto at = reinterpret_cast<std::uintptr_t>(&site);
    return (at >> 3 ^ at >> 7) & 15;
  }
  void* find(const SharedSite& site, std::size_t size, std::size_t align);

  char* memory_ = nullptr;
  char* next_ = nullptr;
  std::size_t static_size_ = 0, limit_ = 0, alignment_ = 1;
  std::size_t dynamic_size_ = 0;
  char* dynamic_begin_ = nullptr;
  std::size_t dynamic_align_ = 0;
  const SharedSite* dynamic_site_ = nullptr;
  std::vector<Variable> variables_;
  std::array<Known, 16> known_{};
};

// The memory of the windows of the blocks of a unit, one after another, with guard pages around them.
class Windows {
 public:
  Windows() = default;
  ~Windows();
  Windows(const Windows&) = delete;
  Windows& operator=(const Windows&) = delete;

  // Makes room for `count`; what was there is gone if there was less.
  void reserve(std::size_t count);
  char* at(std::size_t i) const { return memory_ + i * Window::kSize; }

 private:
  void release();

  void* mapping_ = nullptr;
  char* memory_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace spak::sim
#pragma GCC visibility pop
