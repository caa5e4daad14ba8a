task T {
  step s1 {
    tool.run { cmd: ["yes"] output_limit: 1000 }
  }
}
