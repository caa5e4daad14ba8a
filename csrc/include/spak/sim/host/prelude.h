// What the toolkit's compiler includes before the first line of a file. Knows nothing that cuda_runtime.h does not.
#pragma once
#include <spak/sim/builtins.h>
#include <spak/sim/host/address_spaces.h>
#include <spak/sim/host/cuda_runtime.h>
#include <spak/sim/simd.h>

// Promises of the program to the toolkit's optimiser.
#define __builtin_assume(condition) (static_cast<void>(0))
#define __assume(condition) (static_cast<void>(0))
