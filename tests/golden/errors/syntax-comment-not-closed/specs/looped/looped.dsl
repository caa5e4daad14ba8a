task t {
  /* what it does
  step a { x = 1 }
}
