// The smallest agent: look, ask, write, judge.
//
//     spak run specs/greeting/greeting.dsl --arg name=Ada --answers specs/greeting/answers

meta {
  name: "greeting"
  edition: 1
  version: 1
}

contract {
  roots: ["build/greeting"]
  programs: ["uname", "wc"]
}

system_model Manners {
  axiom: "A greeting is one sentence, and it names whom it greets."
  axiom: "A host says where the guest has arrived."
  heuristic: "Shorter is warmer."
}

model {
  type Judgement matches { warm: number, remark: string }
}

task greeting(name: String = "Ada") {
  step place: tool.run {
    cmd: ["uname", "-s"]
    output_var: system
  }

  step greet: llm.query {
    role: "a host who meets {{name}} at the door of a machine"
    prompt: """
      Greet {{name}}, who has just arrived on a machine that runs {{system}}.

      What holds here: {{axiom.1}} {{axiom.2}}
      And, if in doubt: {{heuristic.1}}

      Answer with the greeting and nothing else.
    """
    output_var: sentence
  }

  step keep: tool.write {
    path: "build/greeting/greeting.txt"
    content: "{{sentence}}\n"
  }

  evaluation {
    check length: tool.run {
      cmd: ["wc", "-w"]
      stdin: "{{sentence}}"
      output_var: words
    }
    check warmth: llm.query {
      role: "a judge of manners"
      prompt: "How warm is this greeting, from 0 to 1? {{sentence}}"
      schema: Judgement
      output_var: judgement
    }
  }

  success: words <= 30 && name in sentence && judgement.warm >= 0.5 && !failed
}
