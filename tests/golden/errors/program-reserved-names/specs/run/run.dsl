task Walk {
  step one {
    trace = 3
    steps = tool.run { cmd: "date" }
    run.id = "x"
    tool.run { cmd: "date", output_var: metrics }
  }
}
