"""How it runs: embedded engines, `up`, health, demo data."""
