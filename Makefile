# What can be done here: run, test, check, bench, soak, faults; schema and lock write files that are checked in.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
MANAGE := $(BIN)/python manage.py
SCHEMA := tests/openapi.yaml
CHROMIUM := /usr/bin/chromium
APT := DEBIAN_FRONTEND=noninteractive apt-get
IS_ROOT_ON_DEBIAN := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null

.PHONY: run test check bench soak faults schema lock chromium
.DELETE_ON_ERROR:

# The product, on http://localhost:8000 (PORT, GOFA_DATA_DIR, GOFA_DEMO_PASSWORD).
# Videos of the demo lessons are on this machine, so thumbnails are made of them here.
run: export FETCH_LOOPBACK ?= true
run: $(INSTALLED)
	@exec $(MANAGE) up

# All tests, with the browser. A part of them: make test ARGS=tests/plays
test: $(INSTALLED) chromium
	$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

# The long loops that `make test` has in a short form.
soak: $(INSTALLED) chromium
	$(BIN)/pytest -m soak $(ARGS)

# Whatever can die does so under load, and clients do what they like: the long form. It prints a seed, and
# `make faults FAULTS_SEED=…` makes the same choices again.
faults: export FAULTS_LONG := 1
faults: $(INSTALLED)
	$(BIN)/pytest -m '' -s tests/faults tests/billing/test_books.py $(ARGS)

# Ratios between ours, a bare Django view, pgbench and FastAPI.
bench: $(INSTALLED)
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Everything that can be said about the code without running it. Uses engines of its own, beside those of `make run`.
check: export GOFA_DATA_DIR := .data/check
check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) lintmigrations --quiet ok ignore
	@mkdir -p $(GOFA_DATA_DIR)
	$(MANAGE) spectacular --validate --fail-on-warn --file $(GOFA_DATA_DIR)/openapi.yaml
	@diff -u $(SCHEMA) $(GOFA_DATA_DIR)/openapi.yaml || { echo "The API is not what $(SCHEMA) says: make schema" >&2; exit 1; }
	$(BIN)/djlint --check templates

# Write the API's description anew, after a change that was meant.
schema: $(INSTALLED)
	$(MANAGE) spectacular --validate --fail-on-warn --file $(SCHEMA)

# Write the lock file anew, after a change of pyproject.toml. Needs uv.
lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		pyproject.toml --group dev -o requirements.lock

# The environment: made once, and again when the lock file changes.
$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "GOFA needs Python 3.11 or newer (make PYTHON=...)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(IS_ROOT_ON_DEBIAN) \
		&& $(APT) update -qq && $(APT) install -y -qq --no-install-recommends python3-venv; } \
		|| { echo "Python cannot make an environment: install python3-venv." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

chromium:
	@[ -x $(CHROMIUM) ] || { $(IS_ROOT_ON_DEBIAN) \
		&& $(APT) update -qq && $(APT) install -y -qq --no-install-recommends chromium fonts-noto-cjk; } \
		|| echo "No $(CHROMIUM), and no right to install it: the browser tests will fail." >&2
