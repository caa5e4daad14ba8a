task t {
  step a {
    n +=
  }
}
