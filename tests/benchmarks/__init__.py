"""How fast is it beside a bare Django view, FastAPI and pgbench with the same SQL? `make bench` prints ratios."""
