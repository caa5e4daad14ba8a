engineering_loop Tuner {
  parameter BM: [32, 64]
  llm.query { prompt: "Which tile?" }
  measure {
    cmd: "python bench.py {{BM}}"
    metric: seconds
    llm.query { prompt: "How fast was it?" }
  }
}
