// Whether an access is allowed: in bounds, aligned, initialised, ordered after whom it conflicts with. The long way, which hooks
// take when their short one does not settle it. Knows nothing of how instrumented code calls it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "check/cell.h"
#include "check/check.h"
#include "check/states.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::check {

struct Access {
  std::uintptr_t address;
  std::size_t size;
  bool write;
  How how = How::plain;
  Slot place = 0;
  const FlightRef* flight = nullptr;  // of an asynchronous operation: it is the one that reads or writes
  const void* pc = nullptr;           // of an instruction
  std::size_t align = 1;
  bool both = false;      // a write that is a read at once
  bool replaces = false;  // and does not depend on what it reads
  Slot update = 0;        // of an asynchronous operation that updates atomically: how the access is remembered
};

void judge(const Access& access);

// The last store of a thread wrote where another had written: a race unless it wrote the same value, which is known only
// when the next thing happens.
void settle_stores(bool all);
bool stores_pending();
// The same for an index outside its array: `address` is that of the next access, 0: there is none.
void settle_array(std::uintptr_t address);
bool array_pending();

// What the bytes are, for reports: "4 bytes of `tile` at byte 128".
std::string name_bytes(std::uintptr_t address, std::size_t size);

// Where cells are: of one window, or of one chunk of global memory.
struct Row {
  Cells* cells;
  std::uintptr_t base;
  std::size_t size;
  Slot lower;         // lesser slots are of no interest
  BlockState* block;  // whose window it is; null: global memory
};
// The row that holds the address.
Row row_of(std::uintptr_t address);
Row row_of(const UnitState& unit, std::uintptr_t address);

// Makes the bytes of a word have cells of their own, or the word again, where its bytes are alike.
void split(const Row& row, Cell& word, Cell* bytes);
void unite(const Row& row, Cell& word, const Cell* bytes);

// Calls act(cell, address) for each cell of these bytes, which lie in one row: one for a word, or one for each byte of a word
// that is split, or of which only a part is meant.
template <typename Act>
void each_cell(const Row& row, std::uintptr_t address, std::size_t size, bool write, Act act) {
  const std::uintptr_t end = address + size;
  for (std::uintptr_t word = address & ~std::uintptr_t{3}; word < end; word += 4) {
    Cell& cell = row.cells->words()[(word - row.base) / 4];
    const bool whole = word >= address && word + 4 <= end;
    const bool is_split_now = is_split(cell.written) && cell.written >= row.lower;
    if (whole && !is_split_now) {
      act(cell, word);
      continue;
    }
    Cell* const bytes = row.cells->bytes() + (word - row.base);
    if (!is_split_now) split(row, cell, bytes);
    for (std::uintptr_t at = word < address ? address : word; at < word + 4 && at < end; ++at)
      act(bytes[at - word], at);
    if (whole && write) unite(row, cell, bytes);  // all of it has just been judged, and is alike again
  }
}

}  // namespace spak::sim::check
#pragma GCC visibility pop
