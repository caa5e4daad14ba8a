model {
  state best: float = 0.0
  state level: "naive" | "tiled" = "naive"
  state names: [string] = ["a", 3]
  state count: int = "three"
}
task Set {
  step one {
    best = "fast"
    level = "tilde"
    names = [1, 2]
    count = 1.5
    best = names
    n: int = "x"
  }
}
