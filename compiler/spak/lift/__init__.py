"""Learning from runs: knowledge drawn from traces and improved programs, both tested before they are accepted."""
