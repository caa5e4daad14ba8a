task Walk { step one: tool.run { cmd: "date" } }
step one: tool.run { cmd: "date" }
step two { return }
case Performance { tflops: float }
measure { cmd: "x" }
domain { axiom: "x" }
tsak Walk { step one { return } }
axiom: ""
use: cpu
system_model { axoim: "x" }
