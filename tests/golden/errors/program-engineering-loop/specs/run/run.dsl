trace_schema { variant T { case P { tflops: float } } }
engineering_loop A {
  parameter BM: [32, 32]
  parameter BN: range [64, 8]
  parameter BM: [64]
  paramter BK: [8]
  constraint: BM * BJ < 100
  constraint: BN + 1
  search: bayes
  trials: many
  write_back: 1
  measure {
    cmd: "python bench.py {{BL}}"
    metric: tflop
    objective: maximum
    repeat: 3
    timeout: "soon"
  }
}
engineering_loop B { measure { metric: seconds } }
engineering_loop C { parameter X: [1] }
engineering_loop D {
  parameter X: [1, 2]
  constraint: X > 2
  measure { kernel: matmul shapes: [64] metric: tflops cmd: "x" }
}
