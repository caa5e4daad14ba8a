"""Measurement: kernels timed in a child against a baseline, and the machine's own peaks. Knows neither specs nor searching."""
