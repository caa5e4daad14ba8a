task t {
  step a { x = y[0:T }
}
