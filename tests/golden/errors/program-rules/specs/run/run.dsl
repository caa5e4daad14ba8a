trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
fact is_slow(t: TraceItem.Performance) { return t.tflops < 10 }
rule "Tile" {
  wehn: is_slow
  aply: "Tile."
}
rule { when: is_slow apply: "x" }
rule "Add" { when: is_slow + 1 apply: "x" }
rule "Tile" { when: is_slow apply: "again" }
rule "Wish" { when: is_slow; recommend: tile_m * 2 }
rule "Sweep" { when: is_slow; parameter Tile: [] }
rule "Where" { when: is_slow; scope { target: cpu, shape: ["M > 3"], date: yesterday, samples: 0 } }
rule "One line" { when: is_slow scope { target: cpu } }
