// Accesses that are wrong whatever the order, each with its repaired twin (`_ok`). A line's `//1` and `//2` name the parties.

extern "C" __global__ void over_the_end(const float* in, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) out[i] = in[0];  //1
}
extern "C" __global__ void over_the_end_ok(const float* in, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[0];
}
extern "C" __global__ void before_the_start(const float* in, float* out) {
  out[threadIdx.x] = in[static_cast<int>(threadIdx.x) - 1];  //1
}
extern "C" __global__ void freed(const float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];  //1
}

extern "C" __global__ void vector_of_words(const float* in, float* out) {
  const float4 v = *reinterpret_cast<const float4*>(in + 1);  //1
  out[threadIdx.x] = v.x + v.w;
}
extern "C" __global__ void vector_of_words_ok(const float* in, float* out) {
  const float4 v = *reinterpret_cast<const float4*>(in + 4);
  out[threadIdx.x] = v.x + v.w;
}
extern "C" __global__ void word_of_bytes(const char* in, int* out) {
  out[threadIdx.x] = *reinterpret_cast<const int*>(in + 2);  //1
}

extern "C" __global__ void never_written(float* out) {
  __shared__ float s[64];
  if (threadIdx.x < 32) s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x + 1];  //1
}
extern "C" __global__ void never_written_ok(float* out) {
  __shared__ float s[64];
  s[threadIdx.x] = 1;
  s[threadIdx.x + 32] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x + 1];
}
// Half of a word has been written.
extern "C" __global__ void half_written(int* out) {
  __shared__ unsigned short s[64];
  if (threadIdx.x % 2 == 0) s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];  //1
}
extern "C" __global__ void half_written_ok(int* out) {
  __shared__ unsigned short s[64];
  s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];
}
extern "C" __global__ void buffer_read(const float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];  //1
}
extern "C" __global__ void buffer_fill(float* out) {
  out[threadIdx.x] = 1;
}

extern "C" __global__ void writes_input(float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];
  in[threadIdx.x] = 0;  //1
}
extern "C" __global__ void writes_input_ok(float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];
}

extern "C" __global__ void zone_write(float* out) {
  __shared__ float s[32];
  float* p = s;
  p[threadIdx.x + 1] = 1;  //1
  __syncthreads();
  out[threadIdx.x] = p[threadIdx.x ? threadIdx.x : 1];
}
extern "C" __global__ void zone_read(float* out) {
  __shared__ float s[32];
  float* p = s;
  p[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = p[threadIdx.x + 1];  //1
}
// It begins inside and ends outside.
extern "C" __global__ void straddles(int* out) {
  __shared__ __align__(8) char s[6];
  for (int i = 0; i < 6; ++i) s[i] = 1;
  out[0] = *reinterpret_cast<const int*>(s + 4);  //1
}
extern "C" __global__ void zone_ok(float* out) {
  __shared__ float s[33];
  float* p = s;
  p[threadIdx.x + 1] = 1;
  __syncthreads();
  out[threadIdx.x] = p[threadIdx.x + 1];
}
extern "C" __global__ void dynamic_write(float* out, int n) {
  extern __shared__ float d[];
  d[threadIdx.x + n] = 1;  //1
  __syncthreads();
  out[threadIdx.x] = 0;
}

extern "C" __global__ void wide_index(float* out, int n) {
  int i = n * 65536;  //1
  if (i < 0) i = 0;
  out[threadIdx.x] = static_cast<float>(i);
}
extern "C" __global__ void wide_index_ok(float* out, int n) {
  long long i = n * 65536ll;
  out[threadIdx.x] = static_cast<float>(i);
}
extern "C" __global__ void local_index(float* out, int n) {
  float local[8];
  for (int i = 0; i < 8; ++i) local[i] = static_cast<float>(i);
  out[threadIdx.x] = local[n + threadIdx.x % 4];  //1
}
extern "C" __global__ void shared_index(float* out, int n) {
  __shared__ float s[8][8];
  s[threadIdx.x / 8][threadIdx.x % 8] = 1;
  __syncthreads();
  out[threadIdx.x] = s[0][n + threadIdx.x % 4];  //1
}
extern "C" __global__ void divides(int* out, int n) {
  out[threadIdx.x] = 100 / (n - static_cast<int>(threadIdx.x));  //1
}

extern "C" __global__ void local_of_another(float* out) {
  __shared__ float* place;
  float mine[4] = {1, 2, 3, 4};
  if (threadIdx.x == 0) place = mine;
  __syncthreads();
  out[threadIdx.x] = threadIdx.x == 5 ? place[2] : mine[out[0] > 0 ? 1 : 0];  //1
  __syncthreads();
}

// Nothing is wrong with any of these.
struct Packed {
  char a;
  int b;
} __attribute__((packed));
struct Five {
  int x[5];
};
static const float table[4] = {1, 2, 3, 4};
extern "C" __global__ void blameless(const char* in, Five* out, float* sums) {
  __shared__ unsigned char bytes[70];
  __shared__ double wide[32];
  const int t = threadIdx.x;
  bytes[t] = static_cast<unsigned char>(t);
  wide[t] = t;
  __syncthreads();
  Packed p = reinterpret_cast<const Packed*>(in)[t];
  Five five;
  for (int i = 0; i < 5; ++i) five.x[i] = p.a + p.b + bytes[31 - t];
  out[t] = five;
  sums[t] = static_cast<float>(wide[31 - t]) + table[t % 4];
  float4 big = {1, 2, 3, 4};
  const float4 copy = big;
  sums[t] += copy.x;
}
