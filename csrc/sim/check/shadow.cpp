// Cells in memory that costs nothing until it is touched.
#include "check/shadow.h"

#include <sys/mman.h>

#include <memory>
#include <new>
#include <unordered_map>

namespace spak::sim::check {

namespace {

template <typename T>
T* map(std::size_t count) {
  void* place =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) throw std::bad_alloc();
  return static_cast<T*>(place);
}

template <typename T>
void unmap(T* place, std::size_t count) {
  if (place) munmap(place, count * sizeof(T));
}

std::unordered_map<std::uintptr_t, std::unique_ptr<Cells>>& chunks() {
  static std::unordered_map<std::uintptr_t, std::unique_ptr<Cells>> all;
  return all;
}

std::uintptr_t last_key = 0;
Cells* last = nullptr;

}  // namespace

Cells::Cells(std::size_t bytes, With with)
    : size_(bytes),
      words_(map<Cell>(bytes / 4)),
      lanes_(with == With::lanes ? map<Lanes>(bytes / 4 * kMostWarps) : nullptr) {}

Cells::~Cells() {
  unmap(words_, size_ / 4);
  unmap(bytes_, size_);
  unmap(lanes_, size_ / 4 * kMostWarps);
  unmap(byte_lanes_, size_ * kMostWarps);
}

Cell* Cells::bytes() {
  if (!bytes_) {
    bytes_ = map<Cell>(size_);
    if (lanes_) byte_lanes_ = map<Lanes>(size_ * kMostWarps);
  }
  return bytes_;
}

Lanes* Cells::lanes_of(const Cell& cell, unsigned shift) const {
  const auto at = reinterpret_cast<std::uintptr_t>(&cell);
  const std::size_t word = (at - reinterpret_cast<std::uintptr_t>(words_)) / sizeof(Cell);
  if (word < size_ / 4) return lanes_ + (word << shift);
  return byte_lanes_ + ((at - reinterpret_cast<std::uintptr_t>(bytes_)) / sizeof(Cell) << shift);
}

void Cells::clear() {
  (void)madvise(words_, size_ / 4 * sizeof(Cell), MADV_DONTNEED);
  if (bytes_) (void)madvise(bytes_, size_ * sizeof(Cell), MADV_DONTNEED);
}

Cells& chunk_of(std::uintptr_t address) {
  const std::uintptr_t key = address / kChunk;
  if (last && key == last_key) return *last;
  std::unique_ptr<Cells>& cells = chunks()[key];
  if (!cells) cells = std::make_unique<Cells>(kChunk, Cells::With::nothing);
  last_key = key;
  return *(last = cells.get());
}

void forget_chunks() {
  last = nullptr;
  chunks().clear();
}

}  // namespace spak::sim::check
