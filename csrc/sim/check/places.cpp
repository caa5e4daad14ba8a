// A table of the places of a launch: 8191 at most, after which all others are one unknown place.
#include "check/places.h"

#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace spak::sim::check {

Spot spots[kSpots];

namespace {

struct Places {
  std::vector<Where> known{Where{{}, nullptr}};  // 0: unknown
  std::unordered_map<const void*, unsigned> by_pc;
  std::map<std::tuple<std::string_view, int, const char*>, unsigned> by_site;
  Site last{nullptr, 0};  // asked for, and what was answered
  const char* last_what = nullptr;
  Slot last_place = 0;
};
Places& places() {
  static Places all;
  return all;
}

unsigned add(Where where) {
  Places& all = places();
  if (all.known.size() > kPlaceMask) return 0;
  all.known.push_back(where);
  return static_cast<unsigned>(all.known.size() - 1);
}

}  // namespace

void settle(Spot& spot, const void* pc) {
  Places& all = places();
  auto [at, is_new] = all.by_pc.try_emplace(pc, 0);
  // The return address may be on the next line already.
  if (is_new) at->second = add({{{nullptr, 0}, static_cast<const char*>(pc) - 1}, nullptr});
  spot = {pc, at->second, 0, 0, nullptr, nullptr, 0};
}

void forget_memory() {
  for (Spot& spot : spots) spot.size = 0;
}

Slot place_of(Site site, const char* what) {
  Places& all = places();
  if (site.file == all.last.file && site.line == all.last.line && what == all.last_what) return all.last_place;
  auto [at, is_new] = all.by_site.try_emplace({site.file ? site.file : "", site.line, what}, 0);
  if (is_new) at->second = add({{site, nullptr}, what});
  all.last = site;
  all.last_what = what;
  return all.last_place = at->second;
}

Slot place_of(const Place& place, const char* what) {
  if (!place.pc) return place_of(place.site, what);
  auto [at, is_new] = places().by_pc.try_emplace(place.pc, 0);
  if (is_new) at->second = add({place, what});
  return at->second;
}

const Where& where(unsigned place) {
  const Places& all = places();
  return all.known[place < all.known.size() ? place : 0];
}

void places_begin_launch() {
  Places& all = places();
  if (all.known.size() > kPlaceMask / 2) {
    all = Places{};
    for (Spot& spot : spots) spot.pc = nullptr;
  }
  forget_memory();
}

}  // namespace spak::sim::check
