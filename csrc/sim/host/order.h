// Which work of the streams, and which of the host's steps, are before which. Knows nothing of when work runs.
#pragma once
#include <map>

#include "check/streams.h"
#include "host/call.h"

#pragma GCC visibility push(hidden)
namespace spak::sim::host {

// Of each stream, how much is before something.
using Clock = std::map<unsigned long long, unsigned long long>;
void join(Clock& into, const Clock& from);

// A piece of work among all others.
struct Rank {
  unsigned long long stream = 0, number = 0;
  Clock before;  // itself included
};

unsigned long long new_line();  // of a stream, never given twice
// The next piece of work of a stream: `rank.before` is what it comes after, besides what the host knows.
void place_in_order(Rank& rank, unsigned long long stream);
void host_is_after(const Rank& rank);
// All work is done, and the host knows.
void host_is_after_all();

// The host has seen that the work which runs has got here.
void host_sees_work();

// While one lives, what runs is that piece of work.
class Performing {
 public:
  explicit Performing(const Rank& rank);
  ~Performing();
  Performing(const Performing&) = delete;
  Performing& operator=(const Performing&) = delete;

 private:
  const Rank& rank_;
  check::Deed deed_;
};

// Whether copies are looked at: there are streams to race with.
bool several_streams();
void note_stream();

}  // namespace spak::sim::host
#pragma GCC visibility pop
