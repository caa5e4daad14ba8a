// Cells in memory that costs nothing until it is touched.
#include "check/shadow.h"

#include <sys/mman.h>

#include <memory>
#include <new>
#include <unordered_map>

namespace spak::sim::check {

namespace {

Cell* map(std::size_t cells) {
  void* place =
      mmap(nullptr, cells * sizeof(Cell), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) throw std::bad_alloc();
  return static_cast<Cell*>(place);
}

std::unordered_map<std::uintptr_t, std::unique_ptr<Cells>>& chunks() {
  static std::unordered_map<std::uintptr_t, std::unique_ptr<Cells>> all;
  return all;
}

std::uintptr_t last_key = 0;
Cells* last = nullptr;

}  // namespace

Cells::Cells(std::size_t bytes) : size_(bytes), words_(map(bytes / 4)) {}

Cells::~Cells() {
  munmap(words_, size_ / 4 * sizeof(Cell));
  if (bytes_) munmap(bytes_, size_ * sizeof(Cell));
}

Cell* Cells::bytes() {
  if (!bytes_) bytes_ = map(size_);
  return bytes_;
}

void Cells::clear() {
  (void)madvise(words_, size_ / 4 * sizeof(Cell), MADV_DONTNEED);
  if (bytes_) (void)madvise(bytes_, size_ * sizeof(Cell), MADV_DONTNEED);
}

Cells& chunk_of(std::uintptr_t address) {
  const std::uintptr_t key = address / kChunk;
  if (last && key == last_key) return *last;
  std::unique_ptr<Cells>& cells = chunks()[key];
  if (!cells) cells = std::make_unique<Cells>(kChunk);
  last_key = key;
  return *(last = cells.get());
}

void forget_chunks() {
  last = nullptr;
  chunks().clear();
}

}  // namespace spak::sim::check
