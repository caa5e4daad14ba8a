trace_schema { variant T { case P { gflops: float } } }
fact is_slow(t: T.P) -> float { return t.gflops < 10 }
rule "Tile" when is_slow { apply: "Cut the loops." }
agent_loop Climb until done {
  step one { tool.run { cmd: "date" } -> today }
  step two: tool.run {
    cmd: "date"
    env { TZ: "UTC" }
  }
  step three {
    loop 3 times { break }
    emit done
    when: traces > 1
    when: traces > 2
  }
  4. tool.rum { cmd: "date" }
}
service_loop Watch every "2s" { on alarm: string { emit heard } }
domain empty
