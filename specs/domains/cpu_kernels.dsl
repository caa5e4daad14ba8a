// What holds for a numeric kernel on a superscalar CPU with vector units and three levels of cache. A spec takes it in with
// `use cpu_kernels`; every rule below is then shown to whoever writes its device code.

domain cpu_kernels {
  axiom: "A core reaches its peak only with all of its multiply-add units busy: about ten independent vector accumulators, for two units and a latency of four to five cycles."
  axiom: "Memory moves in lines of 64 bytes; a line that is fetched for one number costs as much as one that is used whole."
  axiom: "A sum has no order of its own: the order is the kernel's to choose, but it must be the same in every run and must not depend on the number of threads."

  rule "Stream what is used once" {
    when: "every element is read once and written once"
    apply: "one pass with contiguous accesses; no scratch memory, no blocking, no prefetch by hand"
    effect: "time is bytes moved over bandwidth; nothing else can make it shorter"
  }

  rule "Block for reuse" {
    when: "an element takes part in many operations"
    apply: "keep a tile of the result in registers, the operand slivers it needs in the first-level cache, the block they come from in the second"
    effect: "each level of memory is asked only for what the level above has used up"
  }

  rule "Pack what is read again" {
    when: "an operand is read more than once, with a stride or with tails"
    apply: "copy it once, in the order in which the inner loop reads it, padded with zeros to whole tiles"
    effect: "the inner loop has one unit-stride stream an operand and no tail; what padding computes is never stored"
  }

  rule "Tails are part of the kernel" {
    when: "a vector or a tile does not divide a size"
    apply: "finish with a scalar or padded step that reads and writes only what exists"
    effect: "no access outside an array, not even one whose value is discarded"
  }

  rule "Many sums instead of one" {
    when: "terms are added up"
    apply: "several vector accumulators, merged in a fixed order at the end; for long sums add blocks and then the sums of blocks"
    effect: "the latency of the addition is hidden, and the error grows with the logarithm of the length rather than with the length"
  }

  hint "Gather less, transpose in registers" {
    trigger: "rows become columns"
    suggestion: "load eight rows of eight, interleave them in registers, store eight rows"
  }

  hint "Exponentials" {
    trigger: "an elementary function is called for every element"
    suggestion: "range reduction and a short polynomial, a vector at a time; scale by powers of two in two steps, so that small results become denormals and not zero"
  }
}
