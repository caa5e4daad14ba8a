contract { programs: ["python", "echo"] }
task T {
  step s1 {
    tool.run { cmd: ["curl", "http://localhost"] }
  }
}
