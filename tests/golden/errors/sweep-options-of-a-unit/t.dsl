engineering_loop L {
  parameter A: [1, 2]
  measure { cmd: "python -c 'print(1)'" metric: score objective: maximize }
}
