trace_schema { variant TraceItem { case Performance { gflops: float } } }
task Measure {
  step once {
    tool.run { cmd: ["echo", "{\"gflops\": \"fast\"}"] }
    -> emit TraceItem.Performance
  }
}
