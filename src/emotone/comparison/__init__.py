"""Comparison: recipes x protocols x folds x seeds, one JSON per run, resumable."""
