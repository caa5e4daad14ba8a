trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
task Report {
  step one {
    emit TraceItem.Performence { tflops: 1.5 }
    emit TraceItem.Memory { bytes: 3 }
    emit Metrics { a: 1 }
    tool.run { cmd: "python bench.py" } -> emit TraceItem.Speed
    emit Noet
    emit finished
  }
}
