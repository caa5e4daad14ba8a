task Ask {
  step one: llm.query { role: "Expert" }
  step two: llm.query { promt: "x", schema: Anwser, attempts: 0 }
  step three: llm.query { prompt: "x", prompt_template: "y", output_var: "a b" }
  step four { x = llm.query { prompt: 3 } }
}
model { type Answer matches { text: string } }
