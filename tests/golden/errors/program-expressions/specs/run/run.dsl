state best: float = 0
state names: [string] = []
state plan: { level: string } = { level: "x" }
task Say {
  step one {
    a = best + "x"
    b = names[plan]
    c = best[0]
    d = len(best)
    e = best && true
    f = !best
    g = -plan.level
    h = plan.levl
    i = max(best, "x")
    j = 3 in "abc"
    k = split(names)
    l = names + names
  }
}
