task T {
  step s1 {
    tool.read { path: "latin.txt" }
  }
}
