// <driver_types.h>: the toolkit's types, with the device properties that version 13 took away and public programs print.
// Knows nothing of functions.
#pragma once
#include <math.h>  // before the macros of the toolkit, some of which are names in glibc

#include "toolkit_begin.h"
// One member's name becomes its own declaration and those of the members that are gone.
#define isMultiGpuBoard                                                                              \
  isMultiGpuBoard, clockRate, memoryClockRate, deviceOverlap, kernelExecTimeoutEnabled, computeMode, \
      singleToDoublePrecisionPerfRatio, cooperativeMultiDeviceLaunch
#include_next <driver_types.h>
#undef isMultiGpuBoard
#include "toolkit_end.h"
