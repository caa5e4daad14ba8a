// How a numeric kernel is made fast on a CPU, as knowledge that runs: what a measured figure says (facts), and what to do about
// it (rules). PEAK_GFLOPS (in GFLOP/s) and MAX_BW (in bytes a second) are measured on the machine that runs this. Where a figure
// was not measured a fact is unknown, and an unknown fact fires nothing.

domain cpu_optimization {
  axiom: "Arithmetic costs nothing until its operands have arrived: a level is left by removing what the processor waits for."
  axiom: "Each level of memory holds what the level above will ask for next; a block that does not fit its level is no block."
  heuristic: "Change one thing at a time, measure it, and keep the figure: a step that was not measured cannot be judged."
  prediction: "Of the peak, the definition reaches a few hundredths, blocked loops a third, register tiles a half, packed panels more than three quarters."

  // What a kernel may be written like, from the definition up; each level keeps what the one before it had.
  design_space {
    level: ["naive", "blocked", "vectorised", "packed", "tuned"]
  }

  trace_schema {
    variant TraceItem {
      case Performance {
        level: string
        gflops: float
        seconds: float
      }
      case Correctness {
        level: string
        passed: boolean
      }
    }
  }

  fact far_from_peak(t: TraceItem.Performance) {
    return t.gflops / PEAK_GFLOPS < 0.1
  }

  fact at_peak(t: TraceItem.Performance) {
    return t.gflops / PEAK_GFLOPS >= 0.97
  }

  fact lost_ground(now: TraceItem.Performance, before: TraceItem.Performance) {
    return now.gflops < 0.9 * before.gflops
  }

  fact is_naive(t: TraceItem.Performance) { return t.level == "naive" }
  fact is_blocked(t: TraceItem.Performance) { return t.level == "blocked" }
  fact is_vectorised(t: TraceItem.Performance) { return t.level == "vectorised" }
  fact is_packed(t: TraceItem.Performance) { return t.level == "packed" }

  rule "Block for reuse" {
    when: is_naive && far_from_peak
    apply: "Cut the loops into tiles, so that a number that was fetched into a cache is used many times before it is given up."
    recommend: "level = blocked"
    effect: "memory is asked for each operand once a tile instead of once an operation"
  }

  rule "Keep sums in registers" {
    when: is_blocked && !at_peak
    apply: "Hold a tile of the result in vector registers over the depth of a block, instead of loading and storing it for every product."
    recommend: "level = vectorised"
    effect: "two loads and a store for every multiply-add become two loads for a whole tile of them"
  }

  rule "Pack panels" {
    when: is_vectorised && !at_peak
    apply: "Copy both operands into panels in the order in which the inner loop reads them, padded to whole tiles, and fuse multiply and add."
    recommend: "level = packed"
    effect: "one unit-stride stream an operand and no tails"
  }

  rule "Sweep what is left" {
    when: is_packed && !at_peak
    apply: "Nothing structural is missing: measure the tiles and blocks that fit registers and caches, and keep the best."
    recommend: "level = tuned"
    effect: "the constants of this machine's caches and pipelines instead of a common one's"
  }

  hint "Look before you climb" {
    trigger: lost_ground
    suggestion: "The last level was slower than the one before it: find out why before anything is added to it."
  }
}
