task T {
  step s1 {
    tool.run { cmd: ["true"] }
  }
}
