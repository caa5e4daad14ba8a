task T {
  step s1 {
    tool.read { path: "report.md" }
  }
}
