"""How a build is asked for and shown: `spak build`, doit, plans, explanations, progress."""
