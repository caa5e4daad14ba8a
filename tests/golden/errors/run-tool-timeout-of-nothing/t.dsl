task T(seconds) {
  step s1 {
    tool.run { cmd: ["true"] timeout: seconds }
  }
}
