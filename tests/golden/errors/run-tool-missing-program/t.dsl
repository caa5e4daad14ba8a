task T {
  step s1 {
    tool.run { cmd: "meassure --fast" }
  }
}
