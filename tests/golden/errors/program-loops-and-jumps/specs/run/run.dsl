task Walk {
  step one {
    loop 0 { return }
    loop(limit=forever) { return }
    loop rounds { return }
    continue
    if 1 + 1 { return }
    while x { return }
  }
}
