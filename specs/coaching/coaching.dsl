// Coaches a runner from a diary, week after week: reads the week, lets facts say what it was, asks for advice of a declared form,
// keeps advice within a bound, and remembers what was agreed.
//
//     spak run specs/coaching/coaching.dsl --answers specs/coaching/answers

meta {
  name: "coaching"
  edition: 1
  version: 1
}

contract Coach {
  supported_intents: ["plan the next week"]
  success_criteria: ["every week of the diary was answered", "no plan grows by more than a tenth"]
  max_steps: 200
  roots: ["build/coaching"]
  programs: ["python3"]
}

system_model Training {
  axiom: "A body adapts while it rests, not while it runs."
  axiom: "A plan that is not kept is no plan: ask for less than the runner could do."
  heuristic: "No week is longer than the one before it by more than a tenth."
}

design_space {
  intensity: ["rest", "easy", "steady"]
}

model {
  type Advice matches {
    km: float
    intensity: "rest" | "easy" | "steady"
    message: string
  }
  type Opinion matches { helpful: number, why: string }

  state week: int = 0
  state agreed_km: float = 0.0
  state bounded: int = 0
  state history: string = ""
  state finished: boolean = false
}

trace_schema {
  variant TraceItem {
    case Week { week: int, km: float, hard_km: float, sleep_hours: float, note: string, last: boolean }
    case Plan { week: int, km: float, after_km: float, intensity: string }
  }
}

fact too_fast(now: TraceItem.Week, before: TraceItem.Week) {
  return now.km > 1.25 * before.km
}

fact short_of_sleep(t: TraceItem.Week) {
  return t.sleep_hours < 7
}

fact polarised(t: TraceItem.Week) {
  return t.hard_km / t.km <= 0.2
}

rule "Step back" {
  when: too_fast && short_of_sleep
  apply: "Plan a quarter less than the week that was, without hard kilometres, until sleep and legs are back."
  recommend: "intensity = rest"
}

rule "Go on" {
  when: polarised && !too_fast && !short_of_sleep
  apply: "The week was sound: add at most a tenth."
  recommend: "intensity = steady"
}

hint "Sleep first" {
  trigger: short_of_sleep
  suggestion: "Ask what kept the runner awake before anything about running."
}

invariant WithinATenth {
  assert: "No plan is longer than the week before it by more than a tenth."
  check: trace.Plan.km <= 1.1 * trace.Plan.after_km
}

agent_loop coaching(diary: String = "specs/coaching/diary.csv", name: String = "Mina") {
  repeat: 20
  until: finished

  step "Read the week" {
    week = week + 1
    tool.run { cmd: ["python3", "specs/coaching/week.py", "{{diary}}", "{{week}}"] }
  }

  step "Advise" {
    llm.query {
      role: "a running coach who answers in two sentences"
      prompt: """
        {{name}} ran {{trace.Week.km}} km in week {{week}}, {{trace.Week.hard_km}} of them hard, and slept {{trace.Week.sleep_hours}} hours a night.
        The diary says: "{{trace.Week.note}}". Agreed for this week was: {{agreed_km}} km (0.0 means that nothing was).

        What holds: {{axiom.1}} {{axiom.2}} {{heuristic.1}}
        What follows by rule so far:
        {{rules}}

        Earlier weeks:
        {{history}}

        Plan the coming week: kilometres, intensity, and what you say to {{name}}.
      """
      schema: Advice
      output_var: advice
    }
  }

  step "Keep it within bounds" {
    agreed_km = advice.km
    if agreed_km > 1.1 * trace.Week.km {
      agreed_km = 1.1 * trace.Week.km
      bounded = bounded + 1
    }
    emit TraceItem.Plan { week: week + 1, km: agreed_km, after_km: trace.Week.km, intensity: advice.intensity }
    line = "- after week {{week}}: {{agreed_km}} km, {{advice.intensity}}\n"
    history = history + line
    finished = trace.Week.last
  }

  evaluation {
    check answered: week
    check kept: tool.write {
      path: "build/coaching/plan.md"
      content: "# What was agreed with {{name}}\n\n{{history}}"
      output_var: written
    }
    check opinion: llm.query {
      role: "{{name}}, who runs"
      prompt: "Would this have helped you, from 0 to 1? {{history}} The last message was: {{advice.message}}"
      schema: Opinion
      output_var: opinion
    }
  }

  success: finished && bounded <= 1 && opinion.helpful >= 0.5 && !failed
}
