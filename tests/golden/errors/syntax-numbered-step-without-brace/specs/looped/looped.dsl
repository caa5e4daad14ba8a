task t {
  1. step a { x = 1
  2. step b { x = 2 }
}
