contract { roots: ["out"] }
task T(name) {
  step s1 {
    tool.write { path: "{{name}}" content: "x" }
  }
}
