// Device memory: one reserved range, out of which every allocation gets pages of its own between pages that fault. Knows
// nothing of streams and copies.
#include "host/memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "host/call.h"
#include "host/device.h"
#include "spak/sim/regions.h"

namespace spak::sim::host {

namespace {

constexpr std::size_t kPage = 4096, kAlign = 256, kPoisoned = std::size_t{64} << 20, kFreedKept = 4096;
constexpr unsigned char kCanary = 0xA5;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

struct Heap {
  char *begin = nullptr, *end = nullptr, *next = nullptr;
  std::map<const char*, std::unique_ptr<Allocation>> live;
  std::deque<std::unique_ptr<Allocation>> freed;  // oldest first; their pages are used again when the range is used up
  std::size_t in_use = 0;
  unsigned opened = 0;
  bool guarded = false;
};
Heap& heap() {
  static Heap* const one = new Heap;  // outlives every destructor of the program
  return *one;
}

void reserve() {
  Heap& h = heap();
  if (h.begin) return;
  rlimit limit{};
  std::size_t size = std::size_t{1} << 40;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    size = std::min<std::size_t>(size, limit.rlim_cur / 4 / kPage * kPage);
  for (; size >= std::size_t{1} << 24; size = size / 2 / kPage * kPage) {
    void* range = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    h.begin = h.next = static_cast<char*>(range), h.end = h.begin + size;
    return;
  }
}

// Pages, the last of which stays closed.
char* pages(std::size_t bytes) {
  Heap& h = heap();
  reserve();
  if (static_cast<std::size_t>(h.end - h.next) >= bytes) {
    char* const out = h.next;
    h.next += bytes;
    return out;
  }
  for (auto it = h.freed.begin(); it != h.freed.end(); ++it) {
    if ((*it)->page_bytes < bytes) continue;
    char* const out = (*it)->pages;
    h.freed.erase(it);
    return out;
  }
  return nullptr;
}

bool in_device_range(Kind kind) { return kind == Kind::device; }

// Whether what lies outside the allocation, in its own pages, is as it was.
bool intact(const Allocation& a, bool& before) {
  const auto same = [](const char* p, const char* end) {
    return std::all_of(p, end, [](char c) { return static_cast<unsigned char>(c) == kCanary; });
  };
  before = !same(a.pages, a.begin);
  return !before && same(a.begin + a.size, a.pages + a.page_bytes - kPage);
}

void look_at(const Allocation& a, Site site) {
  if (!a.pages || check_mode()) return;  // there every access is seen
  bool before = false;
  if (intact(a, before)) return;
  report({"out-of-bounds",
          std::string("something was written ") + (before ? "before the begin" : "past the end") + " of " + a.name,
          "run it in check mode, which names the line",
          {{"noticed when it was freed", {site, nullptr}, "", ""}, {"allocated", {a.site, nullptr}, "", ""}}});
}

// Host code that touches device memory: says so and dies, as it would with a GPU.
struct sigaction before_us;
void trapped(int signal, siginfo_t* info, void* context) {
  if (current == nullptr && reserved(info->si_addr)) {
    const Allocation* a = find(info->si_addr);
    const Allocation* gone = a ? nullptr : find_freed(info->si_addr);
    std::string what = a ? a->name : gone ? gone->name + ", which was freed" : "device memory that is not allocated";
    const ucontext_t* at = static_cast<const ucontext_t*>(context);
    const void* pc = nullptr;
#if defined(__x86_64__)
    pc = reinterpret_cast<const void*>(at->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    pc = reinterpret_cast<const void*>(at->uc_mcontext.pc);
#endif
    report_misuse("host code dereferences a device pointer: it is inside " + what,
                  "copy it with cudaMemcpy, or allocate it with cudaMallocManaged", {{nullptr, 0}, pc}, "dereferences");
    deliver();
    std::fflush(nullptr);
    _exit(128 + signal);
  }
  if (before_us.sa_flags & SA_SIGINFO) return before_us.sa_sigaction(signal, info, context);
  ::signal(signal,
           before_us.sa_handler == SIG_IGN ? SIG_DFL : before_us.sa_handler);  // the instruction runs again, and dies
}

void guard() {
  Heap& h = heap();
  if (h.guarded || !check_mode()) return;
  h.guarded = true;
  struct sigaction action{};
  action.sa_sigaction = trapped;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, &before_us);
}

void protect(int how) {
  Heap& h = heap();
  if (!h.guarded) return;
  for (auto& [begin, a] : h.live)
    if (in_device_range(a->kind)) mprotect(a->pages, a->page_bytes - kPage, how);
}

}  // namespace

Opened::Opened() {
  if (heap().opened++ == 0) protect(PROT_READ | PROT_WRITE);
}
Opened::~Opened() {
  if (--heap().opened == 0) protect(PROT_NONE);
}

Allocation* adopt(Kind kind, void* begin, std::size_t size, std::string name, Site site) {
  auto made = std::make_unique<Allocation>(
      Allocation{kind, static_cast<char*>(begin), size, std::move(name), site, nullptr, 0});
  Allocation* const a = made.get();
  heap().live[a->begin] = std::move(made);
  add_region({a->name.c_str(), begin, size, kind != Kind::constant, true}, site);
  return a;
}

Allocation* allocate(Kind kind, std::size_t size, const char* function, Site site) {
  Heap& h = heap();
  if (size > device().total_memory || h.in_use + size > device().total_memory) return nullptr;
  guard();
  const std::size_t data = round_up(std::max<std::size_t>(size, 1), kAlign), whole = round_up(data, kPage);
  char* const at = pages(whole + kPage);
  if (!at || mprotect(at, whole, PROT_READ | PROT_WRITE) != 0) return nullptr;
  auto made = std::make_unique<Allocation>(Allocation{kind, at + whole - data, size, "", site, at, whole + kPage});
  Allocation* const a = made.get();
  std::string place = function;
  if (site.file)
    place += std::string(" at ") + (std::strrchr(site.file, '/') ? std::strrchr(site.file, '/') + 1 : site.file) + ":" +
             std::to_string(site.line);
  a->name = "the " + std::to_string(size) + " bytes of " + place;
  std::memset(at, kCanary, static_cast<std::size_t>(a->begin - at));
  std::memset(a->begin + size, kCanary, data - size);
  if (size <= kPoisoned) std::memset(a->begin, 0xFF, size);  // NaN, -1: a read before the first write shows
  if (h.guarded && in_device_range(kind) && h.opened == 0) mprotect(at, whole, PROT_NONE);
  h.live[a->begin] = std::move(made);
  h.in_use += size;
  add_region({a->name.c_str(), a->begin, size, true, host_may_touch(kind)}, site);
  return a;
}

void release(Allocation* a, Site site) {
  Heap& h = heap();
  {
    const Opened open;
    look_at(*a, site);
  }
  remove_region(a->begin, site);
  auto it = h.live.find(a->begin);
  if (a->pages) {
    mprotect(a->pages, a->page_bytes - kPage, PROT_NONE);
    madvise(a->pages, a->page_bytes - kPage, MADV_DONTNEED);
    h.in_use -= a->size;
    h.freed.push_back(std::move(it->second));
    if (h.freed.size() > kFreedKept) h.freed.pop_front();
  }
  h.live.erase(it);
}

void release_all() {
  std::vector<Allocation*> all;
  for (auto& [begin, a] : heap().live)
    if (a->pages) all.push_back(a.get());
  for (Allocation* a : all) release(a, {nullptr, 0});
}

Allocation* find(const void* address) {
  Heap& h = heap();
  const auto* p = static_cast<const char*>(address);
  auto it = h.live.upper_bound(p);
  if (it == h.live.begin()) return nullptr;
  Allocation& a = *std::prev(it)->second;
  return p < a.begin + a.size || p == a.begin ? &a : nullptr;
}

const Allocation* find_freed(const void* address) {
  const auto* p = static_cast<const char*>(address);
  const auto& freed = heap().freed;
  for (auto it = freed.rbegin(); it != freed.rend(); ++it)
    if (p >= (*it)->begin && p < (*it)->begin + std::max<std::size_t>((*it)->size, 1)) return it->get();
  return nullptr;
}

bool reserved(const void* address) {
  const auto* p = static_cast<const char*>(address);
  return p >= heap().begin && p < heap().end;
}

std::size_t bytes_in_use() { return heap().in_use; }

void inspect() {
  const Opened open;
  for (auto& [begin, a] : heap().live) look_at(*a, {nullptr, 0});
}

Global::Global(const char* name, const void* begin, std::size_t size, Memory memory, Site at) {
  const Kind kind = memory == Memory::constant  ? Kind::constant
                    : memory == Memory::managed ? Kind::managed
                                                : Kind::variable;
  adopt(kind, const_cast<void*>(begin), size, name, at);
}

}  // namespace spak::sim::host
