meta {
  name = "walk"
  edition = 7
  verson = 1
  name = "run"
  "x" { y: 1 }
}
task Walk { step one: tool.run { cmd: "date" } }
