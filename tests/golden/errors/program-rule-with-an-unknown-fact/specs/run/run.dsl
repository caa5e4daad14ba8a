trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
knowledge {
  fact is_slow(t: TraceItem.Performance) { return t.tflops < 10 }
  rule "Tile" {
    when: is_slow && !is_tilled
    apply: "Cut the loops into tiles."
  }
  hint "Look" {
    trigger: "is_slwo"
    suggestion: "Read the trace."
  }
  rule "Pack" {
    when: [is_slow, "is_packed"]
    apply: "Pack."
  }
}
