// CUDA streams as Python has them: integers, and the objects of each framework.
#include "call.h"
#include "check.h"

namespace spak::runtime {
namespace {

bool handle_of(PyObject* number, void*& stream) {
  stream = PyLong_AsVoidPtr(number);
  if (!PyErr_Occurred()) return true;
  PyErr_Clear();
  return false;
}

// The stream that work of the array's framework goes to now; the legacy default stream where it has no such notion.
void* current_stream(PyObject* like) {
  void* stream = nullptr;
  if (like == nullptr) return stream;
  if (is_instance_of(like, "torch", "Tensor")) {
    Ref cuda = checked(PyImport_ImportModule("torch.cuda"));
    Ref device = checked(PyObject_GetAttrString(like, "device"));
    Ref kind = checked(PyObject_GetAttrString(device.get(), "type"));
    if (PyUnicode_CompareWithASCIIString(kind.get(), "cuda") != 0) return stream;  // refused later, as a device
    Ref current = checked(PyObject_CallMethod(cuda.get(), "current_stream", "O", device.get()));
    Ref number = checked(PyObject_GetAttrString(current.get(), "cuda_stream"));
    handle_of(number.get(), stream);
  } else if (is_instance_of(like, "cupy", "ndarray")) {
    Ref cuda = checked(PyImport_ImportModule("cupy.cuda"));
    Ref current = checked(PyObject_CallMethod(cuda.get(), "get_current_stream", nullptr));
    Ref number = checked(PyObject_GetAttrString(current.get(), "ptr"));
    handle_of(number.get(), stream);
  }
  return stream;
}

}  // namespace

void* stream_of(const Kernel& kernel, PyObject* stream, PyObject* like) {
  if (stream == nullptr) return current_stream(like);
  void* handle = nullptr;
  if (PyLong_Check(stream) && handle_of(stream, handle)) return handle;
  Ref protocol(PyObject_GetAttrString(stream, "__cuda_stream__"));  // (version, handle), of cuda.core
  PyErr_Clear();
  if (protocol) {
    Ref pair = PyCallable_Check(protocol.get()) ? checked(PyObject_CallNoArgs(protocol.get())) : std::move(protocol);
    if (PyTuple_Check(pair.get()) && PyTuple_GET_SIZE(pair.get()) == 2 &&
        handle_of(PyTuple_GET_ITEM(pair.get(), 1), handle))
      return handle;
  }
  for (const char* name : {"cuda_stream", "ptr"}) {  // torch, cupy
    Ref number(PyObject_GetAttrString(stream, name));
    PyErr_Clear();
    if (number && PyLong_Check(number.get()) && handle_of(number.get(), handle)) return handle;
  }
  refuse(kernel, PyExc_TypeError, "stream",
         std::string("is of type '") + Py_TYPE(stream)->tp_name +
             "', but must be an integer, or have __cuda_stream__, .cuda_stream or .ptr");
}

}  // namespace spak::runtime
