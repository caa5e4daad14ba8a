// The extension module of one kernel: the function, its documentation and its facts.
#include <pybind11/pybind11.h>

#include "call.h"
#include "spak/runtime/init.h"

namespace py = pybind11;

namespace spak::runtime {
namespace {

// One kernel a shared object: these are this module's own.
const Kernel* the_kernel = nullptr;
PyMethodDef the_method;

PyObject* entry(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  return call(*the_kernel, args, PyVectorcall_NARGS(static_cast<std::size_t>(count)), names);
}

}  // namespace

PyObject* init(const Kernel& kernel) {
  static PyModuleDef definition;
  the_kernel = &kernel;
  // A C function of the vectorcall convention: a py::cpp_function would spend more time on a call than all checks do.
  the_method = {kernel.name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(entry)),
                METH_FASTCALL | METH_KEYWORDS, kernel.doc};
  try {
    auto module = py::module_::create_extension_module(kernel.module, kernel.signature, &definition);
    const auto name = py::str(kernel.module);
    auto function = py::reinterpret_steal<py::object>(PyCFunction_NewEx(&the_method, nullptr, name.ptr()));
    if (!function) throw py::error_already_set();
    module.attr(kernel.name) = function;
    module.attr("__spak__") = kernel.facts;
    if (kernel.findings != nullptr) module.attr("__spak_findings__") = py::cpp_function(kernel.findings);
    if (kernel.counters != nullptr) module.attr("__spak_counters__") = py::cpp_function(kernel.counters);
    module.attr("__all__") = py::make_tuple(kernel.name);
    return module.release().ptr();
  } catch (py::error_already_set& error) {
    py::raise_from(error, PyExc_ImportError, "a kernel module could not be initialised");
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_ImportError, error.what());
  }
  return nullptr;
}

}  // namespace spak::runtime
