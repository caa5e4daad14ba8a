engineering_loop L {
  parameter A: [1, 2]
  constraint: A > 4
  measure { cmd: "python -c 'print(1)'" metric: score objective: maximize }
}
