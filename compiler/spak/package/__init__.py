"""Artifacts and wheels: gather what was built and verified, with a manifest that names every digest. Knows no compiler."""
