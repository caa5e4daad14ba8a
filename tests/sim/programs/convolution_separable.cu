// Separable convolution with the filter in constant memory, and a direct 2D one that must agree with it.
#include <cuda_runtime.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>

#define KERNEL_RADIUS 2
#define KERNEL_LENGTH (2 * KERNEL_RADIUS + 1)
#define ROWS_BLOCKDIM_X 16
#define ROWS_BLOCKDIM_Y 4
#define ROWS_RESULT_STEPS 2
#define ROWS_HALO_STEPS 1

__constant__ float c_Kernel[KERNEL_LENGTH];

extern "C" void setConvolutionKernel(float *h_Kernel) { cudaMemcpyToSymbol(c_Kernel, h_Kernel, KERNEL_LENGTH * sizeof(float)); }

__global__ void convolutionRowsKernel(float *d_Dst, float *d_Src, int imageW, int imageH, int pitch) {
  __shared__ float s_Data[ROWS_BLOCKDIM_Y][(ROWS_RESULT_STEPS + 2 * ROWS_HALO_STEPS) * ROWS_BLOCKDIM_X];
  const int baseX = (blockIdx.x * ROWS_RESULT_STEPS - ROWS_HALO_STEPS) * ROWS_BLOCKDIM_X + threadIdx.x;
  const int baseY = blockIdx.y * ROWS_BLOCKDIM_Y + threadIdx.y;
  d_Src += baseY * pitch + baseX;
  d_Dst += baseY * pitch + baseX;
#pragma unroll
  for (int i = ROWS_HALO_STEPS; i < ROWS_HALO_STEPS + ROWS_RESULT_STEPS; i++) s_Data[threadIdx.y][threadIdx.x + i * ROWS_BLOCKDIM_X] = d_Src[i * ROWS_BLOCKDIM_X];
#pragma unroll
  for (int i = 0; i < ROWS_HALO_STEPS; i++) s_Data[threadIdx.y][threadIdx.x + i * ROWS_BLOCKDIM_X] = (baseX >= -i * ROWS_BLOCKDIM_X) ? d_Src[i * ROWS_BLOCKDIM_X] : 0;
#pragma unroll
  for (int i = ROWS_HALO_STEPS + ROWS_RESULT_STEPS; i < ROWS_HALO_STEPS + ROWS_RESULT_STEPS + ROWS_HALO_STEPS; i++)
    s_Data[threadIdx.y][threadIdx.x + i * ROWS_BLOCKDIM_X] = (imageW - baseX > i * ROWS_BLOCKDIM_X) ? d_Src[i * ROWS_BLOCKDIM_X] : 0;
  __syncthreads();
#pragma unroll
  for (int i = ROWS_HALO_STEPS; i < ROWS_HALO_STEPS + ROWS_RESULT_STEPS; i++) {
    float sum = 0;
#pragma unroll
    for (int j = -KERNEL_RADIUS; j <= KERNEL_RADIUS; j++) sum += c_Kernel[KERNEL_RADIUS - j] * s_Data[threadIdx.y][threadIdx.x + i * ROWS_BLOCKDIM_X + j];
    d_Dst[i * ROWS_BLOCKDIM_X] = sum;
  }
}

__global__ void convolutionColumnsSimple(float *dst, const float *src, int w, int h, int pitch) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= w || y >= h) return;
  float sum = 0;
  for (int j = -KERNEL_RADIUS; j <= KERNEL_RADIUS; j++)
    if (y + j >= 0 && y + j < h) sum += c_Kernel[KERNEL_RADIUS - j] * src[(y + j) * pitch + x];
  dst[y * pitch + x] = sum;
}

__global__ void convolution2D(float *dst, const float *src, int w, int h) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= w || y >= h) return;
  float sum = 0;
  for (int j = -KERNEL_RADIUS; j <= KERNEL_RADIUS; j++)
    for (int i = -KERNEL_RADIUS; i <= KERNEL_RADIUS; i++)
      if (x + i >= 0 && x + i < w && y + j >= 0 && y + j < h) sum += c_Kernel[KERNEL_RADIUS - j] * c_Kernel[KERNEL_RADIUS - i] * src[(y + j) * w + x + i];
  dst[y * w + x] = sum;
}

int main(int argc, char **argv) {
  const int imageW = 64, imageH = 16;
  float h_Kernel[KERNEL_LENGTH] = {0.5f, 1.0f, -2.0f, 0.25f, 3.0f};
  float *h_Input = (float *)malloc(imageW * imageH * sizeof(float)), *h_Out = (float *)malloc(imageW * imageH * sizeof(float)), *h_Out2 = (float *)malloc(imageW * imageH * sizeof(float));
  for (int i = 0; i < imageW * imageH; i++) h_Input[i] = (float)(i * 13 % 16);
  float *d_Input, *d_Output, *d_Buffer;
  cudaMalloc((void **)&d_Input, imageW * imageH * sizeof(float));
  cudaMalloc((void **)&d_Output, imageW * imageH * sizeof(float));
  cudaMalloc((void **)&d_Buffer, imageW * imageH * sizeof(float));
  setConvolutionKernel(h_Kernel);
  cudaMemcpy(d_Input, h_Input, imageW * imageH * sizeof(float), cudaMemcpyHostToDevice);
  assert(imageW % (ROWS_RESULT_STEPS * ROWS_BLOCKDIM_X) == 0);
  dim3 blocks(imageW / (ROWS_RESULT_STEPS * ROWS_BLOCKDIM_X), imageH / ROWS_BLOCKDIM_Y);
  dim3 threads(ROWS_BLOCKDIM_X, ROWS_BLOCKDIM_Y);
  convolutionRowsKernel<<<blocks, threads>>>(d_Buffer, d_Input, imageW, imageH, imageW);
  convolutionColumnsSimple<<<dim3(4, 4), dim3(16, 4)>>>(d_Output, d_Buffer, imageW, imageH, imageW);
  cudaMemcpy(h_Out, d_Output, imageW * imageH * sizeof(float), cudaMemcpyDeviceToHost);
  convolution2D<<<dim3(4, 4), dim3(16, 4)>>>(d_Output, d_Input, imageW, imageH);
  cudaMemcpy(h_Out2, d_Output, imageW * imageH * sizeof(float), cudaMemcpyDeviceToHost);
  double delta = 0, sum = 0, cpu = 0;
  for (int y = 0; y < imageH; y++)
    for (int x = 0; x < imageW; x++) {
      double ref = 0;
      for (int j = -KERNEL_RADIUS; j <= KERNEL_RADIUS; j++)
        for (int i = -KERNEL_RADIUS; i <= KERNEL_RADIUS; i++)
          if (x + i >= 0 && x + i < imageW && y + j >= 0 && y + j < imageH) ref += h_Kernel[KERNEL_RADIUS - j] * h_Kernel[KERNEL_RADIUS - i] * h_Input[(y + j) * imageW + x + i];
      delta += fabs(h_Out[y * imageW + x] - h_Out2[y * imageW + x]);
      cpu += fabs(ref - h_Out[y * imageW + x]);
      sum += fabs(ref);
    }
  cudaFree(d_Buffer); cudaFree(d_Output); cudaFree(d_Input);
  free(h_Out2); free(h_Out); free(h_Input);
  printf("relative error %E\n", cpu / sum);
  return delta / sum < 1e-6 && cpu / sum < 1e-6 ? 0 : 1;
}
