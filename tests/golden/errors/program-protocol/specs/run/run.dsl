state best: float = 0
protocol Verification {
  step sanity {
    action: "Print one batch"
    check: bets > 1
  }
  step smoke {
    actoin: "Run it"
    check: "the loss falls"
  }
  step count { check: best + 1 }
}
