// One call of a kernel from Python. Knows no module.
#pragma once
#include "view.h"

#pragma GCC visibility push(hidden)
namespace spak::runtime {

// `kernel(*args, **kwargs)` in the vectorcall convention. Returns a new reference, or null with an exception set.
PyObject* call(const Kernel& kernel, PyObject* const* args, Py_ssize_t count, PyObject* names);

// allocate.cpp: an array for a result, in the framework of `like`. Throws Refused or AlreadySet.
PyObject* allocate(const Kernel& kernel, const Tensor& tensor, const long long* axes, const long long* values,
                   PyObject* like, const View* like_view);

// stream.cpp: what `stream=` says, or the stream that the framework of `like` is using. Throws Refused.
void* stream_of(const Kernel& kernel, PyObject* stream, PyObject* like);

}  // namespace spak::runtime
#pragma GCC visibility pop
