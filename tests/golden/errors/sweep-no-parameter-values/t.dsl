engineering_loop L {
  parameter A: [1, 1]
  measure { cmd: "python -c 'print(1)'" metric: score objective: maximize }
}
