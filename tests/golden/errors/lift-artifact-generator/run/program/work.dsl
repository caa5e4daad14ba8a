
system Climb {
  trace_schema {
    variant TraceItem {
      case Performance { level: string  M: int  gflops: float }
      case Note { text: string }
    }
  }
  task Climb {
    step one { tool.run { cmd: "true" } }
  }
}
