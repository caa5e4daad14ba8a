system_model LogReader {
  axiom: "An alert without a log line is a guess."
  axiom: "Never restart what has not been looked at."
  heuristic: "Look at memory before the network."
  prediction: "A restart hides a leak for an hour."
}

task Incident {
  # --- first: what happened ---
  step alert: tool.run {
    cmd: "echo 'orders are slow (> 2s)'"
    output_var: alert_text
  }

  step plan: llm.query {
    role: "SRE"
    prompt_template: """
    The alert says: {{alert_text}}
    You know that: {{axiom.1}}

    1. Say "which" command to run, // and nothing else
    """
    output_var: command
  }

  step keep: tool.write { path: "plan.txt", content: "{{command}}\nend" }

  evaluation {
    check length: tool.run { cmd: "echo 10"; output_var: score }
    check sense: llm.query {
      role: "Judge"
      prompt_template: "Rate '{{command}}' from 0 to 1."
      output_var: sense_score
    }
  }
  success: score >= 5 and not failed
}
