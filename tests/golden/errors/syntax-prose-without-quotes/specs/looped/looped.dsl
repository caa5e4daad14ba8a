rule R {
  apply: Fuse the loops, don't write back.
}
