// The counters of launches, and their report. Knows nothing of what is fast.
#include "profile/profile.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "check/regions.h"
#include "engine/unit.h"
#include "profile/requests.h"
#include "spak/sim/report.h"

namespace spak::sim {

namespace profile {

__thread bool active __attribute__((tls_model("initial-exec"))) = false;

namespace {

constexpr auto kEvents = static_cast<std::size_t>(Event::count_);
constexpr const char* kNames[kEvents] = {"barriers",       "warp_operations", "mma",          "mma_flops",
                                         "wgmma",          "wgmma_flops",     "matrix_loads", "async_copies",
                                         "async_bytes_in", "async_bytes_out", "peer_bytes",   "bulk_copies"};

// Launches in mode profile run one at a time, each on one OS thread; only the finished reports are shared.
struct Running {
  std::map<const BlockView*, std::vector<Requests>> warps;
  std::map<const void*, Tally> tallies;
  std::uint64_t events[kEvents] = {};
  std::uint64_t maths = 0, overlapped = 0;  // matrix operations in all, and with a load in flight
  std::int64_t in_flight = 0;
};
Running running_launch;

struct Reports {
  std::mutex mutex;
  std::string text;
};
Reports& reports() {
  static Reports all;
  return all;
}

class Numbers {
 public:
  void add(const std::string& name, std::uint64_t value) {
    text_ += (text_.empty() ? "" : ", ") + ('"' + name + "\": " + std::to_string(value));
  }
  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

const char* word(Kind kind) { return kind == Kind::read ? "load" : kind == Kind::write ? "store" : "atomic"; }

void describe(Numbers& numbers, const std::string& start, const Tally& tally) {
  const bool global = tally.space == Space::global;
  numbers.add(start + "_requests", tally.requests);
  numbers.add(start + "_lanes", tally.lanes);
  numbers.add(start + "_bytes", tally.bytes);
  numbers.add(start + (global ? "_sectors" : "_wavefronts"), tally.units);
  numbers.add(start + (global ? "_sectors_least" : "_wavefronts_least"), tally.least);
  if (tally.kind == Kind::atomic) numbers.add(start + "_alike", tally.most_alike);
}

std::string name_of(const Tally& tally) {
  return std::string(tally.space == Space::global ? "global_" : "shared_") + word(tally.kind);
}

std::string triple(const long long (&at)[3]) {
  return "[" + std::to_string(at[0]) + ", " + std::to_string(at[1]) + ", " + std::to_string(at[2]) + "]";
}

std::string hexadecimal(std::uintptr_t value) {
  char digits[20];
  std::snprintf(digits, sizeof digits, "0x%zx", static_cast<std::size_t>(value));
  return digits;
}

}  // namespace

void access(const void* address, std::size_t size, Kind kind, const void* pc) {
  const bool shared = shared_place(address).rank >= 0;
  auto where = reinterpret_cast<std::uintptr_t>(address);
  if (!shared) {
    // What lies in no buffer is the kernel's arguments, which are in constant memory on a GPU. A buffer begins at a multiple
    // of 256 bytes there, wherever it lies here.
    const check::Extent* region = check::region_of(where, size);
    if (!region) return;
    where += -region->begin & 255;
  }
  const ThreadView& thread = *current;
  const BlockView& block = *thread.block;
  auto& warps = running_launch.warps[&block];
  const unsigned rank = thread.thread.x + block.dim.x * (thread.thread.y + block.dim.y * thread.thread.z);
  if (rank / 32 >= warps.size()) warps.resize(rank / 32 + 1);
  warps[rank / 32].add(rank % 32, where, static_cast<unsigned>(size), shared ? Space::shared : Space::global, kind, pc);
}

void event(Event event, std::uint64_t amount) {
  if (!on()) return;
  running_launch.events[static_cast<std::size_t>(event)] += amount;
  if (event != Event::mma && event != Event::wgmma) return;
  running_launch.maths += amount;
  if (running_launch.in_flight > 0) running_launch.overlapped += amount;
}

void loading(std::int64_t bytes) {
  if (on()) running_launch.in_flight += bytes;
}

void launch_begin(const Job&) {
  if (on()) running_launch = {};
}

void together(const BlockView& block) {
  if (!on()) return;
  for (Requests& warp : running_launch.warps[&block]) warp.settle(running_launch.tallies);
}

void block_begin(const BlockView& block) {
  if (on()) running_launch.warps.erase(&block);
}

void launch_end(const Job& job) {
  if (!on()) return;
  Running& now = running_launch;
  for (auto& [block, warps] : now.warps)
    for (Requests& warp : warps) warp.settle(now.tallies);
  std::map<std::string, Tally> sums;
  std::string places;
  for (const auto& [pc, tally] : now.tallies) {
    Tally& sum = sums[name_of(tally)];
    sum.space = tally.space, sum.kind = tally.kind;
    sum.requests += tally.requests, sum.lanes += tally.lanes, sum.bytes += tally.bytes;
    sum.units += tally.units, sum.least += tally.least, sum.most_alike = std::max(sum.most_alike, tally.most_alike);
    Numbers one;
    describe(one, name_of(tally), tally);
    places += (places.empty() ? "" : ", ") +
              ("{\"pc\": \"" + hexadecimal(module_offset(pc)) + "\", \"counters\": " + one.text() + "}");
  }
  Numbers numbers;
  numbers.add("blocks", static_cast<std::uint64_t>(job.config.grid[0] * job.config.grid[1] * job.config.grid[2]));
  numbers.add("threads_a_block",
              static_cast<std::uint64_t>(job.config.block[0] * job.config.block[1] * job.config.block[2]));
  for (const auto& [name, sum] : sums) describe(numbers, name, sum);
  for (std::size_t i = 0; i < kEvents; ++i) numbers.add(kNames[i], now.events[i]);
  numbers.add("matrix_operations", now.maths);
  numbers.add("matrix_operations_overlapping_loads", now.overlapped);
  const std::string text = "{\"kernel\": \"" + std::string(job.config.name) +
                           "\", \"grid\": " + triple(job.config.grid) + ", \"block\": " + triple(job.config.block) +
                           ", \"counters\": " + numbers.text() + ", \"places\": [" + places + "]}";
  now = {};
  Reports& all = reports();
  const std::lock_guard lock(all.mutex);
  all.text += (all.text.empty() ? "" : ", ") + text;
}

}  // namespace profile

std::string take_counters() {
  profile::Reports& all = profile::reports();
  const std::lock_guard lock(all.mutex);
  std::string text = "[" + all.text + "]";
  all.text.clear();
  return text;
}

}  // namespace spak::sim
