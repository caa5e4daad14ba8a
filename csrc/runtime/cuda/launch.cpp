#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "driver.h"
#include "spak/runtime/cuda.h"

namespace spak::runtime::cuda {
namespace {

// The kernels of an image in one context, and the dynamic shared memory that each has been allowed so far.
struct Loaded {
  std::vector<Function> functions;
  std::vector<long long> allowed;
  std::vector<bool> wide;  // clusters of more than 8
};

constexpr long long kAlwaysAllowed = 48 << 10;

Loaded load(const Image& image, int device) {
  const Driver& d = driver();
  Module module = nullptr;
  int code = d.module_load(&module, image.cubin, 0, nullptr, nullptr);
  if (code != 0 && image.ptx_size != 0) code = d.module_load(&module, image.ptx, 0, nullptr, nullptr);
  if (code != 0) {
    throw std::runtime_error(std::string("code for ") + image.arch +
                             (image.ptx_size != 0 ? " and its PTX do" : " does") + " not load on device " +
                             std::to_string(device) + ", " + device_words(device) + ": " + d.words(code));
  }
  Loaded loaded;
  for (int i = 0; i < image.kernel_count; ++i) {
    Function function = nullptr;
    d.check(d.module_function(&function, module, image.kernels[i]), std::string("kernel ") + image.kernels[i]);
    loaded.functions.push_back(function);
  }
  loaded.allowed.assign(loaded.functions.size(), kAlwaysAllowed);
  loaded.wide.assign(loaded.functions.size(), false);
  return loaded;
}

// One image a shared object, so the contexts are the only key.
Function function_of(const Image& image, int index, const Config& config, const Current& current, int device) {
  static std::mutex mutex;
  static std::map<Context, Loaded> all;
  const std::lock_guard<std::mutex> lock(mutex);
  auto found = all.find(current.context());
  if (found == all.end()) found = all.emplace(current.context(), load(image, device)).first;
  Loaded& loaded = found->second;
  const auto i = static_cast<std::size_t>(index);
  const std::string name = std::string("kernel ") + image.kernels[index];
  if (config.smem_bytes > loaded.allowed[i]) {
    const std::string what = name + " cannot have " + std::to_string(config.smem_bytes) + " bytes of shared memory";
    driver().check(driver().function_set(loaded.functions[i], kMaxDynamicShared, static_cast<int>(config.smem_bytes)),
                   what);
    loaded.allowed[i] = config.smem_bytes;
  }
  if (config.cluster[0] * config.cluster[1] * config.cluster[2] > 8 && !loaded.wide[i]) {
    driver().check(driver().function_set(loaded.functions[i], kNonPortableCluster, 1),
                   name + " cannot have such a cluster");
    loaded.wide[i] = true;
  }
  return loaded.functions[i];
}

unsigned dimension(const char* kernel, const char* what, long long value, long long most) {
  if (value < 1 || value > most) {
    throw std::runtime_error(std::string("kernel ") + kernel + ": the plan's " + what + " is " + std::to_string(value) +
                             ", which no launch can have");
  }
  return static_cast<unsigned>(value);
}

std::string words_of(const LaunchConfig& c) {
  auto triple = [](const unsigned* v) {
    return "(" + std::to_string(v[0]) + ", " + std::to_string(v[1]) + ", " + std::to_string(v[2]) + ")";
  };
  return "grid " + triple(c.grid) + ", block " + triple(c.block) + ", " + std::to_string(c.smem_bytes) +
         " bytes of shared memory";
}

}  // namespace

void launch(const Image& image, int index, const Config& config, void** parameters, const Call& call) {
  const char* name = image.kernels[index];
  LaunchConfig c{};
  for (int i = 0; i < 3; ++i) {
    c.grid[i] = dimension(name, "grid", config.grid[i], 0x7fffffff);
    c.block[i] = dimension(name, "block", config.block[i], 0x7fffffff);
  }
  if (config.smem_bytes != 0) c.smem_bytes = dimension(name, "smem", config.smem_bytes, 0x7fffffff);
  const Current current(call.device);
  const Function function = function_of(image, index, config, current, call.device);
  c.stream = static_cast<Stream>(call.stream);
  LaunchAttribute cluster{};
  if (config.cluster[0] * config.cluster[1] * config.cluster[2] != 1) {
    cluster.id = kClusterAttribute;
    for (int i = 0; i < 3; ++i) cluster.cluster[i] = static_cast<unsigned>(config.cluster[i]);
    c.attributes = &cluster;
    c.attribute_count = 1;
  }
  driver().check(driver().launch(&c, function, parameters, nullptr),
                 std::string("kernel ") + name + " with " + words_of(c));
}

Workspace::Workspace(long long bytes, bool zero, const Call& call) : call_(call) {
  if (bytes < 0) throw std::runtime_error("the plan's workspace has a negative size");
  const Driver& d = driver();
  const Current current(call.device);
  const auto size = static_cast<std::size_t>(bytes != 0 ? bytes : 1);
  const auto stream = static_cast<Stream>(call.stream);
  Address address = 0;
  d.check(d.allocate_async(&address, size, stream), "no memory for a workspace of " + std::to_string(bytes) + " bytes");
  data_ = reinterpret_cast<void*>(address);
  if (zero) d.check(d.fill_async(address, 0, size, stream), "the workspace cannot be cleared");
}

Workspace::~Workspace() {
  try {
    const Current current(call_.device);
    driver().release_async(reinterpret_cast<Address>(data_), static_cast<Stream>(call_.stream));
  } catch (const std::runtime_error&) {  // the context is gone, and the memory with it
  }
}

}  // namespace spak::runtime::cuda
