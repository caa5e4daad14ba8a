"""Kernels and commands timed and searched, and what the tools of a run may ask of a build."""
