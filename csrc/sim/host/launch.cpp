// Launches: what a rewritten `<<<>>>` and cudaLaunchKernel become. Knows nothing of what a kernel does.
#include "host/launch.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/device.h"
#include "host/memory.h"
#include "host/occupancy.h"
#include "host/print.h"
#include "host/stream.h"
#include "spak/sim/launch.h"

namespace spak::sim::host {

namespace {

// The configuration that the next stub takes; what a stub answers to instead of launching.
thread_local std::optional<Shape> pending;
thread_local Kernel** asking = nullptr;
thread_local std::shared_ptr<Launch>* packaging = nullptr;

std::map<const void*, Signature>& signatures() {
  static auto* const all = new std::map<const void*, Signature>;
  return *all;
}

std::string triple(const dim3& d) {
  return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
}

cudaError_t refused(const Call& call, const Launch& launch, cudaError_t error, const std::string& what,
                    const std::string& hint = "") {
  report({"bad-launch",
          "kernel `" + std::string(launch.kernel->name) + "`: " + what,
          hint,
          {{"launched", launch.shape.place, "", ""}, {"declared", {launch.kernel->site, nullptr}, "", ""}}});
  deliver();
  return call(error);
}

// What the hardware would have said.
cudaError_t error_of(const std::string& rule) {
  for (const char* each : {"out-of-bounds", "use-after-free", "const-write", "invalid-address", "shared-overflow",
                           "local-out-of-bounds", "memory"})
    if (rule == each) return cudaErrorIllegalAddress;
  if (rule == "misaligned") return cudaErrorMisalignedAddress;
  if (rule == "assertion") return cudaErrorAssert;
  if (rule == "stack-overflow") return cudaErrorHardwareStackError;
  if (rule == "no-progress" || rule == "deadlock") return cudaErrorLaunchTimeout;
  if (rule == "bad-launch") return cudaErrorInvalidConfiguration;
  return cudaErrorLaunchFailure;
}

std::string list(const long long (&at)[3]) {
  return "[" + std::to_string(at[0]) + ", " + std::to_string(at[1]) + ", " + std::to_string(at[2]) + "]";
}

// Says which shapes a kernel is run with, each once and before it runs: SPAK_SIM_LAUNCHES names a file.
void tell(const Config& config) {
  constexpr std::size_t kMost = 1024;
  if (!std::getenv("SPAK_SIM_LAUNCHES")) return;
  const std::lock_guard guard(api_lock());
  static auto* const told = new std::set<std::string>;
  const std::string shape = "{\"kernel\": \"" + std::string(config.name) + "\", \"grid\": " + list(config.grid) +
                            ", \"block\": " + list(config.block) + ", \"cluster\": " + list(config.cluster) +
                            ", \"shared_bytes\": " + std::to_string(config.smem_bytes) + "}";
  if (told->size() < kMost && told->insert(shape).second) append("SPAK_SIM_LAUNCHES", shape);
}

}  // namespace

void configure(dim3 grid, dim3 block, std::size_t smem, cudaStream_t stream, Site at) {
  pending = Shape{grid, block, smem, stream, {at, nullptr}};
}

bool asked(Kernel& kernel) {
  if (!asking) return false;
  *asking = &kernel;
  return true;
}

void queue(Kernel& kernel, std::shared_ptr<const Body> body) {
  if (current)
    fail("unsupported", "a kernel is called from a kernel: dynamic parallelism is not modelled", kernel.site);
  if (packaging) {
    *packaging = std::make_shared<Launch>(Launch{&kernel, {}, std::move(body)});
    return;
  }
  const Call call("kernel launch", __builtin_return_address(0), pending ? pending->place.site : kernel.site);
  if (context_error() != cudaSuccess) return pending.reset(), static_cast<void>(call(context_error()));
  if (!pending) {
    call.wrong(cudaErrorMissingConfiguration, std::string("`") + kernel.name + "` is called like a function",
               "launch it: kernel<<<grid, block>>>(...)");
    return;
  }
  auto launch = std::make_shared<Launch>(Launch{&kernel, *std::exchange(pending, std::nullopt), std::move(body)});
  if (validate(call, *launch) != cudaSuccess) return;
  enqueue(call, launch->shape.stream, [launch] { run(*launch); });
}

void* remember(const void* function, const Signature& signature) {
  const std::lock_guard guard(api_lock());
  signatures()[function] = signature;
  return const_cast<void*>(function);
}

Kernel* kernel_at(const void* function) {
  const auto found = signatures().find(function);
  if (found == signatures().end()) return nullptr;
  Kernel* kernel = nullptr;
  asking = &kernel;
  found->second.ask(function);
  asking = nullptr;
  return kernel;
}

std::shared_ptr<Launch> package(const void* function, const Shape& shape, void** arguments) {
  const auto found = signatures().find(function);
  if (found == signatures().end()) return nullptr;
  std::shared_ptr<Launch> launch;
  packaging = &launch;
  found->second.call(function, arguments);
  packaging = nullptr;
  if (launch) launch->shape = shape;
  return launch;
}

cudaError_t validate(const Call& call, const Launch& launch) {
  const Shape& s = launch.shape;
  Kernel& k = *launch.kernel;
  const std::size_t threads = std::size_t{s.block.x} * s.block.y * s.block.z;
  if (!s.grid.x || !s.grid.y || !s.grid.z || s.grid.x > 2147483647u || s.grid.y > 65535 || s.grid.z > 65535)
    return refused(call, launch, cudaErrorInvalidConfiguration,
                   "grid " + triple(s.grid) + ": each size must be at least 1 and at most (2147483647,65535,65535)");
  if (!threads || s.block.x > 1024 || s.block.y > 1024 || s.block.z > 64 ||
      threads > static_cast<std::size_t>(kMaxBlockThreads))
    return refused(call, launch, cudaErrorInvalidConfiguration,
                   "block " + triple(s.block) + " has " + std::to_string(threads) +
                       " threads; a block has 1 to 1024, at most (1024,1024,64)");
  if (k.max_threads && threads > k.max_threads)
    return refused(call, launch, cudaErrorLaunchOutOfResources,
                   "the block has " + std::to_string(threads) + " threads; __launch_bounds__ allows " +
                       std::to_string(k.max_threads));
  if (s.smem > k.dynamic_limit)
    return refused(
        call, launch, cudaErrorInvalidValue,
        std::to_string(s.smem) + " bytes of dynamic shared memory; this kernel may have " +
            std::to_string(k.dynamic_limit),
        "raise it with cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes), up to " +
            std::to_string(device().shared_block_kb << 10) + " on this device");
  unsigned cluster[3];
  for (int i = 0; i < 3; ++i) cluster[i] = s.cluster[i] ? s.cluster[i] : k.cluster[i];
  if (const unsigned size = std::max(1u, cluster[0]) * std::max(1u, cluster[1]) * std::max(1u, cluster[2]); size > 1) {
    if (device().major < 9)
      return refused(call, launch, cudaErrorInvalidClusterSize,
                     std::string("the device (") + device().name + ") has no clusters");
    if (size > (k.any_cluster_size ? 16u : 8u))
      return refused(call, launch, cudaErrorInvalidClusterSize,
                     "a cluster of " + std::to_string(size) +
                         " blocks; at most 8, or 16 with cudaFuncAttributeNonPortableClusterSizeAllowed");
    if (s.grid.x % std::max(1u, cluster[0]) || s.grid.y % std::max(1u, cluster[1]) ||
        s.grid.z % std::max(1u, cluster[2]))
      return refused(call, launch, cudaErrorInvalidClusterSize,
                     "grid " + triple(s.grid) + " is not a multiple of the cluster " +
                         triple({cluster[0], cluster[1], cluster[2]}));
  }
  if (s.cooperative) {
    const std::size_t resident =
        static_cast<std::size_t>(blocks_per_multiprocessor(k, static_cast<int>(threads), s.smem)) *
        static_cast<std::size_t>(device().multiprocessors);
    const std::size_t blocks = std::size_t{s.grid.x} * s.grid.y * s.grid.z;
    if (blocks > resident)
      return refused(call, launch, cudaErrorCooperativeLaunchTooLarge,
                     "a cooperative launch of " + std::to_string(blocks) + " blocks; " + std::to_string(resident) +
                         " can be resident at once");
  }
  return cudaSuccess;
}

void run(const Launch& launch) {
  const Shape& s = launch.shape;
  Config config{{s.grid.x, s.grid.y, s.grid.z}, {s.block.x, s.block.y, s.block.z}, static_cast<long long>(s.smem)};
  const Kernel& k = *launch.kernel;
  config.name = k.name;
  for (int i = 0; i < 3; ++i) config.cluster[i] = std::max(1u, s.cluster[i] ? s.cluster[i] : k.cluster[i]);
  config.cooperative = s.cooperative;
  config.nonportable_cluster = k.any_cluster_size;
  config.instrumented = k.instrumented;
  config.shared_limit = device().shared_block_kb << 10;
  config.multiprocessors = device().multiprocessors;
  config.shared_alignment = 16;  // where the toolkit puts arrays whose size is a multiple of it: programs count on that
  tell(config);
  try {
    ::spak::sim::launch(
        config, [](void* body) { static_cast<const Body*>(body)->run(); }, const_cast<Body*>(launch.body.get()));
  } catch (const Fault& fault) {
    break_context(error_of(fault.rule()));
    flush_prints();
    const std::size_t before = delivered();
    deliver();
    if (delivered() == before) {  // it was not among the findings: say it here
      report({fault.rule(), fault.what(), "", {{"launched", s.place, "", ""}}});
      deliver();
    }
    return;
  }
  flush_prints();
  deliver();
}

}  // namespace spak::sim::host

