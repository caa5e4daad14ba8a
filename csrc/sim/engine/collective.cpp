// Shuffles, votes, matches and reductions over the lanes that came together. Knows nothing of waiting.
#include "collective.h"

#include <cstring>

namespace spak::sim {

namespace {

bool is_shuffle(Collective op) {
  return op == Collective::shfl || op == Collective::shfl_up || op == Collective::shfl_down || op == Collective::shfl_xor;
}

// The lane a shuffle reads, or the lane itself where the source lies outside its segment (PTX ISA, shfl.sync).
unsigned source_of(const Thread& lane) {
  const int width = lane.width, self = static_cast<int>(lane.lane), base = self / width * width;
  switch (lane.op) {
    case Collective::shfl: return static_cast<unsigned>(base + (lane.argument & (width - 1)));
    case Collective::shfl_up: return static_cast<unsigned>(self - lane.argument >= base ? self - lane.argument : self);
    case Collective::shfl_down:
      return static_cast<unsigned>(self + lane.argument < base + width ? self + lane.argument : self);
    default: {
      const int source = self ^ lane.argument;
      return static_cast<unsigned>(source < base + width ? source : self);
    }
  }
}

std::uint64_t reduce(Collective op, std::uint64_t a, std::uint64_t b) {
  const auto x = static_cast<std::uint32_t>(a), y = static_cast<std::uint32_t>(b);
  const auto sx = static_cast<std::int32_t>(x), sy = static_cast<std::int32_t>(y);
  switch (op) {
    case Collective::add: return x + y;
    case Collective::min_signed: return sx < sy ? x : y;
    case Collective::max_signed: return sx > sy ? x : y;
    case Collective::min_unsigned: return x < y ? x : y;
    case Collective::max_unsigned: return x > y ? x : y;
    case Collective::bit_and: return x & y;
    case Collective::bit_or: return x | y;
    default: return x ^ y;
  }
}

void shuffle(const Meeting& meeting, Thread* lanes) {
  for (unsigned i = 0; i < kWarp; ++i) {
    if (!(meeting.arrived >> i & 1)) continue;
    Thread& lane = lanes[i];
    if (lane.width < 1 || lane.width > 32 || (lane.width & (lane.width - 1)))
      stop({"bad-argument",
            std::string(name_of(lane.op)) + " with width " + std::to_string(lane.width) + ", which is not a power of two up to 32",
            "",
            {{"calls", {lane.site, nullptr}, name_of(lane), ""}}});
    const unsigned source = source_of(lane);
    if (!(meeting.arrived >> source & 1))
      stop({"inactive-lane",
            std::string(name_of(lane.op)) + " reads lane " + std::to_string(source) +
                (meeting.mask >> source & 1 ? ", which has exited or does not exist" : ", which the mask does not name") +
                ". The value is undefined",
            "let every lane reach the shuffle, with a neutral value where it has no work",
            {{"reads", {lane.site, nullptr}, name_of(lane), ""}}});
    lane.result = lanes[source].value;
  }
}

std::uint32_t equal_to(const Meeting& meeting, const Thread* lanes, unsigned lane) {
  std::uint32_t equal = 0;
  for (unsigned i = 0; i < kWarp; ++i)
    if ((meeting.arrived >> i & 1) && lanes[i].value == lanes[lane].value) equal |= 1u << i;
  return equal;
}

}  // namespace

void compute(const Meeting& meeting, Thread* lanes) {
  if (is_shuffle(meeting.op)) return shuffle(meeting, lanes);
  std::uint32_t ballot = 0;
  std::uint64_t reduced = 0;
  bool first = true;
  for (unsigned i = 0; i < kWarp; ++i) {
    if (!(meeting.arrived >> i & 1)) continue;
    if (lanes[i].value) ballot |= 1u << i;
    reduced = first ? lanes[i].value : reduce(meeting.op, reduced, lanes[i].value);
    first = false;
  }
  for (unsigned i = 0; i < kWarp; ++i) {
    if (!(meeting.arrived >> i & 1)) continue;
    switch (meeting.op) {
      case Collective::sync: break;
      case Collective::all: lanes[i].result = ballot == meeting.arrived; break;
      case Collective::any: lanes[i].result = ballot != 0; break;
      case Collective::ballot: lanes[i].result = ballot; break;
      case Collective::match_any: lanes[i].result = equal_to(meeting, lanes, i); break;
      case Collective::match_all:
        lanes[i].result = equal_to(meeting, lanes, i) == meeting.arrived ? meeting.arrived : 0;
        break;
      default: lanes[i].result = reduced;
    }
  }
}

const char* name_of(Collective op) {
  static const char* const names[] = {"__syncwarp",     "__shfl_sync",      "__shfl_up_sync",    "__shfl_down_sync",  "__shfl_xor_sync",
                                      "__all_sync",     "__any_sync",       "__ballot_sync",     "__match_any_sync",  "__match_all_sync",
                                      "__reduce_add_sync", "__reduce_min_sync", "__reduce_min_sync", "__reduce_max_sync", "__reduce_max_sync",
                                      "__reduce_and_sync", "__reduce_or_sync",  "__reduce_xor_sync"};
  return names[static_cast<unsigned>(op)];
}

const char* name_of(Barrier kind) {
  static const char* const names[] = {"__syncthreads", "__syncthreads_count", "__syncthreads_and", "__syncthreads_or"};
  return names[static_cast<unsigned>(kind)];
}

bool same(Site a, Site b) { return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0); }

std::string text(Site site) { return site.file ? std::string(site.file) + ":" + std::to_string(site.line) : "an unknown place"; }

}  // namespace spak::sim
