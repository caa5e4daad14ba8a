// second
use three
domain two { axiom: "b" }
