// Vector clocks over streams. Each piece of work knows what it was queued after; what ran before it and is not among that
// overlaps it.
#include "host/order.h"

#include <algorithm>
#include <deque>

namespace spak::sim::host {

namespace {

struct Done {
  unsigned long long stream, number;
  check::Deed deed;
};

struct All {
  Clock host;
  std::deque<Done> done;  // since the host last knew of all
  unsigned long long lines = 0, works = 0;
  const Rank* running = nullptr;
  bool several = false;
};
All& all() {
  static All* const one = new All;
  return *one;
}

constexpr std::size_t kDone = 256;  // more are not looked back at

}  // namespace

void join(Clock& into, const Clock& from) {
  for (const auto& [stream, number] : from) into[stream] = std::max(into[stream], number);
}

unsigned long long new_line() { return ++all().lines; }

void place_in_order(Rank& rank, unsigned long long stream) {
  join(rank.before, all().host);
  rank.stream = stream, rank.number = ++all().works;
  rank.before[stream] = rank.number;
}

void host_is_after(const Rank& rank) { join(all().host, rank.before); }
void host_is_after_all() { all().done.clear(); }
bool several_streams() { return all().several && check_mode(); }
void note_stream() { all().several = true; }

void host_sees_work() {
  if (all().running) host_is_after(*all().running);
}

Performing::Performing(const Rank& rank) : rank_(rank) {
  all().running = &rank;
  if (!check_mode()) return;
  std::vector<check::Deed> beside;
  for (const Done& one : all().done) {
    const auto known = rank.before.find(one.stream);
    if (known == rank.before.end() || known->second < one.number) beside.push_back(one.deed);
  }
  check::set_beside(std::move(beside));
  deed_ = check::begin_deed();
}

Performing::~Performing() {
  all().running = nullptr;
  if (!check_mode()) return;
  check::end_deed(deed_);
  check::set_beside({});
  if (deed_.first == deed_.end) return;
  all().done.push_back({rank_.stream, rank_.number, deed_});
  if (all().done.size() > kDone) all().done.pop_front();
}

}  // namespace spak::sim::host