using namespace spak::sim::host;

namespace {

cudaError_t launch_by_address(const Call& call, const void* function, Shape shape, void** arguments) {
  shape.place = call.place();
  const auto launch = package(function, shape, arguments);
  if (!launch)
    return call.wrong(cudaErrorInvalidDeviceFunction, "the address is not that of a kernel",
                      "pass the kernel by its name, with or without a cast to void*");
  if (const cudaError_t error = validate(call, *launch); error != cudaSuccess) return error;
  return enqueue(call, shape.stream, [launch] { run(*launch); });
}

}  // namespace

extern "C" cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t smem,
                                        cudaStream_t stream) {
  SPAK_API;
  return launch_by_address(call, function, {grid, block, smem, stream, {}}, arguments);
}

extern "C" cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                                   size_t smem, cudaStream_t stream) {
  SPAK_API;
  Shape shape{grid, block, smem, stream, {}};
  shape.cooperative = true;
  return launch_by_address(call, function, shape, arguments);
}

extern "C" cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  SPAK_API;
  if (!config) return call(cudaErrorInvalidValue);
  Shape shape{config->gridDim, config->blockDim, config->dynamicSmemBytes, config->stream, {}};
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config->attrs[i];
    switch (attribute.id) {
      case cudaLaunchAttributeClusterDimension:
        shape.cluster[0] = attribute.val.clusterDim.x, shape.cluster[1] = attribute.val.clusterDim.y,
        shape.cluster[2] = attribute.val.clusterDim.z;
        break;
      case cudaLaunchAttributeCooperative:
        shape.cooperative = attribute.val.cooperative != 0;
        break;
      // A launch runs when the one before has ended, which is one of the orders these allow.
      case cudaLaunchAttributeProgrammaticStreamSerialization:
      case cudaLaunchAttributeIgnore:
      case cudaLaunchAttributeAccessPolicyWindow:
      case cudaLaunchAttributeSynchronizationPolicy:
      case cudaLaunchAttributeClusterSchedulingPolicyPreference:
      case cudaLaunchAttributePriority:
      case cudaLaunchAttributePreferredSharedMemoryCarveout:
        break;
      default:
        return call.unsupported("launch attribute " + std::to_string(static_cast<int>(attribute.id)) +
                                " is not modelled");
    }
  }
  return launch_by_address(call, function, shape, arguments);
}

