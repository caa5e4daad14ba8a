task t {
  step a { border: 1px ~ }
}
