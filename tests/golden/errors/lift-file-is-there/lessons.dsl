domain lessons {}
