task T {
  step s1 {
    tool.build { unit: saxpi variant: plain }
  }
}
