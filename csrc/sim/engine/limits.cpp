// The limits of compute capability 8.0 to 9.0 (CUDA C++ Programming Guide, "Technical Specifications"; clusters: PTX ISA,
// "Cluster dimension directives"). Knows nothing of how blocks are run.
#include "limits.h"

#include <algorithm>
#include <string>

#include "unit.h"

namespace spak::sim {

namespace {

constexpr long long kThreadsPerMultiprocessor = 2048, kBlocksPerMultiprocessor = 32,
                    kSharedPerMultiprocessor = 228 << 10;
constexpr long long kSystemShared = 1024;  // of each block

std::string triple(const long long (&at)[3]) {
  return "(" + std::to_string(at[0]) + "," + std::to_string(at[1]) + "," + std::to_string(at[2]) + ")";
}

long long product(const long long (&at)[3]) { return at[0] * at[1] * at[2]; }

long long resident_blocks(const Config& config) {
  const long long warps = (product(config.block) + kWarp - 1) / kWarp * kWarp;
  const long long each = std::min({kThreadsPerMultiprocessor / warps, kBlocksPerMultiprocessor,
                                   std::max(1LL, kSharedPerMultiprocessor / (config.smem_bytes + kSystemShared))});
  return std::max(1LL, config.multiprocessors * each);
}

void require_cluster(const Config& config) {
  const auto refuse = [&](const std::string& sentence, const char* hint) {
    throw Stop(config.name, {"bad-launch", "cluster " + triple(config.cluster) + sentence, hint, {}});
  };
  for (int i = 0; i < 3; ++i) {
    if (config.cluster[i] < 1 || config.cluster[i] > 16) refuse(": each size must be at least 1 and at most 16", "");
    if (config.grid[i] % config.cluster[i] != 0)
      refuse(" does not divide grid " + triple(config.grid),
             "round the grid up to a multiple of the cluster, and let blocks without work do none");
  }
  const long long most = config.nonportable_cluster ? 16 : 8;
  if (product(config.cluster) > most)
    refuse(" has " + std::to_string(product(config.cluster)) + " blocks; a cluster has at most " +
               std::to_string(most) + (most == 8 ? " (16 where the kernel allows non-portable sizes)" : ""),
           "use a smaller cluster");
}

}  // namespace

void require_possible(const Config& config) {
  const auto refuse = [&](const std::string& sentence) { throw Stop(config.name, {"bad-launch", sentence, "", {}}); };
  if (running) refuse("it was launched from inside a kernel");
  constexpr long long max_grid[3] = {2147483647, 65535, 65535}, max_block[3] = {1024, 1024, 64};
  for (int i = 0; i < 3; ++i) {
    if (config.grid[i] < 1 || config.grid[i] > max_grid[i])
      refuse("grid " + triple(config.grid) + ": each size must be at least 1 and at most (2147483647,65535,65535)");
    if (config.block[i] < 1 || config.block[i] > max_block[i])
      refuse("block " + triple(config.block) + ": each size must be at least 1 and at most (1024,1024,64)");
  }
  if (product(config.block) > kMaxThreads)
    refuse("block " + triple(config.block) + " has " + std::to_string(product(config.block)) +
           " threads; a block has at most 1024");
  if (config.shared_limit < 0 || config.shared_limit > 232448)
    refuse("no device has " + std::to_string(config.shared_limit) + " bytes of shared memory a block");
  if (config.smem_bytes < 0 || config.smem_bytes > config.shared_limit)
    refuse(std::to_string(config.smem_bytes) + " bytes of dynamic shared memory: a block has 0 to " +
           std::to_string(config.shared_limit));
  if (config.shared_alignment < 1 || config.shared_alignment > 1024 ||
      (config.shared_alignment & (config.shared_alignment - 1)))
    refuse("shared_alignment " + std::to_string(config.shared_alignment) + " is not a power of two up to 1024");
  require_cluster(config);
  if (!config.cooperative) return;
  // Three sizes below 2^31, 2^16, 2^16: their product fits after the first comparison.
  const long long most = resident_blocks(config);
  if (config.grid[0] > most || config.grid[1] > most || config.grid[2] > most || product(config.grid) > most)
    refuse("cooperative grid " + triple(config.grid) + ": only " + std::to_string(most) +
           " of its blocks fit on the device at once");
}

std::uint64_t resident_units(const Job& job) {
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(resident_blocks(job.config)) / job.unit_blocks());
}

}  // namespace spak::sim
