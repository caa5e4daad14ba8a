// A graph from captured streams that fork and join, launched again and again; and one built by hand.
#include <cuda_runtime.h>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define CU(x) do { cudaError_t r = (x); if (r != cudaSuccess) { printf("%s:%d %s\n", __FILE__, __LINE__, cudaGetErrorString(r)); exit(2); } } while (0)

__global__ void scale(float* p, int n, float factor) {
  int i = threadIdx.x + blockIdx.x * blockDim.x;
  if (i < n) p[i] *= factor;
}
__global__ void add(const float* a, const float* b, float* c, int n) {
  int i = threadIdx.x + blockIdx.x * blockDim.x;
  if (i < n) c[i] = a[i] + b[i];
}
__global__ void accumulate(const float* c, float* total, int n) {
  int i = threadIdx.x + blockIdx.x * blockDim.x;
  if (i < n) total[i] += c[i];
}

int main() {
  const int n = 100, threads = 32, blocks = (n + threads - 1) / threads;
  std::vector<float> h(n, 1.0f), result(n);
  float *a, *b, *c, *total;
  for (float** p : {&a, &b, &c, &total}) CU(cudaMalloc(p, n * sizeof(float)));
  CU(cudaMemcpy(a, h.data(), n * sizeof(float), cudaMemcpyHostToDevice));
  CU(cudaMemcpy(b, h.data(), n * sizeof(float), cudaMemcpyHostToDevice));
  CU(cudaMemset(total, 0, n * sizeof(float)));
  CU(cudaDeviceSynchronize());

  cudaStream_t s1, s2;
  cudaEvent_t fork, join;
  CU(cudaStreamCreateWithFlags(&s1, cudaStreamNonBlocking));
  CU(cudaStreamCreateWithFlags(&s2, cudaStreamNonBlocking));
  CU(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming));
  CU(cudaEventCreateWithFlags(&join, cudaEventDisableTiming));
  cudaGraph_t graph;
  cudaGraphExec_t instance;
  CU(cudaStreamBeginCapture(s1, cudaStreamCaptureModeGlobal));
  CU(cudaEventRecord(fork, s1));
  CU(cudaStreamWaitEvent(s2, fork, 0));
  scale<<<blocks, threads, 0, s1>>>(a, n, 2.0f);
  scale<<<blocks, threads, 0, s2>>>(b, n, 3.0f);
  CU(cudaEventRecord(join, s2));
  CU(cudaStreamWaitEvent(s1, join, 0));
  add<<<blocks, threads, 0, s1>>>(a, b, c, n);
  accumulate<<<blocks, threads, 0, s1>>>(c, total, n);
  CU(cudaStreamEndCapture(s1, &graph));
  size_t nodes = 0;
  CU(cudaGraphGetNodes(graph, nullptr, &nodes));
  CU(cudaGraphInstantiate(&instance, graph, NULL, NULL, 0));
  for (int launch = 0; launch < 3; ++launch) CU(cudaGraphLaunch(instance, s1));
  CU(cudaStreamSynchronize(s1));
  CU(cudaMemcpy(result.data(), total, n * sizeof(float), cudaMemcpyDeviceToHost));
  const float expected = (2 + 3) + (4 + 9) + (8 + 27);
  for (float x : result)
    if (x != expected) return printf("%f, expected %f\n", x, expected), 1;
  CU(cudaGraphExecDestroy(instance));
  CU(cudaGraphDestroy(graph));

  // By hand: clear, then scale, then read back.
  cudaGraphNode_t clear_node, scale_node, read_node;
  cudaGraph_t by_hand;
  CU(cudaGraphCreate(&by_hand, 0));
  cudaMemsetParams clear = {};
  clear.dst = a, clear.elementSize = 4, clear.value = 0x40400000 /* 3.0f */, clear.width = n, clear.height = 1;
  CU(cudaGraphAddMemsetNode(&clear_node, by_hand, nullptr, 0, &clear));
  float factor = 7.0f;
  int count = n;
  void* args[] = {&a, &count, &factor};
  cudaKernelNodeParams kernel = {};
  kernel.func = (void*)scale, kernel.gridDim = dim3(blocks), kernel.blockDim = dim3(threads), kernel.kernelParams = args;
  CU(cudaGraphAddKernelNode(&scale_node, by_hand, &clear_node, 1, &kernel));
  CU(cudaGraphAddMemcpyNode1D(&read_node, by_hand, &scale_node, 1, result.data(), a, n * sizeof(float), cudaMemcpyDeviceToHost));
  CU(cudaGraphInstantiate(&instance, by_hand));
  factor = 0;  // copied when the node was added
  CU(cudaGraphLaunch(instance, s1));
  CU(cudaStreamSynchronize(s1));
  for (float x : result)
    if (x != 21.0f) return printf("%f, expected 21\n", x), 1;
  CU(cudaGraphExecDestroy(instance));
  CU(cudaGraphDestroy(by_hand));
  CU(cudaStreamDestroy(s1));
  CU(cudaStreamDestroy(s2));
  CU(cudaEventDestroy(fork));
  CU(cudaEventDestroy(join));
  for (float* p : {a, b, c, total}) CU(cudaFree(p));
  return nodes == 4 ? 0 : 1;
}
