engineering_loop One {
  parameter A: [1, 2]
  measure { cmd: "python -c 'print(1)'" metric: score objective: maximize }
}

engineering_loop Two {
  parameter A: [1, 2]
  measure { cmd: "python -c 'print(1)'" metric: score objective: maximize }
}
