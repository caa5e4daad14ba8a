// Second dialect: one system with everything in it.
system FMHA_Kernel_Engineering {
  design_space {
    fusion: ["none", "qk_pv"], // where loops meet
    causal: [true, false]
    softmax: { kind: ["naive", "online"], stability: "finite_neg_inf" }
  }

  tuning_space {
    Tile_M: [64, 128]
    Tile_N: range [32, 128]
    constraint: Tile_M * Tile_N <= 16384
  }

  model {
    type Tensor matches { rank: int, shape: [int], layout: "row" | "col" }
    type Config matches { tile_m: int, tile_n: int, note?: string }
    state best_tflops: float = 0.0
    state config: Config
    state h: Tensor[B, T, D]
  }

  trace_schema {
    variant TraceItem {
      case Performance { step_name: string, tflops: float, speedup: float }
      case Correctness { passed: boolean, max_error: float }
      case Analysis { bottleneck: "DRAM" | "L2" | "stall", reasoning_path: string? }
    }
  }

  knowledge {
    fact is_memory_bound(t: TraceItem.Performance) {
      // A concrete definition of a vague concept
      return t.tflops < 10.0 && t.speedup < 2
    }
    fact is_correct(t: TraceItem.Correctness) { return t.passed && t.max_error < 1e-3 }
    fact improved(now: Performance, before: Performance) = now.tflops > before.tflops * 1.05
    fact SmallTilesWin {
      description: "64 x 64 is best on this device."
      confidence: 0.99
      source: "trace.json"
      target: cpu
    }
    invariant OnlineSoftmax {
      assert: "The row's maximum is subtracted first."
      constraint: "The full N x N matrix is never stored."
    }
    rule "Fusion Strategy" {
      when: "is_memory_bound"
      apply: "Fuse QK and PV loops to eliminate global memory writes."
      recommend: "fusion = qk_pv"
      reason: "traffic"
    }
    rule LoopFusion {
      when: [
        "Operation A reads Tensor X",
        "Operation B reads Tensor X"
        "Memory(X) is Global"
      ]
      apply: "Fuse loops A and B into Kernel K"
      effect: "Reduces Global Memory Reads by 50%"
    }
    rule Tiling {
      when: "Compute Bound"
      parameter TileSize: [32, 64, 128]
      optimize: "Occupancy vs Register Pressure"
    }
    rule "Keep what works" { when: is_correct(t) and not improved; apply: "Go back one step." }
    hint "Apply tiling" { trigger: is_memory_bound, suggestion: "Increase tile size." }
  }

  agent_loop Kernel_Architect {
    repeat: 3
    step "Establish Baseline" {
      tool.run { cmd: "python fmha_step2_naive_kernel.py" }
      -> emit TraceItem.Performance
    }
    step "Verify Logic" {
      tool.run { cmd: "python check.py" } -> emit TraceItem.Correctness
    }
    step "Think" {
      analysis = llm.query(role="Expert", prompt="Why is it slow? {{rules}} {{trace.Performance.tflops}}", schema=TraceItem.Analysis)
      emit TraceItem.Analysis { bottleneck: analysis.bottleneck, reasoning_path: analysis.reasoning_path }
      if best_tflops > 50 { emit Done } else if best_tflops > 20 {
        state_of_work = "halfway"
      } else {
        return
      }
    }
    step "Sweep" { tool.engineering_loop { name: "Kernel_Tuner" } }
  }

  service_loop Requests {
    on user_request(query) {
      tool.run { cmd: ["echo", "{{query}}"] }
      emit response
    }
    on error(e: Error) { emit log_entry }
  }

  engineering_loop Kernel_Tuner {
    parameter Tile_M: [64, 128]          // 256 spills
    parameter Tile_N: [32, 64]
    search: "grid"
    measure {
      command: "python fmha_step4_autotuner.py --tile {{Tile_M}}x{{Tile_N}}"
      metric: "tflops"
      objective: "maximize"
    }
  }

  build {
    artifact "Final_FMHA_Report.md" {
      generator: "python generate_fmha_report.py"
      input: trace.all
    }
    artifact "log.jsonl"
  }
}
