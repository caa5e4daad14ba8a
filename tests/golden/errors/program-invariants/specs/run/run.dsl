trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
state best: float = 0
invariant Grows { assert: "It gets faster." check: best >= trace.Performance.tflops && best > trace.Speed.tflops }
invariant Odd { check: best + 1 }
invariant Grows { assert: "Again." }
invariant Misspelt { asert: "x" check: bets > 1 }
invariant Empty { }
invariant Prose { assert: "Never store the matrix." }
