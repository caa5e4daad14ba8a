task Morning { step greet { n = 1 } }
task Evening { step greet { n = 2 } }
