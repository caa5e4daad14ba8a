// What the toolkit's compiler includes before the first line of a file. Knows nothing that cuda_runtime.h does not.
#pragma once
// In C++17, which the toolkit's compiler reads, this name is a program's own; <math.h> of C++20 takes it for everybody.
#define lerp spak_std_lerp
#include <math.h>

#include <cmath>
#undef lerp
namespace std {
constexpr float lerp(float a, float b, float t) noexcept { return spak_std_lerp(a, b, t); }
constexpr double lerp(double a, double b, double t) noexcept { return spak_std_lerp(a, b, t); }
constexpr long double lerp(long double a, long double b, long double t) noexcept { return spak_std_lerp(a, b, t); }
}  // namespace std
#include <spak/sim/builtins.h>
#include <spak/sim/host/address_spaces.h>
#include <spak/sim/host/cuda_runtime.h>
#include <spak/sim/host/heap.h>
#include <spak/sim/simd.h>

// Promises of the program to the toolkit's optimiser.
#define __builtin_assume(condition) (static_cast<void>(0))
#define __assume(condition) (static_cast<void>(0))
