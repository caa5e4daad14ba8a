// What instrumented code calls lies in a section of its own: whoever interrupts a thread knows that it is in here, and leaves
// it alone. Knows nothing of what the hooks do.
#pragma once

#define SPAK_HOOK extern "C" __attribute__((visibility("hidden"), used, section("spak_sim_hooks")))
