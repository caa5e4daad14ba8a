// Answers an alert: counts what the log says, asks for a diagnosis of a declared form, accepts only evidence that stands in the
// log, opens a ticket from the runbook, writes it up, and has the result judged.
//
//     spak run specs/incident/incident.dsl --answers specs/incident/answers

meta {
  name: "incident"
  edition: 1
  version: 1
}

contract OnCall {
  supported_intents: ["explain an alert", "propose one action of the runbook"]
  success_criteria: ["every cited line stands in the log", "the judge agrees"]
  max_steps: 40
  roots: ["specs/incident", "build/incident"]
  programs: ["grep", "python3"]
}

system_model Operations {
  axiom: "An alert without a log line is a guess."
  axiom: "A restart ends a symptom; it ends no cause."
  heuristic: "What returns after every restart, and grows in between, is a leak."
}

// The actions that the runbook has.
design_space {
  action: ["restart", "rollback", "scale", "wait"]
}

model {
  type Diagnosis matches {
    service: string
    cause: "memory" | "network" | "load" | "release"
    evidence: [string]
    action: "restart" | "rollback" | "scale" | "wait"
    confidence: float
    explanation: string
  }
  type Verdict matches { score: float, why: string }

  state cited: int = 0
  state invented: int = 0
}

trace_schema {
  variant TraceItem {
    case Lifetime {
      number: int
      requests: int
      failed: int
      p95_ms: int
      heap_grew_mb: int
      killed: boolean
      retransmissions: int
    }
    case Ticket { action: string, service: string, confidence: float }
  }
}

fact fails_often(t: TraceItem.Lifetime) {
  return t.failed / t.requests > 0.05
}

fact network_is_bad(t: TraceItem.Lifetime) {
  return t.retransmissions / t.requests > 0.25
}

fact leaks(now: TraceItem.Lifetime, before: TraceItem.Lifetime) {
  // Twice in a row the heap grew by a gigabyte and the process was killed for it.
  return now.killed && before.killed && now.heap_grew_mb > 1000 && before.heap_grew_mb > 1000
}

rule "Take the release back" {
  when: leaks && fails_often
  apply: "The heap grows until the process is killed, and again after every restart: return to the release before this one."
  recommend: "action = rollback"
  effect: "no kill within twice the longest lifetime seen"
}

rule "Ask the network" {
  when: network_is_bad
  apply: "Look at the links between gateway and service before the service itself."
  recommend: "action = wait"
}

invariant NothingInvented {
  assert: "Every line that a diagnosis cites stands in the log, word for word."
  check: invented == 0
}

agent_loop incident(alert: String = "orders answers with 503, p95 above 2 s", log: String = "specs/incident/orders.log") {
  step "Read the log" {
    lines = tool.read { path: "{{log}}" }
    tool.run { cmd: ["python3", "specs/incident/lifetimes.py", "{{log}}"] }
    kept = tool.run { cmd: ["grep", "-E", "ERROR|WARN|gc:|started", "{{log}}"] }
  }

  step "Diagnose" {
    llm.query {
      role: "an engineer on call"
      prompt: """
        The alert: {{alert}}

        What holds here:
        - {{axiom.1}}
        - {{axiom.2}}
        - {{heuristic.1}}

        What was counted: {{trace.Lifetime.number}} lifetimes from start to kill. In the last: {{trace.Lifetime.requests}} requests, {{trace.Lifetime.failed}} of
        them failed, p95 {{trace.Lifetime.p95_ms}} ms, the heap grew by {{trace.Lifetime.heap_grew_mb}} MB, {{trace.Lifetime.retransmissions}} retransmissions.

        What follows by rule:
        {{rules}}

        The lines that matter:
        {{kept}}

        Name the service, the cause, the action of the runbook, and two to five lines of the log as evidence, copied word for word.
      """
      schema: Diagnosis
      output_var: diagnosis
    }
  }

  step "Check the evidence" {
    loop 20 {
      if cited >= len(diagnosis.evidence) { break }
      if !(diagnosis.evidence[cited] in lines) { invented = invented + 1 }
      cited = cited + 1
    }
  }

  step "Open a ticket" {
    ticket = tool.run {
      cmd: [
        "python3",
        "specs/incident/runbook.py",
        "{{diagnosis.action}}",
        "{{diagnosis.service}}",
        "build/incident/ticket.json",
      ]
    }
    emit TraceItem.Ticket { action: diagnosis.action, service: diagnosis.service, confidence: diagnosis.confidence }
  }

  step "Write it up" {
    tool.write {
      path: "build/incident/report.md"
      content: """
        # {{alert}}

        **Cause**: {{diagnosis.cause}} in {{diagnosis.service}}. {{diagnosis.explanation}}

        **Proposed**: `{{ticket}}`

        **Evidence**: {{cited}} lines cited, {{invented}} of them not in the log.
      """
    }
  }

  evaluation {
    check evidence: cited - invented
    check follows_the_rules: diagnosis.action == recommended.action
    check judged: llm.query {
      role: "the engineer who wrote the service"
      prompt: """
        Judge this diagnosis, from 0 (wrong) to 1 (I would act on it now): the cause is {{diagnosis.cause}}, the action {{diagnosis.action}}.
        {{diagnosis.explanation}}
        Lifetimes from start to kill: {{trace.Lifetime.number}}, in the last of them the heap grew by {{trace.Lifetime.heap_grew_mb}} MB. Rules that fired:
        {{rules}}
      """
      schema: Verdict
      output_var: verdict
    }
  }

  success: evidence >= 2 && invented == 0 && follows_the_rules && verdict.score >= 0.7 && !failed
}
