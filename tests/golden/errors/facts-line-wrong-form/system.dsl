system "Levels" {
  trace_schema {
    variant TraceItem {
      case Performance { level: string  gflops: float  spills: int }
      case Correctness { passed: boolean  error: float }
    }
  }

  knowledge {
    fact slow(t: TraceItem.Performance) { return t.gflops / PEAK_GFLOPS < 0.5 }

    rule "Tile" {
      when: "slow"
      apply: "Keep a block in registers"
      recommend: "BM = 48"
    }
  }

  invariant Accurate {
    assert: "Errors stay below a thousandth."
    check: "trace.Correctness.error < 0.001"
  }

  engineering_loop Sweep {
    parameter BM: [16, 32, 64]
    measure {
      cmd: "./measure --bm {{BM}}"
      metric: gflops
      emits: TraceItem.Performance
    }
  }

  task Measure {
    step measure: tool.run { cmd: "./measure" }
  }
}
