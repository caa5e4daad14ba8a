// Inline PTX that needs other threads or memory; test_front_ptx.py appends this to its scalar instructions.
#include <cstdint>

__device__ std::uint32_t shared_at(const void* p) {
  std::uint32_t a;
  asm("{ .reg .u64 p; cvta.to.shared.u64 p, %1; cvt.u32.u64 %0, p; }" : "=r"(a) : "l"(p));
  return a;
}

extern "C" __global__ void lanes(unsigned* flat) {
  auto* out = reinterpret_cast<unsigned(*)[64]>(flat);
  const unsigned t = threadIdx.x;
  unsigned lane, v, w;
  asm("mov.u32 %0, %%laneid;" : "=r"(lane));
  out[0][t] = lane;
  asm("mov.u32 %0, %%warpid;" : "=r"(v));
  out[1][t] = v;
  asm volatile("shfl.sync.bfly.b32 %0, %1, 1, 0x1f, 0xffffffff;" : "=r"(v) : "r"(lane));
  out[2][t] = v;
  asm volatile("{ .reg .pred p; shfl.sync.down.b32 %0|p, %1, 3, 0x181f, %2; @!p add.u32 %0, %1, 1000; }" : "=r"(v) : "r"(lane), "r"(0xFFFFFFFFu));
  out[3][t] = v;
  asm volatile("{\n .reg .pred p;\n shfl.sync.up.b32 %0|p, %1, 2, 0, -1;\n @!p add.u32 %0, %1, 1000;\n}" : "=&r"(v) : "r"(lane));
  out[4][t] = v;
  asm volatile("{ .reg .pred p; setp.lt.u32 p, %1, 16; vote.sync.ballot.b32 %0, p, -1; }" : "=r"(v) : "r"(lane));
  out[5][t] = v;
  asm volatile("{ .reg .pred p, q; setp.lt.u32 p, %1, 99; vote.sync.all.pred q, p, -1; selp.u32 %0, 1, 0, q; }" : "=r"(v) : "r"(lane));
  out[6][t] = v;
  asm volatile("{ .reg .pred p, q; setp.gt.u32 p, %1, 99; vote.sync.any.pred q, p, -1; selp.u32 %0, 1, 0, q; }" : "=r"(v) : "r"(lane));
  out[7][t] = v;
  asm volatile("redux.sync.add.u32 %0, %1, -1;" : "=r"(v) : "r"(lane));
  out[8][t] = v;
  asm volatile("redux.sync.max.s32 %0, %1, -1;" : "=r"(v) : "r"(lane));
  out[9][t] = v;
  asm volatile("match.any.sync.b32 %0, %1, -1;" : "=r"(v) : "r"(lane % 2));
  out[10][t] = v;
  asm volatile("{ .reg .pred p; elect.sync _|p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(v) : "r"(0xFFFFFFFF));
  out[11][t] = v;
  asm volatile("activemask.b32 %0;" : "=r"(v));
  out[12][t] = v;
  asm("mov.u32 %0, %%lanemask_lt;" : "=r"(v));
  out[13][t] = v;
  asm("mov.u32 %0, %%ntid.x; mov.u32 %1, %%tid.x;" : "=r"(v), "=r"(w));
  out[14][t] = v;
  asm volatile("bar.sync 0;");
  asm volatile("barrier.sync.aligned 3, %0;" ::"n"(64));
  asm volatile("bar.warp.sync 0xffffffff;");
  out[15][t] = w;
}

extern "C" __global__ void memory(unsigned* flat) {
  auto* out = reinterpret_cast<unsigned(*)[32]>(flat);
  __shared__ alignas(16) unsigned tile[128];
  __shared__ unsigned count[4];
  const unsigned t = threadIdx.x;
  unsigned a, b, c, d;
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(shared_at(&tile[4 * t])), "r"(4 * t), "r"(4 * t + 1), "r"(4 * t + 2), "r"(4 * t + 3));
  asm volatile("ld.shared::cta.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(a), "=r"(b), "=r"(c), "=r"(d) : "r"(shared_at(tile) + 16 * t));
  out[0][t] = a;
  out[1][t] = d;
  if (t < 4) count[t] = 0;
  __syncthreads();
  tile[t] = t;
  __syncthreads();
  asm volatile("ld.volatile.shared.u32 %0, [%1+-4];" : "=r"(a) : "r"(shared_at(&tile[32 - t])));
  out[2][t] = a;
  unsigned* place = &out[3][t];
  asm volatile("st.global.cs.u32 [%0], 7; ld.global.nc.L1::no_allocate.L2::128B.u32 %1, [%0];" : "+l"(place), "=r"(b));
  asm volatile("red.shared.add.u32 [%0], %1;" ::"r"(shared_at(&count[0])), "r"(t));
  asm volatile("atom.relaxed.cta.shared.inc.u32 %0, [%1], 99;" : "=r"(a) : "r"(shared_at(&count[1])));
  out[5][t] = a;
  asm volatile("red.release.gpu.shared.add.f32 [%0], %1;" ::"r"(shared_at(&count[2])), "f"(1.0f));
  asm volatile("atom.shared.max.s32 %0, [%1], %2;" : "=r"(a) : "r"(shared_at(&count[3])), "r"(t));
  __syncthreads();
  out[4][t] = count[0];
  out[6][t] = count[2];
  out[9][t] = count[3];
  asm("{ .reg .pred p; isspacep.shared p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(a) : "l"(tile));
  out[7][t] = a;
  asm("{ .reg .pred p; isspacep.shared p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(a) : "l"(out));
  out[8][t] = a;
  if (t == 0) {
    asm volatile("st.release.gpu.global.u32 [%0], 5; fence.acq_rel.gpu;" ::"l"(&out[10][0]) : "memory");
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(a) : "l"(&out[10][0]) : "memory");
    asm volatile("atom.global.cas.b32 %0, [%1], %2, 6;" : "=r"(b) : "l"(&out[10][1]), "r"(out[10][1]) : "memory");
    unsigned char* byte = reinterpret_cast<unsigned char*>(&count[0]);
    asm volatile("st.shared.u8 [%1], %2; ld.shared.u8 %0, [%1];" : "=r"(a) : "r"(shared_at(byte)), "r"(300));
    out[10][2] = a;
  }
  unsigned long long generic;
  asm("cvta.shared.u64 %0, %1;" : "=l"(generic) : "l"(static_cast<unsigned long long>(shared_at(&tile[t]))));
  asm volatile("{ .reg .pred odd; setp.eq.u32 odd, %2, 1; mov.u32 %0, 0; @odd ld.u32 %0, [%1]; }" : "=r"(a) : "l"(generic), "r"(t % 2));
  out[11][t] = a;
}

// `out` is zero at first: sums of packed halves and of vectors, the barrier's own, and qualifiers in another order.
extern "C" __global__ void sums(unsigned* flat) {
  auto* out = reinterpret_cast<unsigned(*)[32]>(flat);
  const unsigned t = threadIdx.x;
  asm volatile("red.global.add.noftz.f16x2 [%0], %1;" ::"l"(&out[0][0]), "r"(t % 2 ? 0x3C003C00 : 0x00003C00) : "memory");
  asm volatile("red.global.add.noftz.bf16x2 [%0], %1;" ::"l"(&out[0][1]), "r"(t % 2 ? 0x3F803F80 : 0x3F800000) : "memory");
  asm volatile("red.global.add.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(&out[0][2]), "f"(1.0f), "f"(2.0f), "f"(3.0f), "f"(4.0f) : "memory");
  asm volatile("red.global.relaxed.gpu.add.u32 [%0], 1;" ::"l"(&out[0][6]) : "memory");
  unsigned odd;
  asm volatile("{ .reg .pred p; setp.eq.u32 p, %1, 1; bar.red.popc.u32 %0, 0, p; }" : "=r"(odd) : "r"(t % 2) : "memory");
  if (t >= 32) return;
  out[1][t] = odd;
  asm volatile("st.global.release.gpu.u32 [%0], 7;" ::"l"(&out[2][t]) : "memory");
}

#define CP_ASYNC(dst, src, n, size) \
  asm volatile("cp.async.ca.shared.global.L2::128B [%0], [%1], %2, %3;" ::"r"(dst), "l"(src), "n"(n), "r"(size))

extern "C" __global__ void copies(unsigned* flat, const unsigned* data) {
  auto* out = reinterpret_cast<unsigned(*)[128]>(flat);
  __shared__ alignas(128) unsigned tile[128], bulk[128];
  __shared__ std::uint64_t bar;
  const unsigned t = threadIdx.x;
  CP_ASYNC(shared_at(&tile[4 * t]), data + 4 * t, 16, 12);
  asm volatile("cp.async.commit_group;");
  if (t == 0) asm volatile("mbarrier.init.shared::cta.b64 [%0], %1; fence.proxy.async;" ::"r"(shared_at(&bar)), "r"(1));
  asm volatile("cp.async.wait_group %0;" ::"n"(0));
  __syncthreads();
  for (int i = 0; i < 4; ++i) out[0][4 * t + i] = tile[4 * t + i];
  if (t == 0) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], 512;" ::"r"(shared_at(&bar)));
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_at(bulk)),
                 "l"(data + 128), "r"(512), "r"(shared_at(&bar)) : "memory");
  }
  asm volatile(
      "{\n"
      ".reg .pred                P1;\n"
      "LAB_WAIT:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 P1, [%0], %1;\n"
      "@P1                       bra DONE;\n"
      "bra                   LAB_WAIT;\n"
      "DONE:\n"
      "}" ::"r"(shared_at(&bar)), "r"(0));
  for (int i = 0; i < 4; ++i) {
    out[1][4 * t + i] = bulk[4 * t + i];
    tile[4 * t + i] = bulk[4 * t + i] + 1;
  }
  asm volatile("fence.proxy.async.shared::cta;");
  __syncthreads();
  if (t == 0) {
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(out[2]), "r"(shared_at(tile)), "r"(512));
    asm volatile("cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0; cp.async.bulk.wait_group 0;");
  }
}

