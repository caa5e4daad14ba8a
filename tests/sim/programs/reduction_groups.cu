// Minimum, maximum and sum with cooperative groups, generic over the operation.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <cuda/atomic>
#include <algorithm>
#include <cstdio>
#include <limits>
#include <numeric>
#include <vector>

namespace cg = cooperative_groups;

struct Sum { template <typename T> __device__ T operator()(T a, T b) const { return a + b; } };
struct Max { template <typename T> __device__ T operator()(T a, T b) const { return a < b ? b : a; } };

template <typename Group, typename T, typename Op>
__device__ T reduce_group(Group g, T value, Op op) {
  for (int offset = g.size() / 2; offset > 0; offset /= 2) value = op(value, g.shfl_down(value, offset));
  return value;
}

template <int BlockSize, typename T, typename Op>
__global__ void __launch_bounds__(BlockSize) reduce(const T* in, T* out, int n, T identity, Op op) {
  __shared__ T partial[BlockSize / 32];
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
  T value = identity;
  for (int i = block.group_index().x * BlockSize + block.thread_rank(); i < n; i += gridDim.x * BlockSize) value = op(value, in[i]);
  value = reduce_group(warp, value, op);
  if (warp.thread_rank() == 0) partial[warp.meta_group_rank()] = value;
  block.sync();
  if (warp.meta_group_rank() == 0) {
    value = warp.thread_rank() < warp.meta_group_size() ? partial[warp.thread_rank()] : identity;
    value = reduce_group(warp, value, op);
    if (warp.thread_rank() == 0) out[blockIdx.x] = value;
  }
}

__global__ void min_with_library(const float* in, float* out, int n) {
  auto block = cg::this_thread_block();
  auto tile = cg::tiled_partition<16>(block);
  float value = std::numeric_limits<float>::max();
  for (int i = block.thread_rank(); i < n; i += block.size()) value = fminf(value, in[i]);
  value = cg::reduce(tile, value, cg::less<float>());
  if (tile.thread_rank() == 0) out[tile.meta_group_rank()] = value;
}

// Compacts what is positive, each group of lanes at a place of its own, and sums it up.
__global__ void compact(const int* in, int* out, cuda::atomic<int, cuda::thread_scope_device>* counters, int n) {
  __shared__ cg::block_tile_memory<64> scratch;
  auto block = cg::this_thread_block(scratch);
  auto tile = cg::tiled_partition<32>(block);
  int i = blockIdx.x * blockDim.x + threadIdx.x, value = i < n ? in[i] : 0;
  if (value > 0) {
    auto some = cg::coalesced_threads();
    out[cg::exclusive_scan_update(some, counters[0], 1, cg::plus<int>())] = value;
  }
  cg::reduce_update_async(tile, counters[1], max(value, 0), cg::plus<int>());
  int through = cg::inclusive_scan_update(tile, counters[2], 1, cg::plus<int>());
  if (through < 1 || through > n) out[0] = -1;
}

// Tiles of several warps: sums, and whether the mirror image in shared memory is what a shuffle says.
template <unsigned Threads>
__global__ void wide(const int* in, int* sums) {
  __shared__ cg::block_tile_memory<256> scratch;
  __shared__ int stage[256];
  auto tile = cg::tiled_partition<Threads>(cg::this_thread_block(scratch));
  auto warp = cg::tiled_partition<32>(tile);
  int value = in[blockIdx.x * blockDim.x + threadIdx.x];
  stage[threadIdx.x] = value;
  tile.sync();
  int mirrored = stage[tile.meta_group_rank() * Threads + Threads - 1 - tile.thread_rank()];
  int last = tile.shfl(value, Threads - 1);
  bool right = (tile.thread_rank() || mirrored == last) && warp.meta_group_rank() == tile.thread_rank() / 32 && tile.any(tile.thread_rank() == 5) && !tile.all(tile.thread_rank());
  int sum = cg::reduce(tile, right ? value : -1000000, cg::plus<int>());
  if (tile.thread_rank() == 0) sums[blockIdx.x * tile.meta_group_size() + tile.meta_group_rank()] = sum;
}

