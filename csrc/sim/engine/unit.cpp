// The scheduler. A thread runs until it waits; the next one is chosen by the order in force. Asynchronous operations are
// performed here too, as early or as late as is asked for. Knows nothing of what threads wait for.
#include "unit.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "check/check.h"
#include "collective.h"
#include "profile/profile.h"
#include "sanitizer.h"
#include "watch.h"

__thread spak_sim_index spak_sim_thread_index;
__thread spak::sim::Dim spak_sim_block_index;
__thread spak::sim::Dim spak_sim_block_dim;
__thread spak::sim::Dim spak_sim_grid_dim;

namespace spak::sim {

__thread ThreadView* current __attribute__((tls_model("initial-exec"))) = nullptr;
__thread unsigned polls __attribute__((tls_model("initial-exec")));
__thread FenceScope atomic_scope __attribute__((tls_model("initial-exec"))) = FenceScope::device;
__thread Unit* running __attribute__((tls_model("initial-exec"))) = nullptr;

unsigned next_slot() {
  static unsigned next = 0;
  return next++;
}

void Unit::begin(const Job& job, std::uint64_t index, Pace& pace) {
  job_ = &job;
  pace_ = &pace;
  index_ = index;
  const Config& config = job.config;
  const auto narrow = [](long long value) { return static_cast<unsigned>(value); };
  const Dim cluster{narrow(config.cluster[0]), narrow(config.cluster[1]), narrow(config.cluster[2])};
  const std::uint64_t across = static_cast<std::uint64_t>(config.grid[0]) / cluster.x;
  const std::uint64_t down = static_cast<std::uint64_t>(config.grid[1]) / cluster.y;
  const unsigned count = static_cast<unsigned>(job.unit_blocks()), ranks = job.cluster_blocks();
  while (owned_.size() < count) owned_.push_back(std::make_unique<Block>());
  while (clusters_.size() < count / ranks) clusters_.push_back(std::make_unique<Cluster>());
  order_of_blocks_.resize(count);
  windows_.reserve(count);
  for (unsigned i = 0; i < count; ++i) {
    const std::uint64_t which = config.cooperative ? i / ranks : index;
    const unsigned rank = i % ranks;
    const Dim place{static_cast<unsigned>(which % across) * cluster.x + rank % cluster.x,
                    static_cast<unsigned>(which / across % down) * cluster.y + rank / cluster.x % cluster.y,
                    static_cast<unsigned>(which / across / down) * cluster.z + rank / cluster.x / cluster.y};
    order_of_blocks_[i] = owned_[i].get();
    owned_[i]->begin(*this, job, place, rank, windows_.at(i));
    if (rank) continue;
    clusters_[i / ranks]->blocks = &order_of_blocks_[i];
    clusters_[i / ranks]->count = ranks;
    clusters_[i / ranks]->states.clear();
  }
  block_threads_ = job.block_threads();
  total_ = count * block_threads_;
  started_ = exited_ = ready_head_ = ready_tail_ = idle_ = polling_meetings_ = 0;
  polls_seen_ = polls;
  if (ready_memory_.size() < total_ + 1) {
    std::size_t capacity = 64;
    while (capacity < total_ + 1) capacity *= 2;
    ready_memory_.resize(capacity);
    ready_ = ready_memory_.data();
    ready_mask_ = static_cast<unsigned>(capacity - 1);
  }
  spinning_ = expired_ = ending_ = begun_ = false;
  on_leave = nullptr;
  main_bottom_ = nullptr;
  stop_.reset();
  pending_.clear();
  states_.clear();
  checked = nullptr;
  order_ = job.settings.order;
  random_ = Random(Random(job.settings.seed).next() + index * 0xD1B54A32D192ED03u);
  attention_ = job.settings.completion == Completion::random;
  if (order_ == Order::random) shuffle();
  live_ = true;
}

// Half of the units interleave whole warps, the other half single threads: each hides what the other shows.
void Unit::shuffle() {
  shuffled_.resize(total_);
  for (unsigned i = 0; i < total_; ++i) shuffled_[i] = i;
  const bool by_warp = (random_.next() & 1) && block_threads_ % kWarp == 0;
  const unsigned warps = total_ / kWarp;
  for (unsigned n = total_; !by_warp && n > 1; --n) std::swap(shuffled_[n - 1], shuffled_[random_.below(n)]);
  for (unsigned n = warps; by_warp && n > 1; --n) {
    const auto a = shuffled_.begin() + (n - 1) * kWarp,
               b = shuffled_.begin() + static_cast<std::ptrdiff_t>(random_.below(n) * kWarp);
    if (a != b) std::swap_ranges(a, a + kWarp, b);
  }
}

void Unit::release(Thread* const* threads, unsigned count) {
  for (unsigned i = 0; i < count; ++i) push(*threads[i]);
  met();
}

unsigned Unit::block_number(const Block& block) const {
  for (unsigned i = 0; i < order_of_blocks_.size(); ++i)
    if (order_of_blocks_[i] == &block) return i;
  return 0;
}

Unit::Status Unit::run(bool polite) {
  Unit* const before = std::exchange(running, this);
  ThreadView* const outer = current;
  const auto restore = [&] { current = outer, running = before; };
  const Block& first = *order_of_blocks_[0];
  spak_sim_block_dim = first.dim;
  spak_sim_grid_dim = first.grid;
  if (!std::exchange(begun_, true)) {
    if (check::on()) check::unit_begin(*this);
    for (Block* block : order_of_blocks_)
      if (profile::on()) profile::block_begin(*block);
  }
  spinning_ = aside_ = tired_ = false;
  polite_ = polite && order_ == Order::random;
  idle_ = 0;
  swift_ = order_ != Order::random && !attention_ && !sanitized() && !check::on();
  try {
    current = nullptr;
    here_ = nullptr;
    if (Thread* next = pick(true)) resume(main_, nullptr, *next);
    current = nullptr;
    if (check::on()) check::left();
    if (stop_) throw Stop(*stop_);
    if (spinning_ || aside_) {
      restore();
      return spinning_ ? Status::spinning : Status::aside;
    }
    if (exited_ != total_) stuck();
    while (perform_one()) {
    }
    end_checks();
    for (Block* block : order_of_blocks_) {
      if (job_->checked) break;  // the checkers saw the access itself
      const Window::Damage damage = block->window().damage();
      if (damage.sentence.empty()) continue;
      throw Stop(
          job_->config.name,
          {"shared-overflow", damage.sentence, "", {{"was overrun", {damage.site, nullptr}, block->name(), ""}}});
    }
  } catch (...) {
    restore();
    throw;
  }
  restore();
  live_ = false;
  return Status::finished;
}

void Unit::end_checks() {
  if (std::exchange(begun_, false) && check::on()) check::unit_end(*this);
}

void Unit::drop() {
  if (!std::exchange(live_, false)) return;
  end_checks();
  for (Block* block : order_of_blocks_) {
    for (unsigned i = 0; i < block->size(); ++i)
      if (Thread& thread = block->thread(i); thread.stack >= 0) stacks_.give(std::exchange(thread.stack, -1));
  }
  pending_.clear();
}

Thread& Unit::start(unsigned n) const {
  const unsigned at = order_ == Order::forward ? n : order_ == Order::reverse ? total_ - 1 - n : shuffled_[n];
  return order_of_blocks_.size() == 1 ? order_of_blocks_[0]->thread(at)
                                      : order_of_blocks_[at / block_threads_]->thread(at % block_threads_);
}

// Ready threads go before new ones, so that a kernel whose warps work alone needs few stacks, unless a thread polls
// for something that a new one may have to write. A random order takes either.
Thread* Unit::pick(bool prefer_new) {
  if (attention_) [[unlikely]] {
    if (expired_) overdue(nullptr);
    if (job_->settings.completion == Completion::random && !pending_.empty() && random_.below(8) == 0)
      perform(random_.below(pending_.size()));
  }
  if (order_ == Order::random && ready_count() && started_ < total_) prefer_new = random_.next() & 1;
  if ((prefer_new || !ready_count()) && started_ < total_) {
    idle_ = 0;
    return &start(started_++);
  }
  while (!ready_count())
    if (!perform_one()) return nullptr;
  if (order_ == Order::random && ready_count() > 1)
    std::swap(ready_[ready_head_ & ready_mask_], ready_[(ready_head_ + random_.below(ready_count())) & ready_mask_]);
  Thread* next = ready_[ready_head_ & ready_mask_];
  ++ready_head_;
  return next;
}

// The last legal moment: nobody can go on without it. False if nothing is pending.
bool Unit::perform_one() {
  while (!pending_.empty() && pending_.front()->done) pending_.pop_front();
  if (pending_.empty()) return false;
  perform(order_ == Order::random ? random_.below(pending_.size()) : 0);
  return true;
}

void Unit::perform(std::size_t at) {
  const OperationRef operation = std::move(pending_[at]);
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(at));
  achieved();
  finish(operation);
}

