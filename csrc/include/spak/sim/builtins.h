// Everything that a CUDA compiler offers without an include, for the host compiler. spak.sim.source puts this
// include before a kernel's first line. Knows nothing of the engine beyond engine.h.
#pragma once
#include <spak/sim/atomic.h>
#include <spak/sim/bits.h>
#include <spak/sim/engine.h>
#include <spak/sim/index.h>
#include <spak/sim/keywords.h>
#include <spak/sim/load_store.h>
#include <spak/sim/math.h>
#include <spak/sim/sync.h>
#include <spak/sim/warp.h>
