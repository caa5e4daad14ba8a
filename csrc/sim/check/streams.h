// What the host tells the checkers of work that may overlap: launches and copies of different streams. Knows nothing of
// streams.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/finding.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

// What a piece of work was in the history: numbers from `first` up to `end`, as long as the history has that age.
struct Deed {
  std::uint32_t first = 0, end = 0;
  std::uint64_t age = 0;
};
// One that begins now, and has not ended.
Deed begin_deed();
void end_deed(Deed& deed);
// Launches and copies from now on are not ordered after these; those before hold no longer.
void set_beside(std::vector<Deed> deeds);

// A copy or fill that runs now, on the host; `what` is the function that asked for it.
class HostWork {
 public:
  HostWork(Place place, const char* what);
  void access(const void* begin, std::size_t size, bool write);

 private:
  Place place_;
  const char* what_;
  std::uint64_t mine_;
  std::vector<unsigned> reported_;  // places that it races with
};

}  // namespace spak::sim::check
#pragma GCC visibility pop
