"""How we speak HTTP: two dialects, one view base, limits, idempotency, cursors; knows no domain (contract 2, 3)."""
