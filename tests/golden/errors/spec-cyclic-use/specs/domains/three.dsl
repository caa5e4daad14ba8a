use one
domain three { axiom: "c" }
