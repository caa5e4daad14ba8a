trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
build {
  artifact "report.md" { generator: "python report.py" inpt: trace.all }
  artifact "../out.md" { input: trace.Speed }
  artifact "report.md" { input: trace.Performance }
  artfact "x.md" { }
  artifact { }
}
