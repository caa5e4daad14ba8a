dynamics D {
  transition:
      h' = Update(h)
  = Update(h)
}
