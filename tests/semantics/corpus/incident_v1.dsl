---
title: "Incident response – an agent"
tags: [ops, logs]
status: draft
---
// First dialect: a task with a model of the system, numbered steps and a judge.
system_model LogReader {
  axiom: "An alert without a log line is a guess."
  axiom: "Never restart what has not been looked at.";
  heuristic: "Look at memory before the network."
}

task IncidentResponse {
  # --- what happened ---
  step 1_alert: tool.run {
    cmd: "echo 'orders are slow (> 2s)'"
    output_var: alert_text
  }

  step "2. Collect logs" {
    logs = tool.run { cmd: ["cat", "logs/orders.log"]; allow_failure: true; timeout: 5 }
  }

  step 3_plan: llm.query {
    role: "SRE"
    prompt_template: """
    The alert says: {{alert_text}}
    The log says: {{logs}}
    You know that: {{axiom.1}} {{ heuristic.1 }}

    1. Name "one" command, // and nothing else
    """
    output_var: command
  }

  step 4_do {
    if "restart" in command {
      emit refused
      return
    }
    result = tool.run { cmd: ["sh", "tools/act.sh", "{{command}}"] }
  }

  step 5_keep: tool.write { path: "out/incident.md", content: "# {{alert_text}}\n{{command}}\n{{ steps.4_do.ok }}" }

  evaluation {
    check length: tool.run { cmd: "echo 10"; output_var: score }
    check sense: llm.query {
      role: "Judge"
      prompt_template: "Rate '{{command}}' from 0 to 1."
      output_var: sense_score
    }
  }
  success: score >= 5 and sense_score > 0.5 and not failed
}
