"""Measurement: times as distributions, on a named machine. Knows no search strategy."""
