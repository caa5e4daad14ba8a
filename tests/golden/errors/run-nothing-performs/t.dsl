effect Mail { operation send(to: String) -> bool; }
workflow Tell {
  step write { sent = perform Mail.send("Ada") }
}
