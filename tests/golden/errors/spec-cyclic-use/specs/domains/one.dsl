use two
domain one { axiom: "a" }
