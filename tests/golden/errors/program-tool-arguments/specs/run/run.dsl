task Report {
  step one: tool.run { comand: "date", timeout: "soon", allow_failure: 1 }
  step two: tool.run { cmd: 3 }
  step three: tool.write { path: "a.txt" }
  step four: tool.read("a", "b")
  step five: tool.run { cmd: "date" cmd: "time" }
  step six: tool.run { cmd: "date", timeout: -1 }
  step seven: tool.run { cmd: ["python", 3] }
  step eight: tool.engineering_loop { name: Tunr }
}
engineering_loop Tuner {
  parameter BM: [1, 2]
  measure { cmd: "x {{BM}}" metric: seconds }
}
