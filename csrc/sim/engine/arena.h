// A block's shared memory: poisoned variables with red zones between them. Knows nothing of threads.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "spak/sim/engine.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

class Arena {
 public:
  static constexpr std::size_t kStaticLimit = 48 << 10;     // of any device, for `__shared__` arrays of stated size
  static constexpr std::size_t kTotalLimit = 232448;        // 227 KB a block, sm_90

  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void begin(std::size_t dynamic_size);
  void* variable(const SharedSite& site, std::size_t size, std::size_t align);
  void* dynamic(const SharedSite& site, std::size_t align);
  // A sentence about the first red zone that was written to, or "".
  std::string damage() const;

 private:
  struct Variable {
    const SharedSite* site;
    char* begin;
    std::size_t size;
    char* zone_end;
  };

  char* memory_ = nullptr;
  char* dynamic_end_ = nullptr;   // guard pages follow
  char* next_ = nullptr;
  std::size_t static_size_ = 0;
  std::size_t dynamic_size_ = 0;
  char* dynamic_begin_ = nullptr;
  std::size_t dynamic_align_ = 0;
  const SharedSite* dynamic_site_ = nullptr;
  std::vector<Variable> variables_;
};

}  // namespace spak::sim
#pragma GCC visibility pop
