// The process that the checkers run in: its modules, and the stack of the OS thread that launches. Knows nothing of kernels.
#include "check/machine.h"

#include <link.h>
#include <pthread.h>

#include <vector>

#include "engine/unit.h"

namespace spak::sim::check {

namespace {

struct Range {
  std::uintptr_t begin, end;
  Foreign what;
};

struct Machine {
  std::vector<Range> ranges;
  unsigned long long loaded = 0;  // modules, ever
  pthread_t owner{};
  Range arguments{0, 0, Foreign::ignored};
};
Machine& machine() {
  static Machine all;
  return all;
}

int add_module(dl_phdr_info* info, std::size_t, void* data) {
  auto& ranges = *static_cast<std::vector<Range>*>(data);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD)
      ranges.push_back({begin, begin + part.p_memsz, part.p_flags & PF_W ? Foreign::data : Foreign::constant});
    if (part.p_type == PT_GNU_RELRO) ranges.insert(ranges.begin(), {begin, begin + part.p_memsz, Foreign::constant});
    if (part.p_type == PT_TLS && info->dlpi_tls_data) {
      const auto tls = reinterpret_cast<std::uintptr_t>(info->dlpi_tls_data);
      ranges.push_back({tls, tls + part.p_memsz, Foreign::ignored});
    }
  }
  return 0;
}

// Asking for a variable's address is what makes the loader tell where this thread's variables of the module are.
__thread volatile char asked __attribute__((tls_model("global-dynamic"))) = 0;

void add_stack(std::vector<Range>& ranges) {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* low = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  const auto begin = reinterpret_cast<std::uintptr_t>(low);
  ranges.push_back({begin, begin + size, Foreign::ignored});
}

}  // namespace

void machine_begin_launch(const Job& job) {
  Machine& all = machine();
  const auto context = reinterpret_cast<std::uintptr_t>(job.context);
  all.arguments = {context, context + job.context_bytes, Foreign::ignored};
  unsigned long long loaded = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        *static_cast<unsigned long long*>(data) = info->dlpi_adds + info->dlpi_subs;
        return 1;
      },
      &loaded);
  if (!all.ranges.empty() && loaded == all.loaded && pthread_equal(all.owner, pthread_self())) return;
  all.loaded = loaded;
  all.owner = pthread_self();
  all.ranges.clear();
  asked = 1;
  dl_iterate_phdr(add_module, &all.ranges);
  add_stack(all.ranges);
}

bool local_memory(std::uintptr_t address) {
  for (unsigned i = 0; running && i < running->blocks(); ++i) {
    Block& block = running->block(i);
    for (unsigned t = 0; t < block.size(); ++t) {
      const Thread& thread = block.thread(t);
      if (address >= reinterpret_cast<std::uintptr_t>(thread.stack_low) &&
          address < reinterpret_cast<std::uintptr_t>(thread.stack_high))
        return true;
    }
  }
  return false;
}

Foreign foreign_memory(std::uintptr_t address, std::size_t size, std::uintptr_t& begin, std::uintptr_t& end) {
  const Machine& all = machine();
  const auto inside = [&](std::uintptr_t low, std::uintptr_t high) {
    begin = low, end = high;
    return address >= low && address < high && size <= high - address;
  };
  if (inside(all.arguments.begin, all.arguments.end)) return Foreign::ignored;
  for (const Range& range : all.ranges)
    if (inside(range.begin, range.end)) return range.what;
  // What headers of the engine look at in passing.
  if (running) {
    for (unsigned i = 0; i < running->blocks(); ++i) {
      Block& block = running->block(i);
      const auto threads = reinterpret_cast<std::uintptr_t>(block.threads()),
                 itself = reinterpret_cast<std::uintptr_t>(&block);
      if (inside(threads, threads + block.size() * sizeof(Thread)) || inside(itself, itself + sizeof(Block)))
        return Foreign::ignored;
    }
  }
  return Foreign::none;
}

}  // namespace spak::sim::check
