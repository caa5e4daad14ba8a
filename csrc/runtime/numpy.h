// NumPy arrays without NumPy's headers: the few fields and functions that its stable ABI has at fixed places.
#pragma once
#include "view.h"

#pragma GCC visibility push(hidden)
namespace spak::runtime::numpy {

// A new array, uninitialised. `strides` are bytes, or null for row-major; `like` gives the dtype where it can.
// Throws Refused where NumPy is missing or has no such dtype.
PyObject* empty(const Tensor& tensor, const long long* shape, const long long* strides, PyObject* like);

}  // namespace spak::runtime::numpy
#pragma GCC visibility pop
