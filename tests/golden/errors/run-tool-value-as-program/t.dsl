task T(answer) {
  step s1 {
    tool.run { cmd: "{{answer}} -rf x" }
  }
}
