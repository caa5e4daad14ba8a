#include "driver.h"

#include <dlfcn.h>

#include <mutex>
#include <stdexcept>
#include <vector>

namespace spak::runtime::cuda {
namespace {

template <typename F>
void find(void* library, const char* name, F& function) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) throw std::runtime_error(std::string("the CUDA driver is too old: it has no ") + name);
  function = reinterpret_cast<F>(symbol);
}

Driver open() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw std::runtime_error(std::string("this machine has no CUDA driver, which is needed to launch (") + dlerror() +
                             ")");
  }
  Driver d{};
  find(library, "cuInit", d.init);
  find(library, "cuGetErrorString", d.error_string);
  find(library, "cuDeviceGetCount", d.device_count);
  find(library, "cuDeviceGet", d.device_get);
  find(library, "cuDeviceGetName", d.device_name);
  find(library, "cuDeviceGetAttribute", d.device_attribute);
  find(library, "cuDevicePrimaryCtxRetain", d.primary_retain);
  find(library, "cuCtxGetCurrent", d.context_get);
  find(library, "cuCtxGetDevice", d.context_device);
  find(library, "cuCtxPushCurrent_v2", d.context_push);
  find(library, "cuCtxPopCurrent_v2", d.context_pop);
  find(library, "cuModuleLoadDataEx", d.module_load);
  find(library, "cuModuleGetFunction", d.module_function);
  find(library, "cuFuncSetAttribute", d.function_set);
  find(library, "cuLaunchKernelEx", d.launch);
  find(library, "cuMemAlloc_v2", d.allocate);
  find(library, "cuMemFree_v2", d.release);
  find(library, "cuMemAllocAsync", d.allocate_async);
  find(library, "cuMemFreeAsync", d.release_async);
  find(library, "cuMemsetD8Async", d.fill_async);
  if (void* symbol = dlsym(library, "cuTensorMapEncodeTiled")) {
    d.encode_map = reinterpret_cast<decltype(d.encode_map)>(symbol);
  }
  d.check(d.init(0), "the CUDA driver does not start");
  int count = 0;
  d.check(d.device_count(&count), "the CUDA driver does not count its devices");
  if (count == 0) throw std::runtime_error("the CUDA driver finds no device");
  return d;
}

}  // namespace

std::string Driver::words(int code) const {
  const char* text = nullptr;
  error_string(code, &text);
  return std::string(text != nullptr ? text : "unknown error") + " (" + std::to_string(code) + ")";
}

void Driver::check(int code, const std::string& what) const {
  if (code != 0) throw std::runtime_error(what + ": " + words(code));
}

const Driver& driver() {
  static const Driver opened = open();  // tried again at the next launch if it throws
  return opened;
}

Current::Current(int device) {
  const Driver& d = driver();
  int current = -1;
  if (d.context_get(&context_) == 0 && context_ != nullptr && d.context_device(&current) == 0 && current == device)
    return;
  static std::mutex mutex;
  static std::vector<Context> primaries;  // retained once a device, for the life of the process
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (primaries.size() <= static_cast<std::size_t>(device)) primaries.resize(static_cast<std::size_t>(device) + 1);
    Context& primary = primaries[static_cast<std::size_t>(device)];
    if (primary == nullptr) {
      int handle = 0;
      d.check(d.device_get(&handle, device), "there is no CUDA device " + std::to_string(device));
      d.check(d.primary_retain(&primary, handle), "no context on CUDA device " + std::to_string(device));
    }
    context_ = primary;
  }
  d.check(d.context_push(context_), "the context cannot be made current");
  pushed_ = true;
}

Current::~Current() {
  Context popped = nullptr;
  if (pushed_) driver().context_pop(&popped);
}

std::string device_words(int device) {
  const Driver& d = driver();
  int handle = 0, major = 0, minor = 0;
  char name[256] = "unknown";
  d.device_get(&handle, device);
  d.device_name(name, sizeof name, handle);
  d.device_attribute(&major, kCapabilityMajor, handle);
  d.device_attribute(&minor, kCapabilityMinor, handle);
  return std::string(name) + " (sm_" + std::to_string(major) + std::to_string(minor) + ")";
}

}  // namespace spak::runtime::cuda
