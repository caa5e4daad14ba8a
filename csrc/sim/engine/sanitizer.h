// What AddressSanitizer wants to know of stacks and red zones, where a program is built with it: all of it through weak
// symbols, so that one engine serves every build. Knows nothing of threads.
#pragma once
#include <cstddef>

extern "C" {
__attribute__((weak)) void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom, std::size_t size);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom, std::size_t* size);
__attribute__((weak)) void __asan_poison_memory_region(const volatile void* begin, std::size_t size);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void* begin, std::size_t size);
}

#pragma GCC visibility push(hidden)
namespace spak::sim {

inline bool sanitized() { return __sanitizer_start_switch_fiber != nullptr; }
inline void poison(const void* begin, std::size_t size) {
  if (__asan_poison_memory_region) __asan_poison_memory_region(begin, size);
}
inline void unpoison(const void* begin, std::size_t size) {
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(begin, size);
}

}  // namespace spak::sim
#pragma GCC visibility pop
