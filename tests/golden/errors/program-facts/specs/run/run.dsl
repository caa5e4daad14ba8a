trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
fact a(t: TraceItem.Performance) { return t.tflop < 10 }
fact b(t: TraceItem.Performance) { return s.tflops < 10 }
fact c(t: TraceItem.Performance) { return t.tflops }
fact d(t: TraceItem.Speed) { return t.tflops > 1 }
fact e(t: TraceItem.Performance) { return t > 1 }
fact f(t: TraceItem.Performance) { return t.tflops / PEAK_TFLOP > 0.5 }
fact g(t: TraceItem.Performance) {
  if t.tflops > 1 { return true }
}
fact gg(t: TraceItem.Performance) {
  if t.tflops { return t.level }
  if t.tflops > 2 { x = 1 }
  loop { return true }
  return false
}
fact h(t: TraceItem.Performance) { return t.level == "packed" }
fact i(t) { return true }
fact j(t: TraceItem.Performance) {}
fact a(t: TraceItem.Note) { return t.text == "x" }
fact k(t: TraceItem.Performance) {
  return t.tflops < 1
  return t.tflops > 9
}
fact l(t: TraceItem.Performance) { return len(t.level) > t.text }
fact m(t: TraceItem.Note) {
  evidence: ["R#1"] scope { target: cpu }
  return t.text == "x"
}
