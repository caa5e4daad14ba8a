// Work of several streams that meets in one piece of memory: `streams CASE` forgets the order, `streams CASE ordered` has it.
#include <cstdio>
#include <cstdlib>

constexpr int kN = 1024;
constexpr size_t kBytes = kN * sizeof(int);

__global__ void fill(int* x, int value) {
  x[blockIdx.x * blockDim.x + threadIdx.x] = value;  // fill
}
__global__ void add(const int* x, int* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] += x[i];  // add
}
__global__ void one_of(int* x) {
  if (threadIdx.x == 2 && threadIdx.y == 1) x[5] = 1;  // one of many
}
__global__ void alone(const int* x, int* y) {
  y[0] = x[5];  // alone
}
__global__ void count(int* counter) { atomicAdd(counter, 1); }

int main(int argc, char** argv) {
  const int which = atoi(argv[1]);
  const bool ordered = argc > 2;
  int *x, *y, *z, *pinned;
  cudaMalloc(&x, kBytes), cudaMalloc(&y, kBytes), cudaMalloc(&z, kBytes), cudaMallocHost(&pinned, kBytes);
  for (int i = 0; i < kN; ++i) pinned[i] = 1;
  cudaMemset(x, 0, kBytes), cudaMemset(y, 0, kBytes), cudaMemset(z, 0, kBytes);
  cudaDeviceSynchronize();
  cudaStream_t a, b, blocking;
  cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking), cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking);
  cudaStreamCreate(&blocking);
  cudaEvent_t event, other;
  cudaEventCreate(&event), cudaEventCreate(&other);
  switch (which) {
    case 0:  // written in one stream, read in another
      fill<<<4, 256, 0, a>>>(x, 3);
      if (ordered) cudaEventRecord(event, a), cudaStreamWaitEvent(b, event, 0);
      add<<<4, 256, 0, b>>>(x, y);
      break;
    case 1:  // read in one stream, overwritten in another
      add<<<4, 256, 0, b>>>(x, y);
      if (ordered) cudaStreamSynchronize(b);
      fill<<<4, 256, 0, a>>>(x, 3);
      break;
    case 2:  // a copy does not wait for another stream's kernel
      fill<<<4, 256, 0, a>>>(x, 3);
      if (ordered) cudaEventRecord(event, a), cudaEventSynchronize(event);
      cudaMemcpyAsync(pinned, x, kBytes, cudaMemcpyDeviceToHost, b);  // copy 2
      break;
    case 3:  // a fill of the default stream is asynchronous, and a stream that does not block does not wait for it
      cudaMemset(x, 0, kBytes);  // copy 3
      add<<<4, 256, 0, ordered ? blocking : b>>>(x, y);
      break;
    case 4:  // a synchronous copy waits for the default stream, not for one that does not block
      fill<<<4, 256, 0, ordered ? blocking : a>>>(x, 3);
      cudaMemcpy(pinned, x, kBytes, cudaMemcpyDeviceToHost);  // copy 4
      break;
    case 5:  // a ring of one buffer: the next copy overtakes the kernel that reads
      for (int i = 0; i < 3; ++i) {
        cudaMemcpyAsync(x, pinned, kBytes, cudaMemcpyHostToDevice, a);  // copy 5
        cudaEventRecord(event, a), cudaStreamWaitEvent(b, event, 0);
        add<<<4, 256, 0, b>>>(x, y);
        if (ordered) cudaEventRecord(other, b), cudaStreamWaitEvent(a, other, 0);
      }
      break;
    case 6:  // the event is recorded before the launch that it should stand for
      if (!ordered) cudaEventRecord(event, a);
      fill<<<4, 256, 0, a>>>(x, 3);
      if (ordered) cudaEventRecord(event, a);
      cudaStreamWaitEvent(b, event, 0);
      add<<<4, 256, 0, b>>>(x, y);
      break;
    case 7:  // all of this is in order, or apart, or atomic
      fill<<<2, 256, 0, a>>>(x, 1), fill<<<2, 256, 0, b>>>(x + 512, 2);
      count<<<4, 256, 0, a>>>(z), count<<<4, 256, 0, b>>>(z);
      cudaEventRecord(event, a), cudaStreamWaitEvent(blocking, event, 0);
      cudaEventRecord(other, b), cudaStreamWaitEvent(blocking, other, 0);
      add<<<4, 256, 0, blocking>>>(x, y);
      add<<<4, 256>>>(x, y);  // the default stream is after those that block
      cudaStreamSynchronize(0);
      fill<<<4, 256, 0, a>>>(y, 0);
      cudaLaunchHostFunc(a, [](void*) {}, nullptr);
      cudaStreamSynchronize(a);
      add<<<4, 256, 0, b>>>(y, x);
      cudaMemcpyAsync(pinned, y, kBytes, cudaMemcpyDeviceToHost, blocking);
      break;
    case 8:  // blocks of other shapes
      one_of<<<1, dim3(8, 4), 0, a>>>(x);
      if (ordered) cudaStreamSynchronize(a);
      alone<<<1, 1, 0, b>>>(x, y);
      break;
  }
  cudaDeviceSynchronize();
  printf("%d\n", pinned[7]);
}
