// The scheduler of one block. A thread runs until it waits; the next one is chosen by the order in force. Knows
// nothing of other blocks, nor what collective operations compute.
#include "block.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "collective.h"

namespace spak::sim {

__thread ThreadView* current __attribute__((tls_model("initial-exec"))) = nullptr;
__thread Block* running __attribute__((tls_model("initial-exec"))) = nullptr;

void Block::begin(std::uint64_t index) {
  const Config& config = job_->config;
  const auto narrow = [](long long value) { return static_cast<unsigned>(value); };
  dim = {narrow(config.block[0]), narrow(config.block[1]), narrow(config.block[2])};
  grid = {narrow(config.grid[0]), narrow(config.grid[1]), narrow(config.grid[2])};
  block = {static_cast<unsigned>(index % grid.x), static_cast<unsigned>(index / grid.x % grid.y),
           static_cast<unsigned>(index / grid.x / grid.y)};
  size_ = dim.x * dim.y * dim.z;
  started_ = exited_ = ready_head_ = ready_count_ = waiting_count_ = 0;
  barrier_mismatch_ = false;
  barrier_trues_ = 0;
  fault_.reset();
  order_ = job_->settings.order;
  random_ = Random(job_->settings.seed * 0x9E3779B97F4A7C15u + index);
  Dim at{0, 0, 0};
  for (unsigned i = 0; i < size_; ++i) {
    Thread& thread = threads_[i];
    thread.thread = at;
    thread.lane = i % kWarp;
    thread.block = this;
    thread.site = {nullptr, 0};
    thread.atomics = 0;
    thread.state = State::unstarted;
    if (++at.x == dim.x) at.x = 0, ++at.y;
    if (at.y == dim.y) at.y = 0, ++at.z;
  }
  for (unsigned first = 0, warp = 0; first < size_; first += kWarp, ++warp) {
    warps_[warp].gone = size_ - first >= kWarp ? 0 : ~0u << (size_ - first);
    warps_[warp].open.clear();
  }
  arena_.begin(static_cast<std::size_t>(config.smem_bytes));
  stacks_.give_all();
  if (order_ != Order::random) return;
  // Half of the blocks interleave whole warps, the other half single threads: each hides what the other shows.
  for (unsigned i = 0; i < size_; ++i) shuffled_[i] = static_cast<std::uint16_t>(i);
  const bool by_warp = random_.next() & 1;
  const unsigned warps = size_ / kWarp;
  for (unsigned n = size_; !by_warp && n > 1; --n) std::swap(shuffled_[n - 1], shuffled_[random_.below(n)]);
  for (unsigned n = warps; by_warp && n > 1; --n) {
    const auto a = shuffled_.begin() + (n - 1) * kWarp, b = shuffled_.begin() + random_.below(n) * kWarp;
    if (a != b) std::swap_ranges(a, a + kWarp, b);
  }
}

void Block::run(const Job& job, std::uint64_t index) {
  job_ = &job;
  running = this;
  ThreadView* const outer = current;
  begin(index);
  resume(main_, *pick(true));
  current = outer;
  running = nullptr;
  if (fault_) throw Fault(*fault_);
  if (exited_ != size_) throw stuck();
  if (const std::string damage = arena_.damage(); !damage.empty())
    throw Fault("shared-overflow", "kernel `" + std::string(job.config.name) + "`, block (" + std::to_string(block.x) + "," +
                                       std::to_string(block.y) + "," + std::to_string(block.z) + "): " + damage);
}

unsigned Block::start_order(unsigned n) const {
  if (order_ == Order::forward) return n;
  return order_ == Order::reverse ? size_ - 1 - n : shuffled_[n];
}

// Ready threads go before new ones, so that a kernel whose warps work alone needs few stacks, unless a thread polls
// for something that a new one may have to write. A random order takes either.
Thread* Block::pick(bool prefer_new) {
  if (order_ == Order::random && ready_count_ && started_ < size_) prefer_new = random_.next() & 1;
  if ((prefer_new || !ready_count_) && started_ < size_) return &threads_[start_order(started_++)];
  if (!ready_count_) return nullptr;
  if (order_ == Order::random && ready_count_ > 1)
    std::swap(ready_[ready_head_], ready_[(ready_head_ + random_.below(ready_count_)) % kMaxThreads]);
  Thread* next = ready_[ready_head_];
  ready_head_ = (ready_head_ + 1) % kMaxThreads;
  --ready_count_;
  return next;
}

void Block::resume(Context& from, Thread& next) {
  current = &next;
  if (next.state == State::unstarted) {
    next.stack = stacks_.take();
    next.context.prepare(stacks_.low(next.stack), stacks_.top(next.stack), &Block::fiber);
  }
  Context::swap(from, next.context);
}

// The calling thread has put itself where it will be woken from.
void Block::suspend(bool prefer_new) {
  Thread& self = thread();
  Thread* next = pick(prefer_new);
  if (next == &self) return;
  if (next) return resume(self.context, *next);
  Context::swap(self.context, main_);  // nobody can run: the caller of `run` says why
}

// Runs one thread after another on one stack, as long as none of them waits.
void Block::fiber() {
  Block& self = *running;
  for (;;) {
    Thread& mine = self.thread();
    self.live(mine);
    Thread* next = self.pick(false);
    if (next && next->state == State::unstarted) {
      next->stack = mine.stack;
      current = next;
      continue;
    }
    self.stacks_.give(mine.stack);
    if (!next) Context::jump(self.main_);
    current = next;
    Context::jump(next->context);
  }
}

void Block::live(Thread& thread) {
  thread.state = State::ready;
  try {
    job_->entry(job_->context);
    leave(thread);
  } catch (Fault& fault) {
    fault_ = std::make_unique<Fault>(fault);
  } catch (std::exception& error) {
    fault_ = std::make_unique<Fault>("exception", where(thread) + ": threw " + error.what());
  } catch (...) {
    fault_ = std::make_unique<Fault>("exception", where(thread) + ": threw an exception");
  }
  if (fault_) Context::jump(main_);  // the other threads are abandoned where they stand: device code owns nothing
}

void Block::abandon(Fault fault) {
  fault_ = std::make_unique<Fault>(std::move(fault));
  Context::jump(main_);
}

void Block::leave(Thread& thread) {
  thread.state = State::exited;
  ++exited_;
  Warp& warp = warps_[index_of(thread) / kWarp];
  warp.gone |= 1u << thread.lane;
  for (std::size_t i = 0; i < warp.open.size();)
    if (!complete(warp, index_of(thread) - thread.lane, i)) ++i;
}

int Block::barrier(Barrier kind, int predicate, Site site) {
  Thread& self = thread();
  self.site = site;
  const Thread* first = waiting_count_ ? waiting_[0] : &self;
  if (!waiting_count_) barrier_kind_ = kind;
  if (barrier_kind_ != kind || !same(first->site, site)) barrier_mismatch_ = true;
  barrier_trues_ += predicate != 0;
  self.state = State::barrier;
  waiting_[waiting_count_++] = &self;
  if (waiting_count_ == size_) {
    if (barrier_mismatch_) throw stuck();
    const int trues = std::exchange(barrier_trues_, 0);
    if (kind == Barrier::count) barrier_result_ = trues;
    else barrier_result_ = kind == Barrier::all ? trues == static_cast<int>(size_) : trues != 0;
    for (unsigned i = 0; i < size_; ++i) {
      waiting_[i]->state = State::ready;
      push(*waiting_[i]);
    }
    waiting_count_ = 0;
  }
  suspend();
  return barrier_result_;
}

std::uint64_t Block::collective(Collective op, std::uint32_t mask, std::uint64_t value, unsigned bytes, int argument, int width,
                                Site site) {
  Thread& self = thread();
  self.site = site;
  const unsigned first = index_of(self) - self.lane;
  Warp& warp = warps_[first / kWarp];
  if (!(mask >> self.lane & 1))
    fail("divergent-warp", "calls a warp operation with a mask that does not name its own lane", site);
  self.op = op, self.mask = mask, self.value = value, self.bytes = bytes, self.argument = argument, self.width = width;
  self.state = State::collective;
  std::size_t i = 0;
  while (i < warp.open.size() && (warp.open[i].mask != mask || warp.open[i].op != op)) ++i;
  if (i == warp.open.size()) warp.open.push_back({op, mask, 0});
  warp.open[i].arrived |= 1u << self.lane;
  (void)complete(warp, first, i);
  suspend();
  return self.result;
}

// Lets the lanes of a meeting go if all have come. Returns whether it did (the meeting is then closed).
bool Block::complete(Warp& warp, unsigned first, std::size_t meeting) {
  const Meeting open = warp.open[meeting];
  if ((open.arrived | warp.gone) != (open.arrived | warp.gone | open.mask)) return false;
  warp.open.erase(warp.open.begin() + static_cast<std::ptrdiff_t>(meeting));
  compute(open, &threads_[first], *this);
  for (unsigned n = 0; n < kWarp; ++n) {
    const unsigned lane = order_ == Order::reverse ? kWarp - 1 - n : n;
    if (!(open.arrived >> lane & 1)) continue;
    threads_[first + lane].state = State::ready;
    push(threads_[first + lane]);
  }
  return true;
}

std::uint32_t Block::active_mask() const {
  const unsigned first = index_of(thread()) - thread().lane;
  std::uint32_t mask = 0;
  for (unsigned lane = 0; lane < kWarp && first + lane < size_; ++lane) {
    const State state = threads_[first + lane].state;
    if (state == State::ready || state == State::unstarted) mask |= 1u << lane;
  }
  return mask;
}

void Block::yield() {
  push(thread());
  suspend(true);
}

}  // namespace spak::sim
