task T {
  step s1 {
    tool.read { path: "notes/today.txt" }
  }
}
