task T {
  step s1 {
    tool.write { path: "spak.lock" content: "" }
  }
}
