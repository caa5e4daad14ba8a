// Sentences about callers and addresses. Knows nothing of any instruction.
#include "model/caller.h"

namespace spak::sim {

Finding finding(const char* rule, std::string sentence, std::string hint, const char* role, Site site,
                std::string what) {
  return {rule, std::move(sentence), std::move(hint), {{role, {site, nullptr}, name_of(self()), std::move(what)}}};
}

std::string name_of_shared(const Block& block, const void* address, const Block* reader) {
  if (!reader && current) reader = &self().owner();
  const auto* at = static_cast<const char*>(address);
  const Window::Variable* variable = block.window().variable_at(address);
  if (!variable || at < variable->begin || at >= variable->begin + variable->size)
    return "byte " + std::to_string(at - block.window().base()) + " of shared memory of " + block.name();
  std::string text = "`" + std::string(variable->site->name) + "`";
  if (at != variable->begin) text += " at byte " + std::to_string(at - variable->begin);
  if (&block != reader) text += " of " + block.name();
  return text;
}

Block& block_of_shared(const void* address, const char* what, Site site) {
  const SharedPlace place = shared_place(address);
  if (place.rank < 0) {
    // Dynamic shared memory may end where the window ends.
    const std::ptrdiff_t past =
        static_cast<const char*>(address) - self().owner().window().base() - static_cast<std::ptrdiff_t>(kWindow);
    if (past >= 0 && past < 1 << 20)
      stop(finding("shared-overflow", std::string(what) + " lies behind the end of the block's shared memory",
                   "ask for more dynamic shared memory in the launch, or use less of it", "calls", site));
    stop(finding("invalid-address", std::string(what) + " is not in shared memory",
                 "pass the address of a __shared__ variable", "calls", site));
  }
  Block& block = *running->cluster_of(self().owner()).blocks[place.rank];
  if (block.gone())
    stop(finding("exited-peer", std::string(what) + " is in shared memory of " + block.name() + ", which has exited",
                 "let no block exit while others use its shared memory: end the kernel with cluster_sync()", "calls",
                 site));
  return block;
}

Block& own_shared(const void* address, const char* what, Site site) {
  Block& block = block_of_shared(address, what, site);
  if (&block != &self().owner())
    stop(finding("invalid-address",
                 std::string(what) + " is in shared memory of another block of the cluster (" + block.name() + ")",
                 "pass the own block's variable: the result of cluster_map is another block's", "calls", site));
  return block;
}

void require_global(const void* address, const char* what, Site site) {
  if (!address)
    stop(finding("invalid-address", std::string(what) + " is a null pointer", "pass a pointer to global memory",
                 "calls", site));
  if (shared_place(address).rank >= 0)
    stop(finding("invalid-address", std::string(what) + " is in shared memory", "pass a pointer to global memory",
                 "calls", site));
}

void refuse_misaligned(std::size_t align, const std::string& what, const std::string& hint, Site site) {
  stop(finding("misaligned", what + " is not a multiple of " + std::to_string(align) + " bytes", hint, "calls", site));
}

void touch(const void* address, std::size_t size) {
  if (!size) return;
  (void)*static_cast<const volatile char*>(address);
  (void)*(static_cast<const volatile char*>(address) + size - 1);
}

}  // namespace spak::sim
