"""The SPAK language: grammar, trees, printer and expressions. Knows syntax; what kinds mean is for the stages."""
