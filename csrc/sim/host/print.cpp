// printf, assert and abort as kernels and host code share them: by name, caught when the program is linked. Knows nothing
// of launches.
#include "host/print.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "spak/sim/engine.h"
#include "spak/sim/index.h"

namespace spak::sim::host {

namespace {

struct Line {
  unsigned long long block, thread;
  std::string text;
};
struct Lines {
  std::mutex mutex;
  std::vector<Line> all;
};
Lines& lines() {
  static Lines* const one = new Lines;
  return *one;
}

int keep(const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  char small[512];
  const int size = std::vsnprintf(small, sizeof small, format, arguments);
  std::string text;
  if (size >= static_cast<int>(sizeof small)) {
    text.resize(static_cast<std::size_t>(size) + 1);
    std::vsnprintf(text.data(), text.size(), format, again);
    text.resize(static_cast<std::size_t>(size));
  } else if (size > 0) {
    text.assign(small, static_cast<std::size_t>(size));
  }
  va_end(again);
  const unsigned long long block =
      blockIdx.x + static_cast<unsigned long long>(gridDim.x) *
                       (blockIdx.y + static_cast<unsigned long long>(gridDim.y) * blockIdx.z);
  const unsigned long long thread =
      threadIdx.x + blockDim.x * (threadIdx.y + static_cast<unsigned long long>(blockDim.y) * threadIdx.z);
  const std::lock_guard guard(lines().mutex);
  lines().all.push_back({block, thread, std::move(text)});
  return size;
}

}  // namespace

void flush_prints() {
  std::vector<Line> all;
  {
    const std::lock_guard guard(lines().mutex);
    all.swap(lines().all);
  }
  std::stable_sort(all.begin(), all.end(), [](const Line& a, const Line& b) {
    return a.block != b.block ? a.block < b.block : a.thread < b.thread;
  });
  for (const Line& line : all) std::fwrite(line.text.data(), 1, line.text.size(), stdout);
  if (!all.empty()) std::fflush(stdout);
}

}  // namespace spak::sim::host

// The default visibility is the C library's, which these stand before.
extern "C" __attribute__((visibility("default"), format(printf, 1, 2))) int printf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int size = spak::sim::current ? spak::sim::host::keep(format, arguments) : std::vprintf(format, arguments);
  va_end(arguments);
  return size;
}

extern "C" __attribute__((visibility("default"), noreturn)) void __assert_fail(const char* condition, const char* file,
                                                                               unsigned line,
                                                                               const char* function) noexcept(false) {
  if (spak::sim::current) {
    const std::string what = std::string("assertion failed: ") + condition;
    spak::sim::fail("assertion", what.c_str(), {file, static_cast<int>(line)});
  }
  std::fflush(stdout);
  std::fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, condition);
  std::abort();
}
