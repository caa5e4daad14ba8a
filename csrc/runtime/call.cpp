#include "call.h"

#include <memory>
#include <new>

#include "check.h"

namespace spak::runtime {
namespace {

constexpr int kFew = 8;     // arrays of a call that need no heap
constexpr int kNames = 32;  // parameters, out and stream included

// Where each argument of a call is: parameters in call order, then `out`, then `stream`. Borrowed; null is absent.
struct Arguments {
  PyObject* slot[kNames] = {};
  PyObject* out = nullptr;
  PyObject* stream = nullptr;
};

int find_parameter(const Kernel& kernel, PyObject* name) {
  for (int i = 0; i < kernel.parameter_count; ++i)
    if (PyUnicode_CompareWithASCIIString(name, kernel.parameters[i].name) == 0) return i;
  return -1;
}

std::string text_of(PyObject* name) {
  const char* text = PyUnicode_AsUTF8(name);
  if (text == nullptr) throw AlreadySet{};
  return text;
}

void match(const Kernel& kernel, PyObject* const* args, Py_ssize_t count, PyObject* names, Arguments& found) {
  if (count > kernel.parameter_count) {
    refuse(kernel, PyExc_TypeError,
           "takes " + std::to_string(kernel.parameter_count) + " positional arguments, but " + std::to_string(count) +
               " were given (out= is passed by name)");
  }
  for (Py_ssize_t i = 0; i < count; ++i) found.slot[i] = args[i];
  const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* name = PyTuple_GET_ITEM(names, i);
    PyObject* value = args[count + i];
    if (PyUnicode_CompareWithASCIIString(name, "out") == 0) {
      found.out = value;
      continue;
    }
    const int index = find_parameter(kernel, name);
    if (index >= 0 && found.slot[index] == nullptr) {
      found.slot[index] = value;
    } else if (index >= 0) {
      refuse(kernel, PyExc_TypeError, "got more than one value for argument '" + text_of(name) + "'");
    } else if (kernel.device != nullptr && PyUnicode_CompareWithASCIIString(name, "stream") == 0) {
      found.stream = value;
    } else {
      refuse(kernel, PyExc_TypeError, "got an unexpected argument '" + text_of(name) + "'");
    }
  }
  if (found.out == Py_None) found.out = nullptr;
  if (found.stream == Py_None) found.stream = nullptr;
  for (int i = 0; i < kernel.parameter_count; ++i) {
    const Parameter& parameter = kernel.parameters[i];
    if (found.slot[i] != nullptr) continue;
    if (parameter.tensor || !kernel.scalars[parameter.index].has_default) {
      refuse(kernel, PyExc_TypeError, std::string("argument '") + parameter.name + "' is missing");
    }
  }
}

// Arrays, numbers and sizes of one call. Small calls live on the stack.
struct Frame {
  View few[kFew];
  std::unique_ptr<View[]> many;
  View* views = few;
  long long axes[kNames];
  const char* owners[kNames] = {};
  long long values[kNames];
  Value scalars[kNames];
  void* pointers[kNames];
  Ref kept[kNames];  // results that were allocated here
};

// out= as one object a result. Returns the name by which messages call it.
PyObject* given_result(const Kernel& kernel, PyObject* out, int index) {
  if (kernel.result_count == 1) return out;
  if (!PyTuple_Check(out) && !PyList_Check(out)) {
    refuse(kernel, PyExc_TypeError, "out must be a tuple of " + std::to_string(kernel.result_count) + " arrays");
  }
  if (PySequence_Fast_GET_SIZE(out) != kernel.result_count) {
    refuse(kernel, PyExc_TypeError,
           "out has " + std::to_string(PySequence_Fast_GET_SIZE(out)) + " arrays, but there are " +
               std::to_string(kernel.result_count) + " results");
  }
  return PySequence_Fast_GET_ITEM(out, index);
}

void take_scalars(const Kernel& kernel, const Arguments& arguments, Value* scalars) {
  for (int i = 0; i < kernel.parameter_count; ++i) {
    const Parameter& parameter = kernel.parameters[i];
    if (parameter.tensor) continue;
    const Scalar& scalar = kernel.scalars[parameter.index];
    Value& value = scalars[parameter.index];
    if (arguments.slot[i] != nullptr) {
      value = scalar_value(kernel, scalar, arguments.slot[i]);
    } else if (scalar.dtype <= DType::bf16) {
      value.real = scalar.default_real;
    } else {
      value.integer = scalar.default_integer;
    }
  }
}

// Sizes that no array has told yet can only come from `out`.
void require_axes(const Kernel& kernel, const long long* axes) {
  for (int i = 0; i < kernel.axis_count; ++i)
    if (axes[i] == kUnbound) {
      refuse(kernel, PyExc_TypeError,
             std::string("axis ") + kernel.axes[i] + " is not known from the inputs: pass out=");
    }
}

PyObject* result_object(const Kernel& kernel, const Arguments& arguments, Frame& frame) {
  if (arguments.out != nullptr) {
    if (kernel.result_count > 1 && PyList_Check(arguments.out)) return PyList_AsTuple(arguments.out);
    return Py_NewRef(arguments.out);
  }
  if (kernel.result_count == 1) return frame.kept[0].release();
  PyObject* tuple = PyTuple_New(kernel.result_count);
  if (tuple == nullptr) throw AlreadySet{};
  for (int i = 0; i < kernel.result_count; ++i) PyTuple_SET_ITEM(tuple, i, frame.kept[i].release());
  return tuple;
}

bool nothing_to_do(const Kernel& kernel, const View* results) {
  for (int i = 0; i < kernel.result_count; ++i) {
    bool empty = false;
    for (int k = 0; k < results[i].rank; ++k) empty = empty || results[i].shape[k] == 0;
    if (!empty) return false;
  }
  return true;
}

// One device for all arrays of a call; its ordinal.
int device_of(const Kernel& kernel, const View* views, int count) {
  for (int i = 1; i < count; ++i)
    if (views[i].device_id != views[0].device_id) {
      refuse(kernel, PyExc_ValueError, kernel.tensors[i].name,
             "is on device " + std::to_string(views[i].device_id) + ", but " + kernel.tensors[0].name +
                 " is on device " + std::to_string(views[0].device_id));
    }
  return count != 0 ? views[0].device_id : 0;
}

PyObject* run(const Kernel& kernel, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  Arguments arguments;
  match(kernel, args, count, names, arguments);
  Frame frame;
  const int inputs = kernel.input_count, total = inputs + kernel.result_count;
  if (total > kFew) {
    frame.many = std::make_unique<View[]>(static_cast<std::size_t>(total));
    frame.views = frame.many.get();
  }
  for (int i = 0; i < kernel.axis_count; ++i) frame.axes[i] = kUnbound;

  PyObject* first = nullptr;
  for (int i = 0; i < kernel.parameter_count && first == nullptr; ++i)
    if (kernel.parameters[i].tensor) first = arguments.slot[i];
  void* stream = kernel.device != nullptr ? stream_of(kernel, arguments.stream, first) : nullptr;

  take_scalars(kernel, arguments, frame.scalars);
  for (int i = 0; i < kernel.parameter_count; ++i) {
    if (!kernel.parameters[i].tensor) continue;
    const int index = kernel.parameters[i].index;
    const Tensor& tensor = kernel.tensors[index];
    View& view = frame.views[index];
    acquire(kernel, tensor, tensor.name, arguments.slot[i], stream, view);
    check_array(kernel, tensor, tensor.name, arguments.slot[i], view);
    bind_axes(kernel, tensor, tensor.name, view, frame.axes, frame.owners);
  }
  if (arguments.out != nullptr) {
    for (int i = 0; i < kernel.result_count; ++i) {
      const Tensor& tensor = kernel.tensors[inputs + i];
      PyObject* object = given_result(kernel, arguments.out, i);
      const char* name = kernel.result_count == 1 ? "out" : tensor.name;
      View& view = frame.views[inputs + i];
      acquire(kernel, tensor, name, object, stream, view);
      check_array(kernel, tensor, name, object, view);
      if (view.readonly || (!view.numpy && is_instance_of(object, "jax", "Array"))) {
        refuse(kernel, PyExc_ValueError, name, "is read-only");
      }
      bind_axes(kernel, tensor, name, view, frame.axes, frame.owners);
    }
  }
  require_axes(kernel, frame.axes);
  const Problem problem{frame.axes, frame.scalars};
  if (kernel.expression_count != 0) kernel.evaluate(problem, frame.values);
  for (int i = 0; i < inputs; ++i)
    check_layout(kernel, kernel.tensors[i], kernel.tensors[i].name, frame.views[i], frame.axes, frame.values);
  if (const int broken = kernel.violated(problem); broken >= 0) [[unlikely]] {
    std::string sizes;
    for (int i = 0; i < kernel.axis_count; ++i)
      sizes += std::string(i != 0 ? ", " : "") + kernel.axes[i] + " = " + std::to_string(frame.axes[i]);
    refuse(kernel, PyExc_ValueError,
           std::string("requires ") + kernel.require[broken] + (sizes.empty() ? "" : ", but " + sizes));
  }

  for (int i = 0; i < kernel.result_count; ++i) {
    const Tensor& tensor = kernel.tensors[inputs + i];
    View& view = frame.views[inputs + i];
    if (arguments.out == nullptr) {
      frame.kept[i] =
          Ref(allocate(kernel, tensor, frame.axes, frame.values, first, inputs != 0 ? frame.views : nullptr));
      acquire(kernel, tensor, tensor.name, frame.kept[i].get(), stream, view);
      continue;
    }
    const char* name = kernel.result_count == 1 ? "out" : tensor.name;
    check_layout(kernel, tensor, name, view, frame.axes, frame.values);
    for (int k = 0; k < inputs + i; ++k)
      check_overlap(kernel, tensor, name, view, kernel.tensors[k].name, frame.views[k]);
  }

  if (!nothing_to_do(kernel, frame.views + inputs)) {
    for (int i = 0; i < total; ++i) frame.pointers[i] = frame.views[i].data;
    const int device = kernel.device != nullptr ? device_of(kernel, frame.views, total) : 0;
    const Call launch{problem, frame.pointers, stream, device};
    struct Released {  // restores the GIL also when the launch throws
      PyThreadState* state = PyEval_SaveThread();
      ~Released() { PyEval_RestoreThread(state); }
    } released;
    kernel.launch(launch);
  }
  return result_object(kernel, arguments, frame);
}

}  // namespace

PyObject* call(const Kernel& kernel, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  try {
    return run(kernel, args, count, names);
  } catch (const Refused& refused) {
    PyErr_SetString(refused.type, refused.message.c_str());
  } catch (const AlreadySet&) {
  } catch (const std::bad_alloc&) {
    PyErr_Format(PyExc_MemoryError, "%s: not enough memory for the workspace", kernel.name);
  } catch (const std::overflow_error& error) {
    PyErr_Format(PyExc_OverflowError, "%s: %s", kernel.name, error.what());
  } catch (const std::exception& error) {
    PyErr_Format(PyExc_RuntimeError, "%s: %s", kernel.name, error.what());
  }
  return nullptr;
}

}  // namespace spak::runtime
