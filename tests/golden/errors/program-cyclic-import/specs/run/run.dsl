import "../../lib/a.dsl"
task Walk { step one: tool.run { cmd: "date" } }
