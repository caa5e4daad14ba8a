// Loads and stores with cache hints (which have no effect here). Knows nothing of caches.
#pragma once
#include <spak/sim/engine.h>

#define SPAK_SIM_LOAD(name)                                                                            \
  template <typename T>                                                                                \
  inline T name(const T* address, spak::sim::Site at = spak::sim::here()) {                            \
    spak::sim::require_aligned(address, alignof(T), #name " from an address that is not aligned", at); \
    return *address;                                                                                   \
  }
#define SPAK_SIM_STORE(name)                                                                         \
  template <typename T>                                                                              \
  inline void name(T* address, T value, spak::sim::Site at = spak::sim::here()) {                    \
    spak::sim::require_aligned(address, alignof(T), #name " to an address that is not aligned", at); \
    *address = value;                                                                                \
  }
SPAK_SIM_LOAD(__ldg)
SPAK_SIM_LOAD(__ldca)
SPAK_SIM_LOAD(__ldcg)
SPAK_SIM_LOAD(__ldcs)
SPAK_SIM_LOAD(__ldlu)
SPAK_SIM_LOAD(__ldcv)
SPAK_SIM_STORE(__stwb)
SPAK_SIM_STORE(__stcg)
SPAK_SIM_STORE(__stcs)
SPAK_SIM_STORE(__stwt)
#undef SPAK_SIM_LOAD
#undef SPAK_SIM_STORE
