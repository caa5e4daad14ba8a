state best: float = 0
task Report {
  step one {
    tool.run { cmd: ["echo", "{{answr}}", "{{later}}"] }
    answer = tool.run { cmd: "date" }
    later = answr
    best = bets + 1
    if answer == nothing { return }
  }
  step two: tool.write { path: "{{steps.three.stdout}}", content: "{{steps.one.stdut}} {{axiom.1}} {{args.name}}" }
  step three: tool.run { cmd: "date {{metrics.score}} {{target.SMS}} {{run.name}}" }
}
