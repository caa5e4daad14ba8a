task t {
  step a { llm.query { prompt: """what now? } }
}