void Unit::issue(OperationRef operation) {
  if (job_->settings.completion == Completion::eager) return finish(operation);
  pending_.push_back(std::move(operation));
}

void Unit::enter(Thread& next) {
  if (next.block != here_) move(next.owner());
  current = &next;
  spak_sim_thread_index = {next.thread, next.lane};
  if (check::on()) [[unlikely]]
    check::resumed(next);
}

void Unit::prepare(Thread& thread) const {
  thread.stack_low = static_cast<char*>(stacks_.low(thread.stack));
  thread.stack_high = thread.stack_low + stacks_.bytes();
}

void Unit::resume(Context& from, Thread* self, Thread& next) {
  if (next.state == State::unstarted) {
    next.stack = stacks_.take();
    prepare(next);
    next.context.prepare(next.stack_low, stacks_.top(next.stack), &Unit::fiber);
  }
  enter(next);
  if (!sanitized()) [[likely]] {
    Context::swap(from, next.context);
    return;
  }
  void** const save = self ? &self->fake_stack : &main_fake_stack_;
  __sanitizer_start_switch_fiber(save, stacks_.low(next.stack), stacks_.bytes());
  Context::swap(from, next.context);
  __sanitizer_finish_switch_fiber(self ? self->fake_stack : main_fake_stack_, nullptr, nullptr);
}

