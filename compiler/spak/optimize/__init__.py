"""Searches: spaces, strategies, budgets, caches and the choice among what was measured. Knows no measurement."""
