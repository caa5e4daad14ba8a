task Greet {
  step compose {
    text = llm.query { prompt: "Greet somebody." }
  }
}
