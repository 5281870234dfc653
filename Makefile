# Everything a developer runs, and everything the CI runs. Needed beforehand: Python >= 3.11 with its venv module, and make.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python
STAMP := .venv/.complete
PACKAGES := shared services/order services/consent services/report services/critical deploy/demo
ROOMS := shared/slipring services/order/slipring_order services/consent/slipring_consent \
	services/report/slipring_report services/critical/slipring_critical deploy/demo/slipring_demo
# Tests never depend on what the caller's shell happens to hold.
CLEAN := for name in $$(env | sed -n 's/^\(SLIPRING_[A-Z_]*\|PYTHON[A-Z]*\|PYTEST_[A-Z_]*\|PG[A-Z]*\|TZ\|LANG\|LC_[A-Z]*\)=.*/\1/p'); \
	do unset "$$name"; done; export LC_ALL=C.UTF-8;

.PHONY: help setup demo test unit stories processes real bench check lock migrate docs clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with every requirement and the slipring command (nothing to do: no time)

$(STAMP): requirements.lock $(PACKAGES:=/pyproject.toml) deploy/venv.sh
	@sh deploy/venv.sh $(PACKAGES)
	@touch $@

demo: setup ## play one exam from order to acknowledged alert; ONCE=1 stops at the end
	@.venv/bin/slipring demo $(if $(filter-out 0 no false,$(ONCE)),--once)

test: setup ## run every test
	@$(CLEAN) $(PY) -m pytest $(ARGS)

unit: setup ## run the tests beside the code
	@$(CLEAN) $(PY) -m pytest shared/tests services $(wildcard deploy/demo/tests) $(ARGS)

stories: setup ## run the stories in one process with a fake clock
	@$(CLEAN) $(PY) -m pytest tests/stories $(ARGS)

processes: setup ## run the tests with real processes, HTTP and kill -9
	@$(CLEAN) $(PY) -m pytest tests/processes $(ARGS)

real: setup ## run the tests on real data
	@$(CLEAN) $(PY) -m pytest tests/real $(ARGS)

bench: setup ## measure the promised speed beside a bare echo and two rivals; writes docs/benchmarks.md
	@$(CLEAN) $(PY) -m tests.bench $(ARGS)

check: setup ## format, lint, types, import contracts, generated pages
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@for room in $(ROOMS); do echo "mypy $$room"; .venv/bin/mypy --strict $$room || exit 1; done
	@.venv/bin/lint-imports
	@$(PY) docs/make.py --check

lock: ## turn requirements.in into requirements.lock (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		requirements.in -o requirements.lock

migrate: setup ## write the next migration from what store/tables says; MESSAGE="what it adds"
	@test -n "$(MESSAGE)" || { echo 'say what it adds: make migrate MESSAGE="a table for seals"'; exit 2; }
	@$(CLEAN) $(PY) -m slipring.fhir.store.draft_migration "$(MESSAGE)"

docs: setup ## write the generated pages of docs/
	@$(PY) docs/make.py

clean: ## remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
