rule R {
  when: a =>
}
