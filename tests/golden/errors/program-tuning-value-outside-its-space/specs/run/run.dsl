trace_schema {
  variant TraceItem {
    case Performance { level: "naive" | "tiled", tflops: float, step_name: string }
    case Note { text: string }
  }
}
tuning_space {
  tile_m: [32, 64, 128]
  stages: range [1, 4]
}
design_space { staging: [none, shared] }
knowledge {
  fact is_slow(t: TraceItem.Performance) { return t.tflops < 10 }
  rule "Tile" {
    when: is_slow
    recommend: ["tile_m = 96", "staging in [shared, global]", "tile_n = 64"]
  }
}
engineering_loop Tuner {
  parameter tile_m: [32, 48, 64]
  parameter stages: [1, 8]
  measure { cmd: "python bench.py {{tile_m}} {{stages}}" metric: tflops }
}
