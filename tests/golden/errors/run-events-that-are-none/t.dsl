model { state total: int = 0 }
service_loop Adder {
  on add(n: int) { total = total + n }
}
