"""Search: which configuration to try next, and which of those measured is best. Knows nothing of what is measured."""
