model { state level: int = 1 }
task Climb {
  step up {
    word = tool.run { cmd: "echo high" }
    level = word
  }
}
