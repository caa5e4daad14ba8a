// What a test's host code needs to launch a kernel and to hand errors and findings back through ctypes. Knows no kernel.
#pragma once
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <type_traits>

#include <spak/sim/launch.h>
#include <spak/sim/regions.h>
#include <spak/sim/report.h>

#define SPAK_TEST_EXPORT extern "C" __attribute__((visibility("default")))

namespace spak_test {

// Classes are passed by pointer, everything else as it is.
template <typename T>
using Argument = std::conditional_t<std::is_class_v<T>, const T*, std::remove_const_t<T>>;
template <typename T>
inline decltype(auto) value(Argument<T> argument) {
  if constexpr (std::is_class_v<T>) return static_cast<const T&>(*argument);
  else return static_cast<std::remove_const_t<T>>(argument);
}

// 0, or 1 and "rule\nmessage" in `error`.
template <typename Kernel>
int run(const spak::sim::Config* config, char* error, int size, Kernel&& kernel) {
  spak::sim::Config mine = *config;
#if defined(SPAK_SIM_INSTRUMENTED)
  mine.instrumented = true;
#endif
  try {
    spak::sim::launch(mine, kernel);
    return 0;
  } catch (const spak::sim::Fault& fault) {
    std::snprintf(error, static_cast<std::size_t>(size), "%s\n%s", fault.rule().c_str(), fault.what());
  } catch (const std::exception& other) {
    std::snprintf(error, static_cast<std::size_t>(size), "host\n%s", other.what());
  }
  return 1;
}

}  // namespace spak_test
