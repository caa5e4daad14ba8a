// Sectors and wavefronts of a request (CUDA C++ Best Practices Guide, "Coalesced Access to Global Memory" and "Shared
// Memory and Memory Banks"). Knows nothing of who asked.
#include "profile/requests.h"

#include <algorithm>

namespace spak::sim::profile {

namespace {

constexpr unsigned kSector = 32, kBanks = 32, kBank = 4, kLine = kBanks * kBank;

unsigned distinct(std::vector<std::uint64_t>& values) {
  std::sort(values.begin(), values.end());
  return static_cast<unsigned>(std::unique(values.begin(), values.end()) - values.begin());
}

// Accesses of 8 and 16 bytes are served half a warp and a quarter of one at a time; lanes that ask a bank for the same word
// share it.
unsigned wavefronts(const std::array<std::uint64_t, 32>& address, std::uint32_t lanes, unsigned size) {
  const unsigned together = size <= 4 ? 32 : size == 8 ? 16 : 8;
  unsigned total = 0;
  for (unsigned first = 0; first < 32; first += together) {
    std::array<std::vector<std::uint64_t>, kBanks> words;
    for (unsigned lane = first; lane < first + together; ++lane) {
      if (!(lanes >> lane & 1)) continue;
      for (std::uint64_t word = address[lane] / kBank; word <= (address[lane] + size - 1) / kBank; ++word)
        words[word % kBanks].push_back(word);
    }
    unsigned deepest = 0;
    for (auto& bank : words) deepest = std::max(deepest, distinct(bank));
    total += deepest;
  }
  return total;
}

}  // namespace

void Requests::add(unsigned lane, std::uint64_t address, unsigned size, Space space, Kind kind, const void* pc) {
  auto [found, fresh] = instructions_.try_emplace(pc);
  Instruction& instruction = found->second;
  if (fresh) instruction.space = space, instruction.kind = kind, instruction.size = size;
  const std::uint32_t n = instruction.executed[lane]++;
  if (n >= instruction.requests.size()) instruction.requests.resize(n + 1);
  Request& request = instruction.requests[n];
  request.address[lane] = address;
  request.lanes |= 1u << lane;
}

void Requests::settle(std::map<const void*, Tally>& tallies) {
  std::vector<std::uint64_t> values;
  for (const auto& [pc, instruction] : instructions_) {
    Tally& tally = tallies[pc];
    tally.space = instruction.space;
    tally.kind = instruction.kind;
    const unsigned size = instruction.size;
    for (const Request& request : instruction.requests) {
      const auto lanes = static_cast<unsigned>(__builtin_popcount(request.lanes));
      ++tally.requests;
      tally.lanes += lanes;
      tally.bytes += std::uint64_t{lanes} * size;
      values.clear();
      for (unsigned lane = 0; lane < 32; ++lane)
        if (request.lanes >> lane & 1) values.push_back(request.address[lane]);
      std::sort(values.begin(), values.end());
      std::uint64_t alike = 0;
      for (std::size_t i = 0, run = 0; i < values.size(); ++i) {
        run = i && values[i] == values[i - 1] ? run + 1 : 1;
        alike = std::max<std::uint64_t>(alike, run);
      }
      tally.most_alike = std::max(tally.most_alike, alike);
      const auto places = static_cast<std::uint64_t>(std::unique(values.begin(), values.end()) - values.begin());
      if (instruction.space == Space::shared) {
        tally.units += wavefronts(request.address, request.lanes, size);
        tally.least += (places * size + kLine - 1) / kLine;
        continue;
      }
      values.resize(places);
      for (std::size_t i = 0; i < places; ++i)
        if (size > 1) values.push_back((values[i] + size - 1) / kSector * kSector + 1);
      for (std::size_t i = 0; i < places; ++i) values[i] = values[i] / kSector * kSector + 1;
      tally.units += distinct(values);
      tally.least += (places * size + kSector - 1) / kSector;
    }
  }
  instructions_.clear();
}

}  // namespace spak::sim::profile
