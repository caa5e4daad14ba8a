contract Small { max_steps: 2 }
task Count {
  step one { n = 1 }
  step two { n = 2 }
  step three { n = 3 }
}
