// <device_launch_parameters.h>: threadIdx and its kin, which every file has anyway. Knows nothing else.
#pragma once
#include <spak/sim/host/prelude.h>
