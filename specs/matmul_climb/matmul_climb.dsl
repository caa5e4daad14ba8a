// Climbs the levels of a matrix product on this machine. Each level is built, verified and measured; facts are evaluated on what
// was measured, the rules that fire recommend the next level, a strategist decides whether to go, and the last level is found by a sweep.
// Take a rule away, or a fact its truth, and the climb ends elsewhere.
//
//     spak run specs/matmul_climb/matmul_climb.dsl --answers specs/matmul_climb/answers

meta {
  name: "matmul_climb"
  edition: 1
  version: 1
}

use cpu_optimization

contract Climber {
  supported_intents: ["make matmul_ladder fast on this machine"]
  success_criteria: ["every level is verified before it is measured", "the last level is faster than the first"]
  max_steps: 200
  roots: ["build/matmul_climb"]
}

model {
  type Decision matches {
    go: boolean
    expect: "more than half the peak" | "less than half the peak"
    why: string
  }
  state level: string = "naive"
  state climbed: int = 0
  state first_gflops: float = 0.0
  state best_gflops: float = 0.0
  state ladder: string = ""
  state settled: boolean = false
}

invariant VerifiedFirst {
  assert: "No level is measured that does not pass its verification."
  check: trace.Correctness.passed
}

engineering_loop Tiles {
  parameter MR: [4, 6]
  parameter NR: [16, 24]
  parameter MC: [96, 192]
  parameter KC: [256, 384]
  parameter NC: [768]
  constraint: (MR + 1) * NR <= 120
  search: cartesian
  trials: 12
  seed: 7
  write_back: true
  measure {
    unit: matmul_ladder
    variant: tuned
    target: cpu
    shapes: [{ M: 256, N: 256, K: 256 }]
    repeats: 3
    metric: gflops
    objective: maximize
  }
}

agent_loop matmul_climb(size: Int = 256) {
  repeat: 5
  until: settled

  step "Build" {
    if level == "tuned" {
      // Where no trial was steady enough to choose by, the plan's own parameters stay.
      tool.engineering_loop { name: Tiles, allow_failure: true }
    }
    tool.build { unit: matmul_ladder, variant: "{{level}}", target: cpu, allow_failure: true }
    verified = tool.verify { unit: matmul_ladder, variant: "{{level}}", target: cpu, allow_failure: true }
    emit TraceItem.Correctness { level: level, passed: verified.ok }
  }

  step "Measure" {
    // A figure above the measured peak is none: the peak is looked at again, and so is the kernel.
    loop 4 {
      measured = tool.bench {
        unit: matmul_ladder
        variant: "{{level}}"
        target: cpu
        shapes: [{ M: size, N: size, K: size }]
        repeats: 5
        allow_failure: true
      }
      if measured.ok { break }
    }
    emit TraceItem.Performance { level: level, gflops: measured.gflops, seconds: measured.seconds }
    rung = "- {{level}}: {{measured.gflops}} GFLOP/s\n"
    ladder = ladder + rung
    if climbed == 0 { first_gflops = measured.gflops }
    if measured.gflops > best_gflops { best_gflops = measured.gflops }
  }

  step "Decide" {
    // Where no rule fired on this level's figures, nothing recommends a level beyond it.
    if rules == "" || recommended.level == level {
      settled = true
      return
    }
    llm.query {
      role: "a performance engineer"
      prompt: """
        A matrix product of {{size}} x {{size}} x {{size}} in single precision, on one core whose measured peak is {{target.PEAK_GFLOPS}} GFLOP/s:
        {{ladder}}
        What holds:
        - {{axiom.1}}
        - {{axiom.2}}
        - {{heuristic.1}}
        What follows from the figures by rule:
        {{rules}}
        The next level would be "{{recommended.level}}". Is it worth building? Do you expect it above half the peak, and why?
      """
      schema: Decision
      output_var: decision
    }
    if decision.go {
      level = recommended.level
      climbed = climbed + 1
    } else {
      settled = true
    }
  }

  evaluation {
    check speedup: best_gflops / first_gflops
    check levels: climbed + 1
  }

  success: speedup >= 1 && !failed
}

build {
  artifact "build/matmul_climb/Final_MatMul_Report.md" {
    generator: report
    input: trace.all
  }
  artifact "build/matmul_climb/Final_MatMul_Report.html" {
    generator: report
    input: trace.all
  }
}
