// What the simulator's counters say of a kernel, as knowledge that runs: no GPU is needed, and every machine counts the same. A program
// that says `use gpu_counters` gets a trace of each verification on `sim` by `tool.verify { ... } -> emit Counters`.

domain gpu_counters {
  axiom: "A count is no time: it says that a kernel asks for more than it needs, never how long that takes."

  trace_schema {
    variant TraceItem {
      // Summed over the launches of one run; `least` is what the same bytes would have cost in the best order.
      case Counters {
        global_load_sectors: int
        global_load_sectors_least: int
        global_store_sectors: int
        global_store_sectors_least: int
        shared_load_wavefronts: int
        shared_load_wavefronts_least: int
        shared_store_wavefronts: int
        shared_store_wavefronts_least: int
      }
    }
  }

  fact loads_are_scattered(t: TraceItem.Counters) {
    return t.global_load_sectors > 1.5 * t.global_load_sectors_least
  }

  fact stores_are_scattered(t: TraceItem.Counters) {
    return t.global_store_sectors > 1.5 * t.global_store_sectors_least
  }

  fact loads_conflict(t: TraceItem.Counters) {
    return t.shared_load_wavefronts > 1.1 * t.shared_load_wavefronts_least
  }

  fact stores_conflict(t: TraceItem.Counters) {
    return t.shared_store_wavefronts > 1.1 * t.shared_store_wavefronts_least
  }

  rule "Move whole sectors" {
    when: loads_are_scattered || stores_are_scattered
    apply: "Let neighbouring lanes touch neighbouring elements of global memory; where the order of reading is not that of writing, go through a tile in shared memory."
  }

  rule "Spread a tile over the banks" {
    when: loads_conflict || stores_conflict
    apply: "Lanes of a warp touch different words of one bank of shared memory: pad the rows of the tile, or swizzle its columns."
  }
}
