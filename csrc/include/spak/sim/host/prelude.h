// What the toolkit's compiler includes before the first line of a file. Knows nothing that cuda_runtime.h does not.
#pragma once
#include <spak/sim/builtins.h>

#include <spak/sim/host/cuda_runtime.h>
