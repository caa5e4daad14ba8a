trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
task Report {
  step one {
    best = 3
    emit TraceItem.Performance { level: "tiled", tflops: "fast", step_name: best }
    emit TraceItem.Performance { level: "tilde", tflops: 1.5, step_name: "a" }
    emit TraceItem.Note { txt: "x" }
    emit TraceItem.Note
    emit Note
    emit TraceItem.Note(text="a", text="b")
  }
}
