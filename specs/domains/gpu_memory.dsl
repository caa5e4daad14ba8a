// What holds for memory and barriers on NVIDIA GPUs from sm_80 on. A spec takes it in with `use gpu_memory`; every rule below is
// then shown to whoever writes its device code.

domain gpu_memory {
  axiom: "A warp's access to global memory is served in sectors of 32 bytes: 32 neighbouring f32 cost four of them, 32 scattered ones cost 32."
  axiom: "Shared memory has 32 banks of four bytes; lanes that touch different words of one bank wait for each other, lanes that read the same word do not."
  axiom: "A barrier is for all threads of a block: every one of them reaches it, or none may."
  axiom: "Blocks run in any order and know nothing of each other; what one must read of another's work goes through global memory and the next launch."

  rule "Coalesce" {
    when: "a warp reads or writes global memory"
    apply: "let neighbouring lanes touch neighbouring elements; sixteen bytes a lane where the base address and the row length are multiples of sixteen bytes, and the scalar path otherwise"
    effect: "every sector that is moved is used whole"
  }

  rule "Stage through shared memory" {
    when: "the order of reading is not the order of writing, or several threads of a block read the same element"
    apply: "load a tile once, coalesced; barrier; read it in whatever order; barrier before it is overwritten"
    effect: "global memory sees only coalesced accesses, and each element once a block"
  }

  rule "Pad against bank conflicts" {
    when: "a warp reads a column of a tile in shared memory"
    apply: "one more column than the tile has, or four where rows are read as 16-byte vectors"
    effect: "the column lies in 32 different banks"
  }

  rule "Bounded grids, strided loops" {
    when: "the number of tiles grows with the arrays"
    apply: "bound the grid with min(...) in the plan and walk the tiles in strides of gridDim; grid.y and grid.z end at 65535"
    effect: "every size is admitted and the plan's limits can be proved"
  }

  rule "64-bit indices" {
    when: "an index addresses an array of unbounded size"
    apply: "convert blockIdx and threadIdx to long long before they are multiplied"
    effect: "arrays of more than 2^31 elements are right, not merely unlikely"
  }

  rule "Reduce in two launches" {
    when: "one number comes from more elements than a block can hold"
    apply: "one partial result a block into a declared workspace, and a second launch that merges them in a fixed order; no atomics"
    effect: "the same bits in every run"
  }

  rule "Registers before shared memory, shared memory before L2" {
    when: "an element is used more than once"
    apply: "keep a thread's tile of the result in registers and read operands from shared memory as vectors; 8 x 8 results a thread cost 16 reads for 64 multiply-adds"
    effect: "the multiply-add units wait for nothing"
  }

  hint "Occupancy is a means" {
    trigger: "a kernel with large register tiles"
    suggestion: "two blocks of 256 threads a multiprocessor leave 128 registers a thread; enough independent work in each thread hides the rest"
  }
}
