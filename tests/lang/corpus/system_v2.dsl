---
title: "Row sums – a system"
extraction-date: 2026-01-05
tags: [sums, tiles]
status: "active"
---

/* everything of the second
   dialect in one file */
system RowSums {
  design_space {
    staging: ["none", "shared"]   // where tiles live
    causal: [true, false]
    attention: {
      engine: ["inline", "library"]
      stability: "finite_neg_inf" // -1e20
    }
    strategy {
      input_phase: "fast"
      thresholds: { default: 0.90, thinking: 0.999 }
    }
  }

  tuning_space {
    tile_m: [32, 64, 128, 256]
    decay: [1e-4, 1e-1, 0.2]
    floor: -1e20
    pinned: true
    BN: range [8, 128]
    constraint: tile_m * BN <= 16384
  }

  model {
    type Tensor matches { rank: int, shape: [int], layout: "row" | "col" }
    type Config matches { tile_m: int, tile_n: int }
    state best_tflops: float = 0.0
    state current: "plain"
    state h: Tensor[B, T, D]
  }

  trace_schema {
    variant TraceItem {
      case Performance { step_name: string, tflops: float, efficiency: float }
      case Correctness {
        passed: boolean
        max_error: float
      }
      case Analysis { bottleneck: "DRAM" | "L2" | "stall" }
    }
  }

  knowledge {
    fact is_memory_bound(t: TraceItem.Performance) {
      // vague words made concrete
      return (t.efficiency / MAX_BW) > 0.8 && t.tflops < 10.0
    }
    fact small_tiles_win {
      description: "64 x 64 is best on this device."
      tflops: 65.53
      confidence: 0.99
      source: "trace.json"
    }
    invariant OnlineSoftmax {
      assert: "The row's maximum is subtracted first."
      constraint: "The full matrix is never stored."
    }
    rule "Tile" {
      when: is_memory_bound
      apply: "Increase the tile."
      parameter TileSize: [32, 64, 128]
      recommend: "tile_m = 64"
    }
    rule LoopFusion {
      when: [
        "A reads X",
        "B reads X"
        "X lives in global memory"
      ]
      apply: "Fuse A and B."
      apply: "Keep X in registers."
      effect: "Half the traffic"
    }
    rule "In order" {
      step 1: "one kernel"
      step 2: "one block"
    }
    hint "Apply tiling" {
      trigger: is_memory_bound
      suggestion: "Increase tile size to maximise reuse."
    }
  }

  agent_loop Architect {
    step "Establish a baseline" {
      tool.run { cmd: "python baseline.py" }
      -> emit TraceItem.Performance
    }
    step "Think" {
      llm.query(role="Expert", prompt="Why is it slow?")
      if best_tflops > 50 { emit Done } else if best_tflops > 20 {
        state_of_work = "halfway"
      } else {
        return
      }
    }
    step "Sweep" { tool.engineering_loop { name: "Tuner" } }
  }

  service_loop Requests {
    on user_request(query) {
      tool.search(query)
      emit response
    }
    on error(e: Error) { emit log_entry }
  }

  engineering_loop Tuner {
    parameter Tile_M: [64]          // 128 is harmful
    parameter Causal: [0, 1]
    measure {
      cmd: "python bench.py --tile {{Tile_M}}"
      metric: "tflops"
      objective: "maximize"
    }
  }

  build {
    artifact "report.md" {
      generator: "python report.py"
      input: trace.all
    }
    artifact "log.jsonl"
  }
}
