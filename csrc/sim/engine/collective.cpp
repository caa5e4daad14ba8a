// Shuffles, votes, matches and reductions over the lanes that came together. Knows nothing of waiting.
#include "collective.h"

#include <cstring>

namespace spak::sim {

namespace {

bool is_shuffle(Collective op) {
  return op == Collective::shfl || op == Collective::shfl_up || op == Collective::shfl_down ||
         op == Collective::shfl_xor;
}

// The lane that lane `self` reads, or itself where the source lies outside its segment (PTX ISA, shfl.sync).
unsigned source_of(Collective op, int self, int argument, int width) {
  const int base = self & ~(width - 1);
  int source = self;
  switch (op) {
    case Collective::shfl:
      return static_cast<unsigned>(base + (argument & (width - 1)));
    case Collective::shfl_up:
      source = self - argument >= base ? self - argument : self;
      break;
    case Collective::shfl_down:
      source = self + argument < base + width ? self + argument : self;
      break;
    default:
      source = (self ^ argument) < base + width ? self ^ argument : self;
  }
  return static_cast<unsigned>(source);
}

std::uint64_t reduce(Collective op, std::uint64_t a, std::uint64_t b) {
  const auto x = static_cast<std::uint32_t>(a), y = static_cast<std::uint32_t>(b);
  const auto sx = static_cast<std::int32_t>(x), sy = static_cast<std::int32_t>(y);
  switch (op) {
    case Collective::add:
      return x + y;
    case Collective::min_signed:
      return sx < sy ? x : y;
    case Collective::max_signed:
      return sx > sy ? x : y;
    case Collective::min_unsigned:
      return x < y ? x : y;
    case Collective::max_unsigned:
      return x > y ? x : y;
    case Collective::bit_and:
      return x & y;
    case Collective::bit_or:
      return x | y;
    default:
      return x ^ y;
  }
}

[[noreturn]] void bad_width(const Meeting& meeting, int width, const Thread& lane) {
  stop({"bad-argument",
        std::string(meeting.name) + " with width " + std::to_string(width) + ", which is not a power of two up to 32",
        "",
        {{"calls", {lane.site, nullptr}, name_of(lane), ""}}});
}

[[noreturn]] void nobody_there(const Meeting& meeting, unsigned source, const Thread& lane) {
  stop({"inactive-lane",
        std::string(meeting.name) + " reads lane " + std::to_string(source) +
            (meeting.mask >> source & 1 ? ", which has exited or does not exist" : ", which the mask does not name") +
            ". The value is undefined",
        "let every lane reach the shuffle, with a neutral value where it has no work",
        {{"reads", {lane.site, nullptr}, name_of(lane), ""}}});
}

void shuffle(const Meeting& meeting, Warp& warp, const Thread* lanes) {
  for (unsigned i = 0; i < kWarp; ++i) {
    if (!(meeting.arrived >> i & 1)) continue;
    const int width = warp.width[i];
    if (width < 1 || width > 32 || (width & (width - 1))) [[unlikely]]
      bad_width(meeting, width, lanes[i]);
    const unsigned source = source_of(meeting.op, static_cast<int>(i), warp.argument[i], width) % kWarp;
    if (!(meeting.arrived >> source & 1)) [[unlikely]]
      nobody_there(meeting, source, lanes[i]);
    warp.result[i] = warp.value[source];
  }
}

std::uint32_t equal_to(const Meeting& meeting, const Warp& warp, unsigned lane) {
  std::uint32_t equal = 0;
  for (unsigned i = 0; i < kWarp; ++i)
    if ((meeting.arrived >> i & 1) && warp.value[i] == warp.value[lane]) equal |= 1u << i;
  return equal;
}

// What all lanes get alike.
std::uint64_t common(const Meeting& meeting, const Warp& warp) {
  std::uint32_t ballot = 0;
  std::uint64_t reduced = 0;
  bool first = true;
  for (unsigned i = 0; i < kWarp; ++i) {
    if (!(meeting.arrived >> i & 1)) continue;
    if (warp.value[i]) ballot |= 1u << i;
    reduced = first ? warp.value[i] : reduce(meeting.op, reduced, warp.value[i]);
    first = false;
  }
  switch (meeting.op) {
    case Collective::all:
      return ballot == meeting.arrived;
    case Collective::any:
      return ballot != 0;
    case Collective::ballot:
      return ballot;
    case Collective::match_all: {
      const auto any = static_cast<unsigned>(__builtin_ctz(meeting.arrived));
      return equal_to(meeting, warp, any) == meeting.arrived ? meeting.arrived : 0;
    }
    default:
      return reduced;
  }
}

}  // namespace

void compute(const Meeting& meeting, Warp& warp, const Thread* lanes) {
  if (meeting.op == Collective::sync || !meeting.arrived) return;
  if (is_shuffle(meeting.op)) return shuffle(meeting, warp, lanes);
  const bool alike = meeting.op != Collective::match_any;
  const std::uint64_t result = alike ? common(meeting, warp) : 0;
  for (unsigned i = 0; i < kWarp; ++i)
    if (meeting.arrived >> i & 1) warp.result[i] = alike ? result : equal_to(meeting, warp, i);
}

const char* name_of(Collective op) {
  static const char* const names[] = {
      "__syncwarp",        "__shfl_sync",       "__shfl_up_sync",    "__shfl_down_sync",  "__shfl_xor_sync",
      "__all_sync",        "__any_sync",        "__ballot_sync",     "__match_any_sync",  "__match_all_sync",
      "__reduce_add_sync", "__reduce_min_sync", "__reduce_min_sync", "__reduce_max_sync", "__reduce_max_sync",
      "__reduce_and_sync", "__reduce_or_sync",  "__reduce_xor_sync"};
  return names[static_cast<unsigned>(op)];
}

const char* name_of(Barrier kind) {
  static const char* const names[] = {"__syncthreads", "__syncthreads_count", "__syncthreads_and", "__syncthreads_or"};
  return names[static_cast<unsigned>(kind)];
}

bool same(Site a, Site b) { return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0); }

std::string text(Site site) {
  return site.file ? std::string(site.file) + ":" + std::to_string(site.line) : "an unknown place";
}

}  // namespace spak::sim
