rule R {
  when: 1 < a < 3
}
