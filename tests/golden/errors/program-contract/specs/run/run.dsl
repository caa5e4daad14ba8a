task Walk { step one: tool.run { cmd: "date" } }
contract Scope {
  supported_intents: ["Lend"]
  sucess_criteria: ["No book is lost."]
  autonomy { mode: "auto" max_steps: -3 loop_interval: "soon" maxsteps: 3 }
  roots: ["../other", "/tmp"]
  shell: yes
  env: [PATH, 3]
  budget: 100
}
contract Other { max_steps: 3 }
