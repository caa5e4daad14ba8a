task Divide {
  step share {
    people = 0
    each = 12 / people
  }
}
