"""The tour's fifth notebook: one question on every engine, with the run records beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from luma_bench.demo.engines import QUESTION
from luma_bench.demo.notebook import FILE as FIRST
from luma_bench.demo.notebook import OPEN, composed

TITLE = "One question, every engine"
FILE = FIRST.with_name("05-one-question-every-engine.ipynb")
"""Where a source checkout keeps the notebook."""

_OPENING = f"""\
# {TITLE}

The same text runs embedded (DuckDB), on Polars, and on a Dask cluster, here worker processes on this machine. The answers are equal to
the last bit, and every result says what ran, why, and what was expected of it. The cluster starts with the first question that it is
asked."""

_ALIKE = """\
## The same answer

`strict` makes it an error if another engine than the one asked for would run; `answers` compares the results as Arrow."""

_RECORDS = """\
## What each of them says

`expected` is the estimate that was made before the run."""

_STAGES = """\
## Inside the cluster

The statement was cut into stages of equal fragments; each has a node in the run record."""

_FALLBACK = """\
## Asking for what is not here

Without `strict` the embedded engine answers instead, and the badge counts it: nothing falls back in silence."""

_PLAN = """\
## Why it would choose which

`EXPLAIN` lists what each engine is expected to take, or why it is out."""


def compose() -> Any:
    """The notebook without outputs: valid nbformat 4.5, cell ids that stay the same."""
    return composed((name, kind, source, ()) for name, kind, source in _cells())


def write(path: Path = FILE) -> None:
    """Write the composed notebook; `python -m luma_bench.demo.notebook_engines` does it for the source checkout."""
    import nbformat

    nbformat.write(compose(), path)


def _cells() -> Iterator[tuple[str, str, str]]:
    yield "title", "markdown", _OPENING
    yield "open", "code", f"{OPEN} --cluster local"
    yield "question", "code", f"%%kadeql\n{QUESTION}"
    yield "alike", "markdown", _ALIKE
    yield (
        "answers",
        "code",
        'from luma_bench.demo.engines import answers, records\n\nfound = answers(bench)\nfound["dask"]',
    )
    yield "records", "markdown", _RECORDS
    yield "records-shown", "code", "records(found).to_pandas()"
    yield "stages", "markdown", _STAGES
    yield (
        "stages-shown",
        "code",
        'for node in found["dask"].run.nodes:\n    print(node.name, "·", node.rows, "rows ·", node.detail)',
    )
    yield "dashboard", "code", "bench.cluster.dashboard_link"
    yield "fallback", "markdown", _FALLBACK
    yield (
        "fallback-shown",
        "code",
        "%%kadeql --engine gpu --limit 3\nSELECT carrier, count(*) AS flights FROM flights GROUP BY carrier ORDER BY flights DESC",
    )
    yield "plan", "markdown", _PLAN
    yield "plan-shown", "code", f"%%kadeql\nEXPLAIN {QUESTION}"


if __name__ == "__main__":
    write()
