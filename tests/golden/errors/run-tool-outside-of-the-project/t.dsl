task T {
  step s1 {
    tool.read { path: "../secrets.txt" }
  }
}
