domain cpu_kernels { axiom: "a" }
