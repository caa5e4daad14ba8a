task Walk {
  step one: tool.run { cmd: "date" }
  step one: tool.run { cmd: "time" }
  step two { }
  step three { step four { return } }
  step five: "3" -> emit Done
  step six {
    output: x
    x = 1
    x: 2
    break
    tool.run { cmd: "date" }
  }
  step seven { x[0] = 3 }
  step eight { print(x) }
  step nine: walk
  stp ten: tool.run { cmd: "date" }
  tool.run { cmd: "date" }
}
