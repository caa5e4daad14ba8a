task Judge {
  step one: tool.run { cmd: "date", output_var: today }
  evaluation {
    check score: tool.run { cmd: "echo 3" }
    check sense: llm.query { role: "Judge" }
    chek more: tool.run { cmd: "echo 3" }
    check empty { }
  }
  success: scroe > 2 and sense
  sucess: true
}