// Blocks that never interleave hide what they do to each other's global memory.
void Unit::after_barrier() {
  if (!polite_ || random_.below(4) != 0) return suspend();
  aside_ = true;
  to_main(thread());
}

void Unit::move(Block& block) {
  here_ = &block;
  spak_sim_block_index = block.block;
}

void Unit::wait() {
  if (!tired_ || started_ != total_) [[likely]]
    return switch_from(thread(), false);
  spinning_ = true;
  to_main(thread());
}

void Unit::switch_from(Thread& self, bool prefer_new) {
  Thread* const next = pick(prefer_new);
  if (next == &self) return;
  if (next) [[likely]]
    return resume(self.context, &self, *next);
  to_main(self);  // nobody can run: the caller of `run` says why
}

void Unit::to_main(Thread& self) {
  if (!sanitized()) {
    Context::swap(self.context, main_);
    return;
  }
  __sanitizer_start_switch_fiber(&self.fake_stack, main_bottom_, main_size_);
  Context::swap(self.context, main_);
  __sanitizer_finish_switch_fiber(self.fake_stack, nullptr, nullptr);
}

void Unit::yield(const void* pc, bool often) {
  Thread& self = thread();
  self.polled_at = pc;
  push(self);
  // Enough rounds for a thread that polls every now and then; one for those that do nothing else.
  const unsigned patience = 4 * ready_count() + 64;
  idle_ += often ? patience / ready_count() + 1 : 1;
  if (started_ == total_ && idle_ > patience && !perform_one()) {
    spinning_ = true;
    to_main(self);
  } else {
    switch_from(self, true);
  }
  self.polled_at = nullptr;
}

// Runs one thread after another on one stack, as long as none of them waits.
void Unit::fiber() {
  Unit& self = *running;
  if (sanitized()) {
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
    if (!self.main_bottom_) self.main_bottom_ = bottom, self.main_size_ = size;  // the first fiber comes from there
  }
  for (;;) {
    Thread& mine = self.thread();
    self.live(mine);
    Thread* next = nullptr;
    try {
      next = self.pick(false);
    } catch (Stop& stop) {
      self.stop_ = std::make_unique<Stop>(stop);
    }
    if (next && next->state == State::unstarted) {
      next->stack = std::exchange(mine.stack, -1);
      next->stack_low = mine.stack_low;
      next->stack_high = mine.stack_high;
      self.enter(*next);
      continue;
    }
    self.stacks_.give(std::exchange(mine.stack, -1));
    if (sanitized()) {
      const bool home = !next;
      __sanitizer_start_switch_fiber(nullptr, home ? self.main_bottom_ : self.stacks_.low(next->stack),
                                     home ? self.main_size_ : self.stacks_.bytes());
    }
    if (!next) Context::jump(self.main_);
    self.enter(*next);
    Context::jump(next->context);
  }
}

void Unit::live(Thread& thread) {
  thread.state = State::ready;
  const auto threw = [&](const std::string& what) {
    return std::make_unique<Stop>(
        job_->config.name,
        Finding{
            "exception", what, "device code cannot throw", {{"throws", {thread.site, nullptr}, name_of(thread), ""}}});
  };
  try {
    if (check::on()) check::thread_begin(thread);
    try {
      job_->entry(job_->context);
    } catch (const Ended&) {
    }
    thread.owner().leave(thread);
    ++exited_;
    achieved();
  } catch (Stop& stop) {
    stop_ = std::make_unique<Stop>(stop);
  } catch (std::exception& error) {
    stop_ = threw(std::string("threw ") + error.what());
  } catch (...) {
    stop_ = threw("threw an exception");
  }
  if (!stop_) return;
  // The other threads are abandoned where they stand: device code owns nothing.
  if (sanitized()) __sanitizer_start_switch_fiber(nullptr, main_bottom_, main_size_);
  Context::jump(main_);
}

void Unit::expire(const void* pc) {
  expired_ = attention_ = true;
  swift_ = false;
  if (pc) overdue(pc);
}

void Unit::overdue(const void* pc) {
  ending_ = true;
  Finding finding = pace_->finding();
  // Between two turns of the unit nobody runs: who would be next has polled before.
  if (const Thread* one = current ? &thread() : ready_count() ? ready_[ready_head_ & ready_mask_] : nullptr) {
    if (one->polled_at) pc = one->polled_at;  // it is in the engine, which it called from there
    finding.parties.push_back(
        {"runs", {one->site, pc}, name_of(*one), pc && one->site.file ? text(one->site) + " was passed last" : ""});
  }
  stop(std::move(finding));
}

void Unit::abandon(Stop stop) {
  stop_ = std::make_unique<Stop>(std::move(stop));
  if (sanitized()) __sanitizer_start_switch_fiber(nullptr, main_bottom_, main_size_);
  Context::jump(main_);
}

}  // namespace spak::sim
