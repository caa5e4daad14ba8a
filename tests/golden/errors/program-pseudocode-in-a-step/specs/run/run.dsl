task Walk {
  step one {
    x = 1
    if x > 0:
      do something
      and then more
  }
}
