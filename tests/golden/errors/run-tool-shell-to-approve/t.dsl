task T(answer) {
  step s1 {
    tool.run { cmd: "echo {{answer}} | wc" shell: true }
  }
}
