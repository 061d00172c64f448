"""Words that every app shares; no DRF, no tables."""
