agent_loop A {
  repeat: 0
  untl: true
  budget: { tokns: 3, seconds: "soon" }
  max_steps: 1.5
  step one: tool.run { cmd: "date" }
}
task B {
  repeat: 3
  step one: tool.run { cmd: "date" }
}
workflow A { step one: tool.run { cmd: "date" } }
