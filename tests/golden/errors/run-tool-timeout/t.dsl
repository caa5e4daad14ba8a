task T {
  step s1 {
    tool.run { cmd: ["sleep", 60] timeout: 0.1 }
  }
}
