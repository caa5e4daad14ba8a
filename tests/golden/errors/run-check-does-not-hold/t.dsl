protocol Release {
  step sum { check: 1 + 1 == 3 }
}
