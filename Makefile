# make demo and make test do all their own set-up, in .venv and nowhere else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test products prove docs lint bench setup constraints clean
.DEFAULT_GOAL := demo

demo: setup ## a reference server, every check, a short load, a report
	$(BIN)/otpspec demo

test: setup ## the project's own tests
	$(BIN)/python -m pytest -q

prove: setup ## every check against every broken server: no check is decoration
	$(BIN)/otpspec prove

products: ## real OTP products, from the registry, for the tests that check them
	$(PYTHON) tests/products/install.py

docs: setup ## write docs/reference/rules.md from the catalogue
	$(BIN)/python docs/rules_page.py

lint: setup ## style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## the judge of histories; a load's cost beside other clients; the verify path
	$(BIN)/python benchmarks/judge.py
	$(BIN)/python benchmarks/load.py
	OTPSPEC_TEST_TOKEN=bench $(BIN)/otpspec bench safekey-reference --app otpspec_reference.asgi:app

setup: .venv/.installed

.venv/.installed: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "otpspec needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

constraints: ## renew constraints.txt: the newest of everything, with hashes and no addresses
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	    --no-header --python-version 3.11 --group dev pyproject.toml -o constraints.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks otpspec-report otpspec-proof
