// One array of a call, wherever it came from. Knows no kernel.
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "spak/runtime/descriptor.h"

#pragma GCC visibility push(hidden)
namespace spak::runtime {

// DLPack's device types.
enum : int { kCPU = 1, kCUDA = 2, kCUDAHost = 3, kCUDAManaged = 13 };

// A Python exception to be raised with a message of ours.
struct Refused {
  PyObject* type;
  std::string message;
};

// A Python exception that is set already.
struct AlreadySet {};

// A strong reference.
class Ref {
 public:
  Ref() = default;
  explicit Ref(PyObject* owned) : object_(owned) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { Py_XDECREF(object_); }
  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// The result of a C API call that must not fail.
inline Ref checked(PyObject* object) {
  if (object == nullptr) throw AlreadySet{};
  return Ref(object);
}

struct View {
  void* data = nullptr;
  int rank = 0;
  const std::int64_t* shape = nullptr;
  const std::int64_t* strides = nullptr;  // null: dense, row-major
  std::int64_t stride_unit = 1;           // bytes that one step of `strides` counts
  DType dtype = DType::unknown;
  bool readonly = false;
  bool numpy = false;
  int device_type = kCPU;
  int device_id = 0;

  View() = default;
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() {
    if (release_ != nullptr) release_(held_);
  }

  // What keeps the memory and the two arrays alive, and how to let go of it.
  void hold(void* held, void (*release)(void*)) {
    held_ = held;
    release_ = release;
  }

  // Room for a shape and strides that no one else keeps.
  std::vector<std::int64_t> owned;

 private:
  void* held_ = nullptr;
  void (*release_)(void*) = nullptr;
};

// Each fills `view` and returns true, or returns false where the object does not speak that language. They throw Refused
// or AlreadySet when it does but has nothing to give.
bool view_numpy(PyObject* object, View& view);
bool view_dlpack(PyObject* object, View& view, bool on_device, void* stream);
bool view_buffer(PyObject* object, View& view);
bool view_array_interface(PyObject* object, View& view);

// "f32", "float64", "'>f4'": how an array's dtype is called where it is not the one that is wanted.
std::string dtype_words(PyObject* object, DType dtype);
const char* dtype_name(DType dtype);

// Whether `object` is an instance of `module.type`; false without importing the module where nobody has.
bool is_instance_of(PyObject* object, const char* module, const char* type);

}  // namespace spak::runtime
#pragma GCC visibility pop
