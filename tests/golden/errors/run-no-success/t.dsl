task Measure {
  step once { n = 3 }
  evaluation { check size: n * 2 }
  success: size > 10
}