extern "C" cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  SPAK_API;
  Kernel* const kernel = kernel_at(function);
  if (!kernel) return call.wrong(cudaErrorInvalidDeviceFunction, "the address is not that of a kernel");
  switch (attribute) {
    case cudaFuncAttributeMaxDynamicSharedMemorySize:
      if (value < 0 || value > device().shared_block_kb << 10)
        return call.wrong(cudaErrorInvalidValue,
                          std::to_string(value) +
                              " bytes of dynamic shared memory; a block of this device has at most " +
                              std::to_string(device().shared_block_kb << 10));
      kernel->dynamic_limit = static_cast<std::size_t>(value);
      break;
    case cudaFuncAttributeNonPortableClusterSizeAllowed:
      kernel->any_cluster_size = value != 0;
      break;
    case cudaFuncAttributePreferredSharedMemoryCarveout:
      break;
    default:
      return call.unsupported("attribute " + std::to_string(static_cast<int>(attribute)) + " is not modelled");
  }
  return cudaSuccess;
}

extern "C" cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* out, const void* function) {
  SPAK_API;
  Kernel* const kernel = kernel_at(function);
  if (!out || !kernel) return call(cudaErrorInvalidDeviceFunction);
  *out = {};
  out->maxThreadsPerBlock = kernel->max_threads ? static_cast<int>(kernel->max_threads) : kMaxBlockThreads;
  out->numRegs = registers_of(*kernel);
  out->ptxVersion = out->binaryVersion = device().major * 10 + device().minor;
  out->maxDynamicSharedSizeBytes = static_cast<int>(kernel->dynamic_limit);
  return cudaSuccess;
}

extern "C" cudaError_t cudaFuncSetCacheConfig(const void*, cudaFuncCache) { return cudaSuccess; }
extern "C" cudaError_t cudaFuncSetSharedMemConfig(const void*, cudaSharedMemConfig) { return cudaSuccess; }
extern "C" cudaError_t cudaDeviceSetSharedMemConfig(cudaSharedMemConfig) { return cudaSuccess; }
