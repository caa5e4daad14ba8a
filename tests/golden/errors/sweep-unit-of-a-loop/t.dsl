engineering_loop L {
  parameter BM: [1, 2]
  measure { kernel: matmul variant: tiled target: cpu metric: gflops objective: maximize }
}
