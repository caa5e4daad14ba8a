contract { shell: false }
task T {
  step s1 {
    tool.run { cmd: "ls | wc -l" shell: true }
  }
}
