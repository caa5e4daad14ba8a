// Graphs that own memory, built by hand and captured, launched twice; clones; instances that are told to do something else;
// memory pools; the occupancy of a kernel of which only the address is known.
#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define OK(call)                                                                      \
  do {                                                                                \
    if (cudaError_t error = (call)) {                                                 \
      printf("line %d: %s: %s\n", __LINE__, #call, cudaGetErrorName(error)), exit(1); \
    }                                                                                 \
  } while (0)
#define EXPECT(condition) \
  if (!(condition)) printf("line %d: not %s\n", __LINE__, #condition), ++wrong

__global__ void scale(const int* x, int* y, int factor, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = factor * x[i];
}

int wrong = 0;
const int n = 500;
std::vector<int> x(n), y(n);

void by_hand() {
  cudaGraph_t graph, clone;
  cudaGraphNode_t alloc, in, kernel, out, free_node, host, zero, found;
  OK(cudaGraphCreate(&graph, 0));
  cudaMemAllocNodeParams memory = {};
  memory.poolProps.allocType = cudaMemAllocationTypePinned;
  memory.poolProps.location = {cudaMemLocationTypeDevice, {0}};
  memory.bytesize = 2 * n * sizeof(int);
  OK(cudaGraphAddMemAllocNode(&alloc, graph, nullptr, 0, &memory));
  int *dx = static_cast<int*>(memory.dptr), *dy = dx + n, factor = 3, count = n, calls = 0;
  OK(cudaGraphAddMemcpyNode1D(&in, graph, &alloc, 1, dx, x.data(), n * sizeof(int), cudaMemcpyHostToDevice));
  cudaMemsetParams fill = {};
  fill.dst = dy, fill.elementSize = 4, fill.width = n, fill.height = 1;
  OK(cudaGraphAddMemsetNode(&zero, graph, &alloc, 1, &fill));
  void* arguments[] = {&dx, &dy, &factor, &count};
  cudaKernelNodeParams launch = {};
  launch.func = reinterpret_cast<void*>(scale), launch.gridDim = 4, launch.blockDim = 128;
  launch.kernelParams = arguments;
  cudaGraphNode_t both[] = {in, zero};
  OK(cudaGraphAddKernelNode(&kernel, graph, both, 2, &launch));
  OK(cudaGraphAddMemcpyNode1D(&out, graph, &kernel, 1, y.data(), dy, n * sizeof(int), cudaMemcpyDeviceToHost));
  cudaHostNodeParams call = {[](void* p) { ++*static_cast<int*>(p); }, &calls};
  OK(cudaGraphAddHostNode(&host, graph, &out, 1, &call));
  OK(cudaGraphAddMemFreeNode(&free_node, graph, &out, 1, dx));

  OK(cudaGraphClone(&clone, graph));
  OK(cudaGraphNodeFindInClone(&found, kernel, clone));
  factor = 5;
  OK(cudaGraphKernelNodeSetParams(found, &launch));
  cudaGraphExec_t first, second;
  OK(cudaGraphInstantiate(&first, graph, 0));
  OK(cudaGraphInstantiate(&second, clone, 0));
  for (int round = 0; round < 2; ++round) {
    OK(cudaGraphLaunch(first, 0));
    OK(cudaDeviceSynchronize());
    EXPECT(y[7] == 3 * x[7]);
    OK(cudaGraphLaunch(second, 0));
    OK(cudaDeviceSynchronize());
    EXPECT(y[7] == 5 * x[7]);
  }
  EXPECT(calls == 4);

  // The copy now brings other numbers, the fill another, and the call counts elsewhere.
  std::vector<int> other(n, 11);
  int others = 0;
  call.userData = &others, fill.value = 1;
  OK(cudaGraphExecMemcpyNodeSetParams1D(first, in, dx, other.data(), n * sizeof(int), cudaMemcpyHostToDevice));
  OK(cudaGraphExecMemsetNodeSetParams(first, zero, &fill));
  OK(cudaGraphExecHostNodeSetParams(first, host, &call));
  OK(cudaGraphLaunch(first, 0));
  OK(cudaDeviceSynchronize());
  EXPECT(y[7] == 33 && others == 1 && calls == 4);
  EXPECT(cudaGraphExecHostNodeSetParams(first, in, &call) == cudaErrorInvalidValue);
  OK(cudaGraphExecDestroy(first));
  OK(cudaGraphExecDestroy(second));
  OK(cudaGraphDestroy(clone));
  OK(cudaGraphDestroy(graph));
}

void captured() {
  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  OK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  int *dx, *dy;
  OK(cudaMallocAsync(&dx, n * sizeof(int), stream));
  OK(cudaMallocAsync(&dy, n * sizeof(int), stream));
  OK(cudaMemcpyAsync(dx, x.data(), n * sizeof(int), cudaMemcpyHostToDevice, stream));
  scale<<<4, 128, 0, stream>>>(dx, dy, 7, n);
  OK(cudaFreeAsync(dx, stream));
  OK(cudaMemcpyAsync(y.data(), dy, n * sizeof(int), cudaMemcpyDeviceToHost, stream));
  OK(cudaFreeAsync(dy, stream));
  OK(cudaStreamEndCapture(stream, &graph));
  OK(cudaGraphInstantiate(&exec, graph, 0));
  for (int round = 0; round < 2; ++round) {
    y.assign(n, 0);
    OK(cudaGraphLaunch(exec, stream));
    OK(cudaStreamSynchronize(stream));
    EXPECT(y[n - 1] == 7 * x[n - 1]);
  }
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
  OK(cudaStreamDestroy(stream));
}

void pools() {
  cudaMemPool_t mine, standard, now;
  cudaMemPoolProps properties = {};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, {0}};
  OK(cudaMemPoolCreate(&mine, &properties));
  OK(cudaDeviceGetDefaultMemPool(&standard, 0));
  OK(cudaDeviceSetMemPool(0, mine));
  OK(cudaDeviceGetMemPool(&now, 0));
  EXPECT(now == mine && mine != standard);
  std::uint64_t keep = 1 << 20, told = 0, used = 0;
  int reuse = 0;
  OK(cudaMemPoolSetAttribute(mine, cudaMemPoolAttrReleaseThreshold, &keep));
  OK(cudaMemPoolGetAttribute(mine, cudaMemPoolAttrReleaseThreshold, &told));
  OK(cudaMemPoolGetAttribute(mine, cudaMemPoolReuseAllowOpportunistic, &reuse));
  EXPECT(told == keep && reuse == 1);
  int* p;
  OK(cudaMallocFromPoolAsync(&p, 4096, mine, 0));
  OK(cudaMemPoolGetAttribute(mine, cudaMemPoolAttrUsedMemCurrent, &used));
  EXPECT(used >= 4096);
  OK(cudaFreeAsync(p, 0));
  OK(cudaDeviceSynchronize());
  cudaMemAccessDesc access = {{cudaMemLocationTypeDevice, {0}}, cudaMemAccessFlagsProtReadWrite};
  OK(cudaMemPoolSetAccess(mine, &access, 1));
  OK(cudaMemPoolTrimTo(mine, 0));
  OK(cudaMemPoolDestroy(mine));
  OK(cudaDeviceGetMemPool(&now, 0));
  EXPECT(now == standard);
}

int main() {
  for (int i = 0; i < n; ++i) x[i] = i + 1;
  by_hand();
  captured();
  pools();
  int grid = 0, block = 0;
  OK(cudaOccupancyMaxPotentialBlockSize(&grid, &block, reinterpret_cast<void*>(scale), 0, n));
  EXPECT(grid > 0 && block > 0 && block <= n);
  cudaDeviceProp device;
  OK(cudaGetDeviceProperties(&device, 0));
  EXPECT(device.persistingL2CacheMaxSize > 0 && device.persistingL2CacheMaxSize < device.l2CacheSize);
  printf("%d wrong\n", wrong);
  return wrong != 0;
}
