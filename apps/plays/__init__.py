"""One person plays one lesson (001, contract 5)."""
