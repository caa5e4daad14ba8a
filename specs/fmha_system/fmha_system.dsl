// Attention as a system: what may be built, the law that every build must keep, the loop that builds, verifies and measures both
// variants, and the report that is made of the traces.
//
//     spak run specs/fmha_system/fmha_system.dsl --answers specs/fmha_system/answers

meta {
  name: "fmha_system"
  edition: 1
  version: 1
}

system FMHA {
  contract Architect {
    supported_intents: ["build attention that never stores its weights"]
    max_steps: 60
    roots: ["build/fmha_system"]
    programs: ["python3"]
  }

  design_space {
    variant: ["naive", "online"]
  }

  model {
    type Tensor matches { rank: int, shape: [int], layout: "row" | "col" }
    type Choice matches { variant: "naive" | "online", why: string }
    state naive_seconds: float = 0.0
    state online_seconds: float = 0.0
    state failures: int = 0
  }

  trace_schema {
    variant TraceItem {
      case Performance { variant: string, gflops: float, seconds: float }
      case Correctness { variant: string, target: string, passed: boolean }
      case Scratch { variant: string, n: int, bytes: int, row_bytes: int, matrix_bytes: int }
    }
  }

  knowledge {
    fact verified(t: TraceItem.Correctness) { return t.passed }
    fact stores_the_matrix(t: TraceItem.Scratch) {
      // As much scratch memory as one head's weights would take.
      return t.bytes >= t.matrix_bytes
    }
    fact faster_online(now: TraceItem.Performance, before: TraceItem.Performance) {
      return now.variant == "online" && before.variant == "naive" && now.seconds < before.seconds
    }

    rule "Fuse" {
      when: verified && !stores_the_matrix && faster_online
      apply: "Scores, weights and weighted values in one pass over the keys: the variant that keeps its sums on chip is the one to ship."
      recommend: "variant = online"
      effect: "each key and value is read once a tile of queries"
    }
  }

  invariant OnlineSoftmax {
    assert: "Subtracting the running maximum ensures numerical stability; the N x N matrix is never materialised."
    check: trace.Scratch.bytes <= trace.Scratch.row_bytes && failures == 0
    verification: "specs/fmha declares the bound, which is proved of every plan; its vectors say that weights sum to one."
  }

  agent_loop fmha_system(heads: Int = 4, length: Int = 256, depth: Int = 64) {
    step "Build and verify" {
      plain = tool.verify { unit: fmha, variant: naive, target: cpu, allow_failure: true }
      emit TraceItem.Correctness { variant: "naive", target: "cpu", passed: plain.ok }
      fused = tool.verify { unit: fmha, variant: online, target: cpu, allow_failure: true }
      emit TraceItem.Correctness { variant: "online", target: "cpu", passed: fused.ok }
      if !plain.ok { failures = failures + 1 }
      if !fused.ok { failures = failures + 1 }
    }

    step "Scratch memory" {
      // What the accepted plans declare; the law above is looked at for each of them.
      tool.run { cmd: ["python3", "specs/fmha_system/scratch.py", "{{length}}", "naive", "online"] }
    }

    step "Measure" {
      slow = tool.bench {
        unit: fmha
        variant: naive
        target: cpu
        shapes: [{ H: heads, N: length, D: depth }]
        repeats: 5
      }
      naive_seconds = slow.seconds
      emit TraceItem.Performance { variant: "naive", gflops: slow.gflops, seconds: slow.seconds }
      fast = tool.bench {
        unit: fmha
        variant: online
        target: cpu
        shapes: [{ H: heads, N: length, D: depth }]
        repeats: 5
      }
      online_seconds = fast.seconds
      emit TraceItem.Performance { variant: "online", gflops: fast.gflops, seconds: fast.seconds }
    }

    step "Choose" {
      llm.query {
        role: "the architect of an attention kernel"
        prompt: """
          Attention over {{heads}} heads of {{length}} queries of {{depth}} numbers each, on one core:
          - naive (a row of weights in memory): {{naive_seconds}} s
          - online (running maximum, no scratch memory): {{online_seconds}} s
          Scratch memory of the latter at this length: {{trace.Scratch.bytes}} bytes, where one row of weights takes {{trace.Scratch.row_bytes}}.

          What follows by rule:
          {{rules}}

          Which variant is to ship, and why?
        """
        schema: Choice
        output_var: choice
      }
    }

    evaluation {
      check speedup: naive_seconds / online_seconds
      check chosen: choice.variant
    }

    success: failures == 0 && choice.variant == "online" && !failed
  }

  build {
    artifact "build/fmha_system/Final_FMHA_Report.md" {
      generator: report
      input: trace.all
    }
  }
}
