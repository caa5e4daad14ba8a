// 1D stencil with a halo in shared memory and weights in constant memory.
#include <stdio.h>

#define RADIUS 3
#define BLOCK_SIZE 128
#define NUM_ELEMENTS (BLOCK_SIZE * 5)

static void HandleError(cudaError_t err, const char *file, int line) {
  if (err != cudaSuccess) {
    printf("%s in %s at line %d\n", cudaGetErrorString(err), file, line);
    exit(EXIT_FAILURE);
  }
}
#define HANDLE_ERROR(err) (HandleError(err, __FILE__, __LINE__))

__constant__ int weights[2 * RADIUS + 1];

__global__ void stencil_1d(int *in, int *out) {
  __shared__ int temp[BLOCK_SIZE + 2 * RADIUS];
  int gindex = threadIdx.x + (blockIdx.x * blockDim.x) + RADIUS;
  int lindex = threadIdx.x + RADIUS;

  // Read input elements into shared memory
  temp[lindex] = in[gindex];
  if (threadIdx.x < RADIUS) {
    temp[lindex - RADIUS] = in[gindex - RADIUS];
    temp[lindex + BLOCK_SIZE] = in[gindex + BLOCK_SIZE];
  }
  __syncthreads();

  // Apply the stencil
  int result = 0;
  for (int offset = -RADIUS; offset <= RADIUS; offset++) result += weights[offset + RADIUS] * temp[lindex + offset];

  out[gindex - RADIUS] = result;
}

int main() {
  static int h_in[NUM_ELEMENTS + 2 * RADIUS], h_out[NUM_ELEMENTS];
  int h_weights[2 * RADIUS + 1] = {1, -2, 3, 5, 3, -2, 1};
  int *d_in, *d_out, i;
  for (i = 0; i < NUM_ELEMENTS + 2 * RADIUS; ++i) h_in[i] = i * i % 17;

  HANDLE_ERROR(cudaMalloc((void **)&d_in, (NUM_ELEMENTS + 2 * RADIUS) * sizeof(int)));
  HANDLE_ERROR(cudaMalloc((void **)&d_out, NUM_ELEMENTS * sizeof(int)));
  HANDLE_ERROR(cudaMemcpy(d_in, h_in, (NUM_ELEMENTS + 2 * RADIUS) * sizeof(int), cudaMemcpyHostToDevice));
  HANDLE_ERROR(cudaMemcpyToSymbol(weights, h_weights, sizeof(h_weights)));

  stencil_1d<<<(NUM_ELEMENTS + BLOCK_SIZE - 1) / BLOCK_SIZE, BLOCK_SIZE>>>(d_in, d_out);
  HANDLE_ERROR(cudaPeekAtLastError());
  HANDLE_ERROR(cudaMemcpy(h_out, d_out, NUM_ELEMENTS * sizeof(int), cudaMemcpyDeviceToHost));

  for (i = 0; i < NUM_ELEMENTS; ++i) {
    int expected = 0;
    for (int k = 0; k < 2 * RADIUS + 1; ++k) expected += h_weights[k] * h_in[i + k];
    if (h_out[i] != expected) {
      printf("Element h_out[%d] == %d != %d\n", i, h_out[i], expected);
      return 1;
    }
  }
  printf("SUCCESS!\n");
  cudaFree(d_in);
  cudaFree(d_out);
  return 0;
}
