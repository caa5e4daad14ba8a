// Where the cells of an address are: of shared windows, and of global memory in chunks of 1 MB. Knows nothing of what the
// cells hold.
#pragma once
#include <cstddef>
#include <cstdint>

#include "check/cell.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

// Cells that are mapped at once and paid for when they are touched: one a word, and one a byte for words that are split. Those
// of shared memory have lanes beside them: a bit for each thread of a block that is one of several readers.
class Cells {
 public:
  enum class With : unsigned char { nothing, lanes };
  Cells(std::size_t bytes, With with);
  ~Cells();
  Cells(const Cells&) = delete;
  Cells& operator=(const Cells&) = delete;

  Cell* words() const { return words_; }
  Cell* bytes();
  Cell* bytes_if_any() const { return bytes_; }
  Lanes* lanes() const { return lanes_; }
  Lanes* byte_lanes() const { return byte_lanes_; }
  Lanes* lanes_of(const Cell& cell, unsigned shift) const;
  void clear();

 private:
  std::size_t size_;
  Cell* words_ = nullptr;
  Cell* bytes_ = nullptr;
  Lanes* lanes_ = nullptr;
  Lanes* byte_lanes_ = nullptr;
};

struct WindowShadow : Cells {
  static constexpr std::size_t kBytes = std::size_t{1} << 18;
  WindowShadow() : Cells(kBytes, With::lanes) {}
};

constexpr std::size_t kChunk = std::size_t{1} << 20;
// The chunk that holds the address; made when first asked for.
Cells& chunk_of(std::uintptr_t address);
void forget_chunks();

}  // namespace spak::sim::check
#pragma GCC visibility pop
