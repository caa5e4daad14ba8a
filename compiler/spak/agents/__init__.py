"""The step machine: executes tasks, loops and workflows, one recorded step after another. Knows no tool by name."""
