"""CUDA source for the simulator: rewriting it, running it, saying what was found. Knows no unit, no plan and no target."""
