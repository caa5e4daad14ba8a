task Count {
  step up {
    n = 0
    loop 5 { n = n + 1 }
  }
}
