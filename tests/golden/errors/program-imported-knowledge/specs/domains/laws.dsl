domain laws {
  fact is_slow(t: TraceItem.Performance) { return t.tflop < 10 }
  rule "Tile" { when: is_slwo apply: "Tile." }
}
