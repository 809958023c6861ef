"""The tour's third notebook: graphs over the same tables, composed from the questions about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from luma_bench.demo.graph_questions import GRAPH_QUESTIONS
from luma_bench.demo.notebook import FILE as FIRST
from luma_bench.demo.notebook import OPEN, composed

TITLE = "Where can I go, and how does a delay travel?"
FILE = FIRST.with_name("03-where-can-i-go.ipynb")
"""Where a source checkout keeps the notebook."""

_OPENING = f"""\
# {TITLE}

A property graph is a way to read tables: `air` has the airports as vertices and the routes as edges, `trips` has the flights
twice, as edges between airports and as vertices that the same plane links. Nothing is copied; a graph is as old or as new as the
snapshot that a cell reads. Nine questions follow, and a drawing."""

_GRAPHS = """\
## The graphs

`make demo` made them with `CREATE PROPERTY GRAPH` over the tables of the first notebook."""

_PLAN = """\
## How it was answered

`EXPLAIN` says where the walk starts, in which direction it goes, and how many rows were expected at each step."""

_PYTHON = """\
## From Python

`bench.graph` is the same graph in Python: neighbours, paths and algorithms, and networkx where a library needs it."""

_DRAWING = """\
## A drawing

Airports stand where they are; a line is a route of the airports that most ways lead through."""


def compose() -> Any:
    """The notebook without outputs: valid nbformat 4.5, cell ids that stay the same."""
    return composed((name, kind, source, ()) for name, kind, source in _cells())


def write(path: Path = FILE) -> None:
    """Write the composed notebook; `python -m luma_bench.demo.notebook_graphs` does it for the source checkout."""
    import nbformat

    nbformat.write(compose(), path)


def _cells() -> Iterator[tuple[str, str, str]]:
    yield "title", "markdown", _OPENING
    yield "open", "code", OPEN
    yield "graphs", "markdown", _GRAPHS
    yield "graphs-shown", "code", "%%kadeql\nSHOW GRAPHS"
    yield "graphs-air", "code", "%%kadeql\nDESCRIBE GRAPH air"
    for question in GRAPH_QUESTIONS:
        yield (
            f"question-{question.number}",
            "markdown",
            f"## {question.number}. {question.title}\n\n{question.trap}",
        )
        yield f"answer-{question.number}", "code", question.cell
    yield "plan", "markdown", _PLAN
    yield "plan-shown", "code", GRAPH_QUESTIONS[4].cell.replace("MATCH", "EXPLAIN ANALYZE\nMATCH", 1)
    yield "python", "markdown", _PYTHON
    yield "python-graph", "code", 'air = bench.graph("air")\nair'
    yield "python-path", "code", 'air.shortest_path("BTV", "GUM", weight="km")'
    yield "drawing", "markdown", _DRAWING
    yield "drawing-shown", "code", 'air.plot(layout="geo", limit=300)'


if __name__ == "__main__":
    write()
