engineering_loop Sweep {
  parameter BLOCK: [64, 96]
  parameter BLOKC: [64]
  measure { kernel: add; variant: simpel; target: cuda; metric: gflops }
}
agent_loop Look {
  step one {
    name = "add"
    tool.build { unit: ad }
    tool.verify { unit: add, variant: fast, target: "cpu" }
    tool.bench { unit: add, params: { BLOCK: 32 } }
    tool.build { unit: name }
  }
}