extern "C" __global__ void matrices(float* flat) {
  auto* out = reinterpret_cast<float(*)[128]>(flat);
  extern __shared__ __align__(128) unsigned ones[];
  const unsigned t = threadIdx.x;
  for (unsigned i = t; i < 1024; i += 128) ones[i] = 0x3C003C00;
  asm volatile("fence.proxy.async;");
  __syncthreads();
  if (t < 32) {
    unsigned r[4];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_at(ones) + 16 * t));
    float c[4] = {1, 1, 1, 1};
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "r"(r[0]), "r"(r[1]));
    out[0][t] = c[0] == c[3] ? c[1] : -1;
    out[3][t] = r[2] == 0x3C003C00;
  }
  float d[4] = {5, 5, 5, 5};
  const std::uint64_t descriptor = (shared_at(ones) & 0x3FFFF) >> 4 | std::uint64_t{8} << 16 | std::uint64_t{8} << 32;
  for (int round = 0; round < 2; ++round) {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    asm volatile("{ .reg .pred p; setp.ne.b32 p, %6, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%0, %1, %2, %3}, %4, %5, p, 1, %7, 0, 0; }"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "l"(descriptor), "l"(descriptor), "r"(round), "n"(1));
    asm volatile("wgmma.commit_group.sync.aligned;");
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(0) : "memory");
    out[1 + round][t] = d[0] == d[3] ? d[1] : -1;
  }
}

// Where the odd threads of a warp end.
__device__ void leave_if(bool odd) {
  asm volatile("{\n.reg .pred p;\nsetp.ne.u32 p, %0, 0;\n@p exit;\n}" ::"r"(static_cast<unsigned>(odd)));
}
extern "C" __global__ void leaves(unsigned* out) {
  const unsigned t = threadIdx.x;
  out[t] = umin(t, 7u) + umax(t, 60u);
  leave_if(t % 2);
  out[t] += 1000;
}
