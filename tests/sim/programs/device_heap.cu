// Objects that kernels make on the heap of device code and leave to later kernels: a scene of shapes with virtual functions,
// lists of unequal length, and scratch memory of each thread.
#include <cstdio>
#include <new>

struct Shape {
  __device__ virtual float area() const = 0;
  __device__ virtual ~Shape() {}
};
struct Square : Shape {
  float side;
  __device__ explicit Square(float side) : side(side) {}
  __device__ float area() const override { return side * side; }
};
struct Box : Square {
  float* height = nullptr;
  __device__ Box(float side, float high) : Square(side), height(new float(high)) {}
  __device__ ~Box() override { delete height; }
  __device__ float area() const override { return 2 * Square::area() + 4 * side * *height; }
};
struct Node {
  int value;
  Node* next;
};

__global__ void build(Shape** shapes, Node** lists) {
  int t = threadIdx.x;
  if (t % 2) shapes[t] = new Box(t, 2);
  else shapes[t] = new Square(t);
  lists[t] = nullptr;
  for (int i = 0; i < t % 5; ++i) {
    Node* node = (Node*)malloc(sizeof(Node));
    node->value = i, node->next = lists[t];
    lists[t] = node;
  }
}
__global__ void use(Shape** shapes, Node** lists, float* out) {
  int t = threadIdx.x;
  float sum = shapes[(t + 1) % blockDim.x]->area();
  for (const Node* node = lists[t]; node; node = node->next) sum += node->value;
  int* scratch = new int[t + 1];
  for (int i = 0; i <= t; ++i) scratch[i] = 1;
  for (int i = 0; i <= t; ++i) sum += scratch[i];
  delete[] scratch;
  alignas(Square) unsigned char here[sizeof(Square)];
  sum += (new (here) Square(1))->area();
  out[t] = sum;
}
__global__ void destroy(Shape** shapes, Node** lists) {
  int t = threadIdx.x;
  delete shapes[t];
  while (lists[t]) {
    Node* node = lists[t];
    lists[t] = node->next;
    free(node);
  }
}

// In C++17 this name is nobody's, and in use.
__device__ __host__ float lerp(float a, float b, float t) { return a + t * (b - a); }
__global__ void between(float* out) { out[threadIdx.x] = lerp(out[threadIdx.x], 1000, 0.5f); }

int main() {
  const int n = 40;
  Shape** shapes;
  Node** lists;
  float *out, got[n];
  cudaMalloc(&shapes, n * sizeof(Shape*));
  cudaMalloc(&lists, n * sizeof(Node*));
  cudaMalloc(&out, n * sizeof(float));
  build<<<1, n>>>(shapes, lists);
  use<<<1, n>>>(shapes, lists, out);
  destroy<<<1, n>>>(shapes, lists);
  between<<<1,
#ifdef NOT_DEFINED
           1
#else
           n
#endif
           >>>(out);
  if (cudaMemcpy(got, out, sizeof got, cudaMemcpyDeviceToHost) != cudaSuccess) return 2;
  int wrong = 0;
  for (int t = 0; t < n; ++t) {
    int s = (t + 1) % n, k = t % 5;
    float area = s % 2 ? 2 * s * s + 8 * s : s * s;
    wrong += got[t] != lerp(area + k * (k - 1) / 2 + t + 1 + 1, 1000, 0.5f);
  }
  cudaFree(shapes), cudaFree(lists), cudaFree(out);
  std::printf("%s\n", wrong ? "wrong" : "ok");
  return wrong != 0;
}
