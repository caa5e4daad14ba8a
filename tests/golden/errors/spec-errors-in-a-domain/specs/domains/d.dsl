domain d {
  rule "A" { when: }
  axiom: "one" two
  rule B { apply: x + }
}
