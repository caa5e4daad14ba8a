rule R {
  when: [
    // the first
    a,
    b
}
