task Say {
  step one {
    name = "x"
    tool.run { cmd: "echo {{name | upper}} {{nmae}} {{}} {{ name }}" }
    text = "a" + "{{name}}"
    tool.write { path: "a", content: hello world }
  }
}