template <unsigned Threads>
bool sums_of_tiles(const std::vector<int>& a, const int* in, int* out) {
  wide<Threads><<<2, 256>>>(in, out);
  std::vector<int> sums(512 / Threads);
  cudaMemcpy(sums.data(), out, sums.size() * sizeof(int), cudaMemcpyDeviceToHost);
  for (size_t i = 0; i < sums.size(); ++i)
    if (sums[i] != std::accumulate(a.begin() + i * Threads, a.begin() + (i + 1) * Threads, 0)) return false;
  return true;
}

// Blocks of a cluster and of a grid.
__global__ void __cluster_dims__(2) neighbours(int* out) {
  __shared__ int mine;
  auto cluster = cg::this_cluster();
  auto grid = cg::this_grid();
  if (threadIdx.x == 0) mine = 10 * cluster.block_rank();
  cluster.sync();
  int* other = cluster.map_shared_rank(&mine, cluster.block_rank() ^ 1);
  int seen = *other + cluster.query_shared_rank(other) + cluster.dim_threads().x;
  cluster.sync();
  out[grid.thread_rank()] = seen;
  auto token = grid.barrier_arrive();
  grid.barrier_wait(std::move(token));
  if (grid.thread_rank() == 0) out[0] += out[grid.size() - 1];
}

template <typename T>
class DeviceVector {
 public:
  explicit DeviceVector(size_t n) : n_(n) { cudaMalloc(&p_, n * sizeof(T)); }
  explicit DeviceVector(const std::vector<T>& v) : DeviceVector(v.size()) { cudaMemcpy(p_, v.data(), n_ * sizeof(T), cudaMemcpyHostToDevice); }
  ~DeviceVector() { cudaFree(p_); }
  DeviceVector(const DeviceVector&) = delete;
  operator T*() const { return p_; }
  std::vector<T> host() const {
    std::vector<T> v(n_);
    cudaMemcpy(v.data(), p_, n_ * sizeof(T), cudaMemcpyDeviceToHost);
    return v;
  }

 private:
  T* p_ = nullptr;
  size_t n_;
};

int main() {
  const int n = 1537, blocks = 3;
  std::vector<int> a(n);
  std::vector<float> f(n);
  for (int i = 0; i < n; ++i) a[i] = (i * 7919) % 1000 - 500, f[i] = 0.25f * a[i];
  DeviceVector<int> in(a), out(blocks);
  reduce<64><<<blocks, 64>>>(static_cast<const int*>(in), static_cast<int*>(out), n, 0, Sum{});
  auto sums = out.host();
  int sum = std::accumulate(sums.begin(), sums.end(), 0);
  reduce<96, int, Max><<<dim3(blocks), dim3(96)>>>(in, out, n, std::numeric_limits<int>::min(), Max());
  auto tops = out.host();
  int top = *std::max_element(tops.begin(), tops.end());
  DeviceVector<float> fin(f), fout(4);
  min_with_library<<<1, 64>>>(fin, fout, n);
  auto least = fout.host();
  float lowest = *std::min_element(least.begin(), least.end());
  DeviceVector<int> positive(1536), counters(std::vector<int>{0, 0, 0});
  compact<<<24, 64>>>(in, positive, reinterpret_cast<cuda::atomic<int, cuda::thread_scope_device>*>(static_cast<int*>(counters)), 1536);
  auto counted = counters.host(), kept = positive.host();
  DeviceVector<int> seen(128);
  int* place = seen;
  void* arguments[] = {&place};
  cudaLaunchCooperativeKernel((void*)neighbours, dim3(2), dim3(64), arguments, 0, nullptr);
  bool right = counted[0] == std::count_if(a.begin(), a.begin() + 1536, [](int v) { return v > 0; }) && counted[2] == 1536;
  right = right && counted[1] == std::accumulate(kept.begin(), kept.begin() + counted[0], 0) && seen.host()[0] == 139 + 128;
  right = right && sums_of_tiles<64>(a, in, positive) && sums_of_tiles<128>(a, in, positive) && sums_of_tiles<256>(a, in, positive);
  if (cudaDeviceSynchronize() != cudaSuccess) return 2;
  bool ok = right && sum == std::accumulate(a.begin(), a.end(), 0) && top == *std::max_element(a.begin(), a.end()) && lowest == *std::min_element(f.begin(), f.end());
  std::printf("%d %d %g: %s\n", sum, top, lowest, ok ? "ok" : "wrong");
  return ok ? 0 : 1;
}
