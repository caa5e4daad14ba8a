task Measure {
  step once { n = 0 }
  success: 1 / n > 2
}
