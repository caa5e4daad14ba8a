// Orders of blocks. A grid may have 2^31 * 65535^2 blocks, so a large random order is an affine permutation, never a
// list. Knows nothing of threads.
#include "schedule.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "random.h"
#include "spak/sim/launch.h"

namespace spak::sim {

namespace {

constexpr std::uint64_t kShuffled = 1 << 16;  // below this, a true shuffle

std::uint64_t number(const char* name, std::uint64_t fallback, std::uint64_t least, std::uint64_t most) {
  const char* text = std::getenv(name);
  if (!text || !*text) return fallback;
  char* end = nullptr;
  errno = 0;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (*end || errno || *text == '-' || value < least || value > most)
    throw Fault("bad-launch", std::string(name) + "=" + text + " is not a whole number from " + std::to_string(least) +
                                  " to " + std::to_string(most));
  return value;
}

template <typename T>
T choice(const char* name, T fallback, std::initializer_list<std::pair<const char*, T>> values) {
  const char* text = std::getenv(name);
  if (!text || !*text) return fallback;
  std::string known;
  for (const auto& [word, value] : values) {
    if (std::strcmp(word, text) == 0) return value;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  throw Fault("bad-launch", std::string(name) + "=" + text + " is not one of " + known);
}

}  // namespace

Settings read_settings() {
  Settings settings;
  settings.seed = number("SPAK_SIM_SEED", 0, 0, ~std::uint64_t{0});
  settings.sample_blocks = number("SPAK_SIM_SAMPLE_BLOCKS", 0, 0, 1 << 24);
  settings.threads = static_cast<unsigned>(number("SPAK_SIM_THREADS", 0, 0, 1024));
  settings.stack_kb = static_cast<unsigned>(number("SPAK_SIM_STACK_KB", 64, 16, 16384)) / 4 * 4;
  const char* seed = std::getenv("SPAK_SIM_SEED");
  settings.order = choice("SPAK_SIM_ORDER", seed && *seed ? Order::random : Order::forward,
                          {{"forward", Order::forward}, {"reverse", Order::reverse}, {"random", Order::random}});
  settings.mode = choice("SPAK_SIM_MODE", Mode::plain,
                         {{"plain", Mode::plain}, {"check", Mode::check}, {"profile", Mode::profile}});
  settings.completion =
      choice("SPAK_SIM_COMPLETION", Completion::lazy,
             {{"eager", Completion::eager}, {"lazy", Completion::lazy}, {"random", Completion::random}});
  if (const char* limit = std::getenv("SPAK_SIM_SECONDS"); limit && *limit) {
    char* end = nullptr;
    settings.seconds = std::strtod(limit, &end);
    if (*end || !(settings.seconds >= 0.01 && settings.seconds <= 1e9))
      throw Fault("bad-launch", std::string("SPAK_SIM_SECONDS=") + limit + " is not a number from 0.01 to 1e9");
  }
  return settings;
}

Schedule::Schedule(const Settings& settings, std::uint64_t blocks) : order_(settings.order), blocks_(blocks) {
  Random random(settings.seed ^ 0x5350414Bu);
  if (settings.sample_blocks && settings.sample_blocks + 2 < blocks) {
    std::set<std::uint64_t> sample{0, blocks - 1};
    while (sample.size() < settings.sample_blocks + 2) sample.insert(random.below(blocks));
    chosen_.assign(sample.begin(), sample.end());
  }
  if (order_ != Order::random) return;
  if (chosen_.empty() && blocks <= kShuffled) {
    chosen_.resize(blocks);
    std::iota(chosen_.begin(), chosen_.end(), std::uint64_t{0});
  }
  for (std::size_t i = chosen_.size(); i > 1; --i) std::swap(chosen_[i - 1], chosen_[random.below(i)]);
  if (!chosen_.empty()) return;
  offset_ = random.below(blocks);
  do multiplier_ = 1 + random.below(blocks - 1);
  while (std::gcd(multiplier_, blocks) != 1);
}

std::uint64_t Schedule::block(std::uint64_t n) const {
  const std::uint64_t total = count();
  const std::uint64_t at = order_ == Order::reverse ? total - 1 - n : n;
  if (!chosen_.empty()) return chosen_[at];
  if (order_ != Order::random) return at;
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(at) * multiplier_ + offset_) % blocks_);
}

}  // namespace spak::sim
