trace_schema {
  case Performance { tflops: float }
  variant TraceItem {
    case Performance { tflops: flaot }
    case Performance { gflops: float }
    csae Note { text: string }
    note: string
  }
}
trace_schema {}
