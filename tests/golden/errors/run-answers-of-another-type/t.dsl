type Plan matches { steps: int, risk: "low" | "high" }
task Decide {
  step plan {
    plan = llm.query { prompt: "What is the plan?", schema: Plan, attempts: 2 }
  }
}
