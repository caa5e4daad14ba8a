// Collected findings, and the names of the threads in them.
#include "check/notes.h"

#include <bitset>
#include <deque>
#include <map>
#include <tuple>

#include "check/places.h"
#include "check/states.h"
#include "engine/job.h"
#include "engine/ledger.h"
#include "engine/unit.h"

namespace spak::sim::check {

namespace {

struct Members {
  std::uint32_t block = 0;
  bool more_blocks = false;
  std::bitset<1024> threads;

  void add(Slot slot) {
    if (!slot || past_of(block_of(slot)).agents) return;  // an agent is no thread
    if (!block) block = block_of(slot);
    if (block != block_of(slot))
      more_blocks = true;
    else
      threads.set(thread_of(slot));
  }
};

struct Note {
  Finding finding;
  Members now, earlier;
  bool withdrawn = false;
};

struct Notes {
  const Job* job = nullptr;
  std::map<std::tuple<std::string, unsigned, unsigned>, std::size_t> index;
  std::deque<Note> all;
  Note* last = nullptr;
  Slot last_now = 0, last_earlier = 0;
};
Notes& notes() {
  static Notes collected;
  return collected;
}

std::string triple(const Dim& at) {
  return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
}

Dim thread_place(std::uint32_t index, const Dim& dim) {
  const unsigned x = dim.x ? dim.x : 1, y = dim.y ? dim.y : 1;
  return {index % x, index / x % y, index / x / y};
}

std::string text(const Members& members) {
  if (!members.block) return "";
  const Past& block = past_of(members.block);
  std::string out = "block " + triple(block.place);
  if (members.threads.count() == 1) {
    std::uint32_t index = 0;
    while (!members.threads[index]) ++index;
    out += ", thread " + triple(thread_place(index, block.dim));
  } else {
    out += ", threads ";
    unsigned runs = 0;
    for (std::size_t i = 0; i < members.threads.size(); ++i) {
      if (!members.threads[i]) continue;
      std::size_t end = i;
      while (end + 1 < members.threads.size() && members.threads[end + 1]) ++end;
      if (++runs > 8) {
        out += ", ... (" + std::to_string(members.threads.count()) + " in all)";
        break;
      }
      out += (runs > 1 ? ", " : "") + std::to_string(i) + (end > i ? "-" + std::to_string(end) : "");
      i = end;
    }
  }
  return out + (members.more_blocks ? ", and others" : "");
}

Party party_of(const Side& side, Slot slot) {
  const Where& at = where(place_of(slot));
  std::string role = side.role;
  if (at.what) role += std::string(" (") + at.what + ")";
  return {role, at.place, "", side.what};
}

Finding finished(const Note& note) {
  Finding out = note.finding;
  std::size_t n = 0;
  for (const Members* members : {&note.now, &note.earlier}) {
    if (n < out.parties.size() && members->block) out.parties[n].threads = text(*members);
    ++n;
  }
  return out;
}

}  // namespace

bool seen_first(const char* rule, Slot now_, Slot earlier) {
  Notes& all = notes();
  if (earlier && place_of(now_) != place_of(earlier)) {
    if (const auto other = all.index.find({rule, place_of(earlier), place_of(now_)}); other != all.index.end()) {
      all.last = &all.all[other->second];
      std::swap(now_, earlier);
      all.last_now = now_, all.last_earlier = earlier;
      ++all.last->finding.count;
      all.last->now.add(now_);
      all.last->earlier.add(earlier);
      return false;
    }
  }
  const auto [at, is_new] =
      all.index.try_emplace({rule, place_of(now_), earlier ? place_of(earlier) : ~0u}, all.all.size());
  if (is_new) {
    all.all.emplace_back();
    all.all.back().finding.rule = rule;
    all.all.back().finding.count = 0;
  }
  all.last = &all.all[at->second];
  ++all.last->finding.count;
  all.last->now.add(now_);
  all.last->earlier.add(earlier);
  all.last_now = now_, all.last_earlier = earlier;
  return is_new;
}

void describe(std::string sentence, std::string hint, Side now_, Side earlier) {
  Notes& all = notes();
  Finding& finding = all.last->finding;
  finding.sentence = std::move(sentence);
  finding.hint = std::move(hint);
  finding.parties.push_back(party_of(now_, all.last_now));
  if (earlier.role) finding.parties.push_back(party_of(earlier, all.last_earlier));
}

const char* noted_rule() { return notes().last->finding.rule.c_str(); }
void set_rule(const char* rule) { notes().last->finding.rule = rule; }
void forget_description(const char* rule, Slot now_, Slot earlier) {
  Notes& all = notes();
  all.last->finding.parties.clear();
  all.last->now = {};
  all.last->earlier = {};
  all.last->now.add(now_);
  all.last->earlier.add(earlier);
  all.last_now = now_, all.last_earlier = earlier;
  // It may have been noted the other way round: from now on the sides are those of these two.
  if (const auto other = all.index.find({rule, place_of(earlier), place_of(now_)}); other != all.index.end()) {
    const std::size_t note = other->second;
    all.index.erase(other);
    all.index[{rule, place_of(now_), place_of(earlier)}] = note;
  }
}

void withdraw(const char* rule, Slot at) {
  Notes& all = notes();
  if (const auto found = all.index.find({rule, place_of(at), ~0u}); found != all.index.end())
    all.all[found->second].withdrawn = true;
}

void describe_place(const char* role, Place place, std::string what) {
  notes().last->finding.parties.push_back({role, place, "", std::move(what)});
}

void notes_begin(const Job& job) {
  notes() = Notes{};
  notes().job = &job;
}

void notes_end() {
  Notes& all = notes();
  if (!all.job) return;
  for (const Note& note : all.all)
    if (note.finding.count && !note.withdrawn) record(all.job->config.name, all.job->number, finished(note));
  all = Notes{};
}

// Not by throwing: a compiler takes the hooks for functions that do not throw.
void end_with_it() {
  Notes& all = notes();
  const Finding finding = finished(*all.last);
  all.last->finding.count = 0;  // whoever runs the launch records it
  running->abandon(Stop(all.job->config.name, finding));
}

std::string threads_text(Slot slot) {
  Members members;
  members.add(slot);
  return text(members);
}

std::string bytes_text(std::size_t size) { return std::to_string(size) + (size == 1 ? " byte" : " bytes"); }

}  // namespace spak::sim::check
