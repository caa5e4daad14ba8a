domain memroy { rule R { when: "a" }
 rule R { when: "b" } }
