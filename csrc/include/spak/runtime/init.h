// What a generated module's init function calls. Knows of Python only that its objects have a type.
#pragma once
#include "spak/runtime/descriptor.h"

extern "C" {
struct _object;  // PyObject
}

#pragma GCC visibility push(hidden)
namespace spak::runtime {

// The extension module of a kernel, for its PyInit_ function to return; null with an exception set where that fails.
_object* init(const Kernel& kernel);

}  // namespace spak::runtime
#pragma GCC visibility pop

#define SPAK_EXPORT extern "C" __attribute__((visibility("default")))
