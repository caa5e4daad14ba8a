trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
knowledge {
  fact late(t: TraceItem.Performance) { return t.step_name > 3 }
  fact same(t: TraceItem.Performance) { return t.tflops == "10" }
  fact small(t: TraceItem.Performance) { return t.tflops < 10 && t.level in [1, 2] }
}
