// Who wrote a byte last, for findings of the models. Knows nothing of whether it was allowed to.
#include "check/check.h"
#include "check/judge.h"
#include "check/machine.h"
#include "check/notes.h"
#include "check/places.h"

namespace spak::sim::check {

Party last_writer(const void* address) {
  if (!on() || !now.thread || counting()) return {};
  settle_now();
  const auto word = reinterpret_cast<std::uintptr_t>(address) & ~std::uintptr_t{3};
  const Row row = row_of(word);
  const Cell& cell = row.cells->words()[(word - row.base) / 4];
  const Slot slot = is_split(cell.written) ? row.cells->bytes()[word - row.base].written : cell.written;
  if (slot < row.lower || is_flight(slot)) return {};
  return {"writes", where(place_of(slot)).place, threads_text(slot), ""};
}

}  // namespace spak::sim::check
