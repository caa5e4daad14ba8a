"""Grounded knowledge: facts evaluated on traces, and the rules that fire. Knows neither runs nor searches."""
