// Bulk copies of contiguous bytes (PTX ISA, cp.async.bulk and cp.reduce.async.bulk). Knows nothing of tensor maps.
#include "spak/sim/model/bulk.h"

#include <cstring>

#include "model/caller.h"
#include "model/copy.h"
#include "model/reduce.h"
#include "profile/profile.h"

namespace spak::sim {

namespace {

constexpr const char* kAligned =
    "bulk copies move multiples of 16 bytes between addresses that are multiples of 16: align with __align__(16)";

void require_16(const void* to, const void* from, std::uint32_t bytes, const char* what, Site site) {
  require_multiple(
      reinterpret_cast<std::uintptr_t>(to), 16, [&] { return std::string("the destination of ") + what; }, kAligned,
      site);
  require_multiple(
      reinterpret_cast<std::uintptr_t>(from), 16, [&] { return std::string("the source of ") + what; }, kAligned, site);
  if (bytes % 16)
    stop(finding("bad-argument",
                 std::string(what) + " of " + std::to_string(bytes) + " bytes: the size must be a multiple of 16",
                 kAligned, "calls", site));
}

// [at, at + bytes) is inside the block's window.
void require_room(const Block& block, const void* at, std::uint64_t bytes, const char* what, Site site) {
  const auto offset = static_cast<std::uint64_t>(static_cast<const char*>(at) - block.window().base());
  if (offset + bytes > kWindow)
    stop(finding("out-of-bounds",
                 std::string(what) + " of " + std::to_string(bytes) + " bytes at " + name_of_shared(block, at) +
                     " leaves shared memory",
                 "check the size: it is in bytes", "calls", site));
}

struct BulkLoad final : Load {
  void move() override {
    if (combines) return reduce(reduction, element, to, source, bytes / size_of(element));
    std::memcpy(to, source, bytes);
  }
  void* to = nullptr;
  const void* source = nullptr;
  bool combines = false;
  Reduction reduction = Reduction::add;
  Element element = Element::u32;
};

struct ValueStore final : Load {
  void move() override { std::memcpy(to, value, bytes); }
  void* to = nullptr;
  unsigned char value[16] = {};
};

struct BulkStore final : Store {
  void move(const char* source) override {
    if (combines) return reduce(reduction, element, to, source, bytes / size_of(element));
    std::memcpy(to, source, bytes);
  }
  void* to = nullptr;
  bool combines = false;
  Reduction reduction = Reduction::add;
  Element element = Element::u32;
};

// One copy into one block. `bar` lies in that block.
std::shared_ptr<BulkLoad> load(Block& into, void* to, const void* source, std::uint32_t bytes, std::uint64_t* bar,
                               const char* what, Site site, bool combines = false) {
  require_room(into, to, bytes, what, site);
  auto copy = std::make_shared<BulkLoad>();
  copy->what = what;
  copy->into = &into;
  copy->barrier = mbarrier_for_copy(bar, what, site);
  copy->bytes = bytes;
  copy->to = to;
  copy->source = source;
  if (check::on()) {
    copy->flight = check::depart(what, check::Proxy::async, site);
    check::will_read(copy->flight, source, bytes);
    if (combines)
      check::will_update(copy->flight, to, bytes);
    else
      check::will_write(copy->flight, to, bytes);
  }
  return copy;
}

// The block that both lie in.
Block& peer_of(void* peer_shared, std::uint64_t* peer_bar, const char* what, Site site) {
  Block& into = block_of_shared(peer_shared, (std::string("the destination of ") + what).c_str(), site);
  if (&into != &block_of_shared(peer_bar, (std::string("the mbarrier of ") + what).c_str(), site))
    stop(finding("bad-argument",
                 std::string("the destination and the mbarrier of ") + what + " lie in different blocks",
                 "map both with cluster_map to the same rank", "calls", site));
  return into;
}

void store(void* global, const void* shared, std::uint32_t bytes, const char* what, const Reduction* reduction,
           Element element, Site site) {
  caller(site);
  const Block& own = own_shared(shared, (std::string("the source of ") + what).c_str(), site);
  require_16(global, shared, bytes, what, site);
  require_room(own, shared, bytes, what, site);
  if (bytes) require_global(global, (std::string("the destination of ") + what).c_str(), site);
  auto copy = std::make_shared<BulkStore>();
  copy->what = what;
  copy->shared = static_cast<const char*>(shared);
  copy->bytes = bytes;
  copy->to = global;
  if (reduction) copy->combines = true, copy->reduction = *reduction, copy->element = element;
  if (check::on()) {
    copy->flight = check::depart(what, check::Proxy::async, site);
    check::will_read(copy->flight, shared, bytes);
    if (reduction)
      check::will_update(copy->flight, global, bytes);
    else
      check::will_write(copy->flight, global, bytes);
  }
  touch(global, bytes);
  issue_store(std::move(copy), site);
}

void copy_cluster(void* peer_shared, const void* shared, std::uint32_t bytes, std::uint64_t* peer_bar, const char* what,
                  const Reduction* reduction, Element element, Site site) {
  caller(site);
  const Block& own = own_shared(shared, (std::string("the source of ") + what).c_str(), site);
  require_16(peer_shared, shared, bytes, what, site);
  require_room(own, shared, bytes, what, site);
  Block& into = peer_of(peer_shared, peer_bar, what, site);
  auto copy = load(into, peer_shared, shared, bytes, peer_bar, what, site, reduction != nullptr);
  copy->out_of_shared = true;
  if (reduction) copy->combines = true, copy->reduction = *reduction, copy->element = element;
  count_copy(profile::Event::peer_bytes, bytes);
  issue_load(std::move(copy), site);
}

}  // namespace

void bulk_load(void* shared, const void* global, std::uint32_t bytes, std::uint64_t* bar, Site site) {
  caller(site);
  // A shared::cluster destination may be a peer's: then the mbarrier is that peer's too.
  Block& into = block_of_shared(shared, "the destination of bulk_load", site);
  require_16(shared, global, bytes, "bulk_load", site);
  if (bytes) require_global(global, "the source of bulk_load", site);
  auto copy = load(into, shared, global, bytes, bar, "bulk load", site);
  count_copy(profile::Event::async_bytes_in, bytes);
  touch(global, bytes);
  issue_load(std::move(copy), site);
}

void bulk_load_multicast(void* shared, const void* global, std::uint32_t bytes, std::uint64_t* bar, std::uint16_t mask,
                         Site site) {
  caller(site);
  own_shared(shared, "the destination of bulk_load_multicast", site);
  own_shared(bar, "the mbarrier of bulk_load_multicast", site);
  require_16(shared, global, bytes, "bulk_load_multicast", site);
  if (bytes) require_global(global, "the source of bulk_load_multicast", site);
  touch(global, bytes);
  std::vector<std::shared_ptr<BulkLoad>> copies;
  for (Block* into : destinations(mask, "bulk_load_multicast", site))
    copies.push_back(load(*into, in_block(*into, shared), global, bytes,
                          static_cast<std::uint64_t*>(in_block(*into, bar)), "bulk load", site));
  for (auto& copy : copies) {
    count_copy(profile::Event::async_bytes_in, bytes);
    issue_load(std::move(copy), site);
  }
}

void bulk_store(void* global, const void* shared, std::uint32_t bytes, Site site) {
  store(global, shared, bytes, "bulk store", nullptr, Element::u8, site);
}

void bulk_reduce(Reduction reduction, Element element, void* global, const void* shared, std::uint32_t bytes,
                 Site site) {
  if (!has_reduction(reduction, element))
    stop(finding("bad-argument",
                 std::string("a bulk reduction cannot ") + name_of(reduction) + " elements of type " + name_of(element),
                 "see the table of cp.reduce.async.bulk in the PTX ISA", "calls", site));
  store(global, shared, bytes, "bulk reduction", &reduction, element, site);
}

void bulk_copy_cluster(void* peer_shared, const void* shared, std::uint32_t bytes, std::uint64_t* peer_bar, Site site) {
  copy_cluster(peer_shared, shared, bytes, peer_bar, "bulk copy to a peer", nullptr, Element::u8, site);
}

void bulk_reduce_cluster(Reduction reduction, Element element, void* peer_shared, const void* shared,
                         std::uint32_t bytes, std::uint64_t* peer_bar, Site site) {
  const bool narrow = element == Element::u32 || element == Element::s32;
  if (!has_reduction(reduction, element) || (!narrow && (element != Element::u64 || reduction != Reduction::add)))
    stop(finding("bad-argument",
                 std::string("a bulk reduction into shared memory cannot ") + name_of(reduction) +
                     " elements of type " + name_of(element),
                 "see the table of cp.reduce.async.bulk in the PTX ISA", "calls", site));
  copy_cluster(peer_shared, shared, bytes, peer_bar, "bulk reduction to a peer", &reduction, element, site);
}

void store_async(void* peer_shared, const void* value, std::uint32_t bytes, std::uint64_t* peer_bar, Site site) {
  constexpr const char* what = "st.async";
  caller(site);
  require_multiple(
      reinterpret_cast<std::uintptr_t>(peer_shared), bytes, [] { return std::string("the destination of st.async"); },
      "it stores to addresses that are multiples of its size", site);
  Block& into = peer_of(peer_shared, peer_bar, what, site);
  require_room(into, peer_shared, bytes, what, site);
  auto copy = std::make_shared<ValueStore>();
  copy->what = what;
  copy->into = &into;
  copy->barrier = mbarrier_for_copy(peer_bar, what, site);
  copy->bytes = bytes;
  copy->to = peer_shared;
  std::memcpy(copy->value, value, bytes);
  if (check::on()) {
    copy->flight = check::depart(what, check::Proxy::generic, site);
    check::will_write(copy->flight, peer_shared, bytes);
  }
  count_copy(profile::Event::peer_bytes, bytes);
  issue_load(std::move(copy), site);
}

}  // namespace spak::sim
