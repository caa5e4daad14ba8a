task Walk { step one: tool.run { cmd: "date" } }
recipe Cake { flour: 3 }
agnet_loop Helper { step one: tool.run { cmd: "date" } }
limits { memory: 3 }
