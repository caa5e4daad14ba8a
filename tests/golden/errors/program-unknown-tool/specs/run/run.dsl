task Report {
  step one: tool.rnu { cmd: "date" }
  step two { x = tool.search("kernels") }
  step three: llm.ask { prompt: "x" }
  step four: tol.run { cmd: "date" }
}
