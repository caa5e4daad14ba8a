task Decide {
  step ask {
    word = tool.run { cmd: "echo perhaps" }
    if word { n = 1 }
  }
}
