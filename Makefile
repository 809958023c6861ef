# Luma Bench: every target sets up all that it needs and says what it does.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: help setup extension demo lab test test-all lint bench bench-storage bench-sql bench-frame bench-graph bench-series bench-engines bench-notebook pictures sqllogic tck docs lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: $(STAMP) ## a virtual environment in .venv with the locked dependencies

$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh $(VENV)
	@touch $@

extension: setup ## builds the JupyterLab extension and the widgets, and links them and the KadeQL kernel into .venv
	@bash scripts/extension.sh $(VENV)

demo: extension ## builds the tour's bench from real flights, answers ten questions, writes out/late.html
	@$(BIN)/luma-bench demo --out out

lab: extension ## opens the tour in JupyterLab (stop it with Ctrl-C)
	@$(BIN)/luma-bench demo --out out --data-only
	@for notebook in notebooks/tour/*.ipynb notebooks/recipes/*.ipynb; do \
	  mkdir -p "out/$$(dirname "$$notebook")"; [ -e "out/$$notebook" ] || cp "$$notebook" "out/$$notebook"; done
	@echo "Opening copies of the tour's notebooks, out/notebooks, in JupyterLab on 127.0.0.1 …"
	@JUPYTER_CONFIG_PATH="$(CURDIR)/notebooks/jupyter-config" LUMA_TOUR_BENCH="$(CURDIR)/out/tour.luma" $(BIN)/jupyter lab --ip=127.0.0.1 --notebook-dir=. out/notebooks/tour/01-why-was-my-flight-late.ipynb $(LAB_ARGS)

lint: setup ## ruff, pyright (strict), import contracts, repository rules
	@echo "ruff …" && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "pyright …" && $(BIN)/pyright --warnings
	@echo "import contracts …" && $(BIN)/lint-imports --no-cache
	@echo "repository rules …" && $(BIN)/python scripts/rules.py

test: extension ## the test suite (under 15 minutes on two cores)
	@bash scripts/postgresql.sh
	@bash scripts/chromium.sh
	@bash scripts/extension.sh $(VENV) test
	@$(BIN)/python -m pytest -n 2 --dist loadfile

test-all: extension ## the test suite and its slow part, property tests on new examples
	@bash scripts/postgresql.sh
	@bash scripts/chromium.sh
	@bash scripts/extension.sh $(VENV) test
	@LUMA_EXAMPLES=random $(BIN)/python -m pytest -m ''

bench: setup ## Luma Bench and its peers, interleaved; prints tables with versions and hardware
	@$(BIN)/python -m benchmarks.run --out out/benchmarks

bench-storage: setup ## what data takes on disk, and what writing, reading and finding it costs, beside Parquet, Feather, Lance and DuckDB
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r peers.lock
	@$(BIN)/python -m benchmarks.run storage-scan storage-write --out out/bench-storage

bench-sql: setup ## TPC-H, wide tables, small questions, threads and changes, beside DuckDB and Polars (a checkout of ClickBench: LUMA_CLICKBENCH)
	@$(BIN)/python -m benchmarks.run sql-small sql-rows sql-clickbench sql-tpch-1 sql-tpch-5 --rounds 3 --out out/bench-sql

bench-frame: setup ## db-benchmark's group-bys and joins as DataFrames, beside KadeQL, pandas, Polars, Ibis and dask
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r peers.lock
	@$(BIN)/python -m benchmarks.run frame-small frame-dbbench --rounds 3 --out out/bench-frame

bench-graph: setup ## patterns, paths and algorithms over graphs of millions of edges, beside DuckDB's joins, Ladybug, SciPy, igraph, networkit and networkx
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r peers.lock
	@$(BIN)/python -m benchmarks.run graph-hops graph-patterns graph-statements graph-algorithms graph-build --rounds 3 --out out/bench-graph

bench-engines: setup ## TPC-H on a Dask cluster and on Polars, beside DuckDB and dask.dataframe; lost workers, cancelling, exchange and the scheduler
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r peers.lock
	@$(BIN)/python -m benchmarks.run engines-tpch engines-frames engines-cluster engines-tasks --rounds 3 --out out/bench-engines

bench-notebook: extension ## the result grid, completion, the catalog and JupyterLab's start in a headless browser
	@bash scripts/chromium.sh
	@$(BIN)/python -m benchmarks.run notebook --rounds 5 --out out/bench-notebook

pictures: extension ## the pictures of the documentation, from a real JupyterLab
	@bash scripts/chromium.sh
	@$(BIN)/python scripts/pictures.py

bench-series: setup ## windows, gaps, sessions, as-of and window joins over millions of readings and quotes, beside DuckDB, Polars and chdb
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r peers.lock
	@$(BIN)/python -m benchmarks.run series-tsbs series-operators series-joins --rounds 3 --out out/bench-series

sqllogic: setup ## DuckDB's own SQL tests against KadeQL, from a checkout of its repository: make sqllogic DUCKDB=path
	@test -n "$(DUCKDB)" || { echo "Say where DuckDB's repository is checked out: make sqllogic DUCKDB=path"; exit 2; }
	@$(BIN)/python tests/sql/sqllogic/sqllogic_main.py "$(DUCKDB)" --page docs/design/sql-conformance.md $(SQLLOGIC_ARGS)

tck: setup ## openCypher's own scenarios against KadeQL, from a checkout of its repository: make tck OPENCYPHER=path
	@test -n "$(OPENCYPHER)" || { echo "Say where openCypher's repository is checked out: make tck OPENCYPHER=path"; exit 2; }
	@$(BIN)/python tests/graph/tck_main.py "$(OPENCYPHER)" --page docs/design/graph-conformance.md

docs: setup ## writes the generated parts of docs/ and runs every example in it
	@$(BIN)/python scripts/docs.py
	@$(BIN)/python -m pytest tests/docs

lock: setup ## resolves requirements.lock (and gpu.lock) anew, with hashes and without index addresses
	@$(BIN)/uv pip compile pyproject.toml --all-extras --python-version 3.12 --universal --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	@$(BIN)/uv pip compile peers.in -c requirements.lock --python-version 3.12 --universal --generate-hashes --no-emit-index-url --no-header -q -o peers.lock
	@$(BIN)/uv pip compile pyproject.toml binder/requirements.in --extra lab --extra demo --extra graph --extra series --extra scale -c requirements.lock --python-version 3.12 --universal --generate-hashes --no-emit-index-url --no-header -q -o binder/requirements.lock
	@$(BIN)/uv pip compile gpu.in --python-version 3.12 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-emit-index-url --no-header -q -o gpu.lock

clean: ## removes the environment and everything that was built
	rm -rf $(VENV) .uv out build dist
