"""One person walks one plan (000, contract 6)."""
