// The exports of every test library beside its kernels. Knows no kernel.
#include <cstdlib>

#include "sim_test.h"

SPAK_TEST_EXPORT char* spak_test_findings() { return strdup(spak::sim::take_findings().c_str()); }
SPAK_TEST_EXPORT char* spak_test_counters() { return strdup(spak::sim::take_counters().c_str()); }
SPAK_TEST_EXPORT void spak_test_free(char* text) { std::free(text); }
SPAK_TEST_EXPORT void spak_test_add_region(const char* name, void* begin, long long size, int writable, int initialised) {
  spak::sim::add_region({name, begin, static_cast<std::size_t>(size), writable != 0, initialised != 0});
}
SPAK_TEST_EXPORT void spak_test_remove_region(void* begin) { spak::sim::remove_region(begin); }
