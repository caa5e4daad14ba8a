"""Engines: how device code becomes host objects. Each module has `build(job, do) -> Parts`; a target names its engine."""
