// wgmma by the threads that call it: who comes together, and what the checkers are told. Knows nothing of addresses and
// numbers.
#include "spak/sim/model/wgmma.h"

#include "engine/unit.h"
#include "profile/profile.h"
#include "wgmma_group.h"
#include "whole_warp.h"

#pragma GCC visibility push(hidden)
namespace spak::sim {

namespace {

// What one thread brings to a wgmma.
struct Call {
  const WgmmaForm* form;
  std::uint32_t* d;
  const std::uint32_t* fragment;  // of A; null: `a` is a descriptor
  std::uint64_t a, b;
  bool accumulate;
  Site site;
};

const Call& call_of(void* const* arguments, unsigned thread) { return *static_cast<const Call*>(arguments[thread]); }

void require_agreement(void* const* arguments) {
  const Call& first = call_of(arguments, 0);
  for (unsigned thread = 1; thread < kGroupThreads; ++thread) {
    const Call& other = call_of(arguments, thread);
    if (other.a == first.a && other.b == first.b && other.accumulate == first.accumulate) continue;
    Block& block = self().owner();
    const unsigned base = self().index / kGroupThreads * kGroupThreads;
    stop({"bad-descriptor",
          "the threads of a warpgroup give a wgmma different descriptors or a different `accumulate`",
          "compute them from values that are the same in all 128 threads",
          {{"issues the wgmma", {first.site}, name_of(block.thread(base)), ""},
           {"issues it with other operands", {other.site}, name_of(block.thread(base + thread)), ""}}});
  }
}

void multiply(void* const* arguments) {
  const Call& first = call_of(arguments, 0);
  const WgmmaForm& form = *first.form;
  require_agreement(arguments);
  auto next = std::make_shared<Multiplication>();
  next->form = form;
  next->accumulate = first.accumulate;
  next->from_registers = first.fragment != nullptr;
  std::uint32_t* registers[kGroupThreads];
  for (unsigned thread = 0; thread < kGroupThreads; ++thread) {
    const Call& call = call_of(arguments, thread);
    registers[thread] = call.d;
    if (call.fragment) std::copy_n(call.fragment, 4, next->fragments[thread].begin());
    next->fragments_at[thread] = call.fragment;
  }
  if (!next->from_registers) next->a.read(first.a, form.a, 64, form.m_major_a, "A", first.site);
  next->b.read(first.b, form.b, form.n, form.n_major_b, "B", first.site);
  if (check::on()) {
    next->reads = check::depart("wgmma", check::Proxy::async, first.site);
    if (!next->from_registers) next->a.will_read(next->reads);
    next->b.will_read(next->reads);
    // Each warp issues its part when it comes: the last lane stands for it.
    Block& block = self().owner();
    const unsigned base = self().index / kGroupThreads * kGroupThreads, own = self().index % kGroupThreads / 32;
    for (unsigned warp = 0; warp < kWarps; ++warp)
      if (warp != own) check::issued_with(next->reads, block.thread(base + 32 * warp + 31));
  }
  profile::event(profile::Event::wgmma);
  profile::event(profile::Event::wgmma_flops, 2ull * 64 * form.n * 32 / bytes_of(form.a));
  own_warpgroup().issue(std::move(next), registers, first.site);
}

// The calling thread's part of the accumulators is in flight, by the last wgmma that changes them.
void depart_accumulators(const Call& call, unsigned thread) {
  for (const auto& tile : own_warpgroup().tiles) {
    if (tile->registers[thread] != call.d || !(tile->in_flight >> thread / 32 & 1)) continue;
    tile->flights.resize(kGroupThreads);
    if (tile->flights[thread]) check::land(tile->flights[thread]);
    tile->flights[thread] = check::depart("wgmma", check::Proxy::async, call.site);
    check::will_change(tile->flights[thread], call.d, tile->count() * sizeof(std::uint32_t));
    return;
  }
}

// So are its registers of A, which PTX keeps from reads as well; the same ones may serve several wgmmas.
void depart_fragment(const Call& call, unsigned thread) {
  auto& issued = own_warpgroup().issued;
  Multiplication* mine = nullptr;
  for (auto at = issued.rbegin(); at != issued.rend(); ++at) {
    Multiplication& step = **at;
    if (step.fragments_at[thread] != call.fragment) continue;
    if (mine == nullptr) {
      mine = &step;
    } else if (thread < step.fragment_flights.size() && step.fragment_flights[thread]) {
      check::land(std::exchange(step.fragment_flights[thread], nullptr));
      break;
    }
  }
  if (mine == nullptr) return;
  mine->fragment_flights.resize(kGroupThreads);
  mine->fragment_flights[thread] = check::depart("wgmma", check::Proxy::async, call.site);
  check::will_change(mine->fragment_flights[thread], const_cast<std::uint32_t*>(call.fragment),
                     4 * sizeof(std::uint32_t));
}

void together(const Call& call) {
  static const char* const names[] = {"wgmma f16",  "wgmma bf16", "wgmma tf32", "wgmma e4m3",
                                      "wgmma e5m2", "wgmma s8",   "wgmma u8"};
  together_warpgroup(names[static_cast<unsigned>(call.form->a)], const_cast<Call*>(&call), multiply, call.site);
  if (!check::on()) return;
  const unsigned thread = whereabouts().thread % kGroupThreads;
  depart_accumulators(call, thread);
  if (call.fragment) depart_fragment(call, thread);
}

// A fence, commit or wait of one warp.
struct Step {
  WarpState* warp;
  unsigned pending;
  Site site;
};

WarpState& own_warp() { return own_warpgroup().warps[whereabouts().thread % kGroupThreads / 32]; }

}  // namespace

void wgmma(const WgmmaForm& form, void* d, std::uint64_t a, std::uint64_t b, bool accumulate, Site site) {
  together({&form, static_cast<std::uint32_t*>(d), nullptr, a, b, accumulate, site});
}

void wgmma(const WgmmaForm& form, void* d, const std::uint32_t (&a)[4], std::uint64_t b, bool accumulate, Site site) {
  together({&form, static_cast<std::uint32_t*>(d), a, 0, b, accumulate, site});
}

void wgmma_fence(Site site) {
  together_warp(
      "wgmma.fence", 0xFFFFFFFFu, nullptr,
      [](void* const*, std::uint32_t arrived) {
        require_whole_warp(arrived, "wgmma.fence");
        own_warp().fenced = true;
        ++own_warp().fences;
        own_warp().fragments.clear();
      },
      site);
}

void wgmma_commit(Site site) {
  together_warp(
      "wgmma.commit_group", 0xFFFFFFFFu, nullptr,
      [](void* const*, std::uint32_t arrived) {
        require_whole_warp(arrived, "wgmma.commit_group");
        own_warp().groups.push_back(own_warpgroup().count);
      },
      site);
}

void wgmma_wait(int pending, Site site) {
  Step step{&own_warp(), static_cast<unsigned>(pending), site};
  together_warp(
      "wgmma.wait_group", 0xFFFFFFFFu, &step,
      [](void* const* arguments, std::uint32_t arrived) {
        require_whole_warp(arrived, "wgmma.wait_group");
        const Step& first = *static_cast<const Step*>(arguments[0]);
        own_warpgroup().wait(whereabouts().thread % kGroupThreads / 32, first.pending, first.site);
      },
      site);
  if (!check::on()) return;
  const unsigned thread = whereabouts().thread % kGroupThreads;
  for (const auto& one : step.warp->landed) {
    check::land(one->reads);
    if (thread < one->fragment_flights.size() && one->fragment_flights[thread])
      check::land(std::exchange(one->fragment_flights[thread], nullptr));
  }
  for (const auto& tile : step.warp->given_back)
    if (thread < tile->flights.size() && tile->flights[thread])
      check::land(std::exchange(tile->flights[thread], nullptr));
}

}  // namespace spak::sim
#pragma GCC visibility pop
