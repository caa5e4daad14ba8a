task Greet(name: string, count: int = 1) {
  step compose { text = "{{name}}" }
}
