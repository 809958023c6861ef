"""The tour's fourth notebook: series over the same tables, composed from the questions about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from luma_bench.demo.notebook import FILE as FIRST
from luma_bench.demo.notebook import OPEN, composed
from luma_bench.demo.series_questions import SERIES_QUESTIONS

TITLE = "What was the weather, and when?"
FILE = FIRST.with_name("04-what-was-the-weather.ipynb")
"""Where a source checkout keeps the notebook."""

_OPENING = f"""\
# {TITLE}

A series is a table with a time: `weather` has a reading an hour of each of New York's three airports, `flights` a departure of a
plane. The table says which column is its time and which tell series apart; its rows lie in that order on disk. Nine questions
follow, from both sides of a change of clocks, and a drawing."""

_PLAN = """\
## How it was answered

`EXPLAIN` says whether the sorted-run kernel answers or SQL does, and why."""

_PYTHON = """\
## From Python

`bench.series` is the same series in Python: it resamples, fills, joins and draws, and each step is a KadeQL text."""

_DRAWING = """\
## A drawing

A plot asks the engine for as many points as a screen can show, not for the rows."""


def compose() -> Any:
    """The notebook without outputs: valid nbformat 4.5, cell ids that stay the same."""
    return composed((name, kind, source, ()) for name, kind, source in _cells())


def write(path: Path = FILE) -> None:
    """Write the composed notebook; `python -m luma_bench.demo.notebook_series` does it for the source checkout."""
    import nbformat

    nbformat.write(compose(), path)


def _cells() -> Iterator[tuple[str, str, str]]:
    yield "title", "markdown", _OPENING
    yield "open", "code", OPEN
    for question in SERIES_QUESTIONS:
        yield (
            f"question-{question.number}",
            "markdown",
            f"## {question.number}. {question.title}\n\n{question.trap}",
        )
        yield f"answer-{question.number}", "code", question.cell
    yield "plan", "markdown", _PLAN
    yield "plan-shown", "code", SERIES_QUESTIONS[0].cell.replace("SELECT", "EXPLAIN ANALYZE\nSELECT", 1)
    yield "python", "markdown", _PYTHON
    yield "python-series", "code", 'weather = bench.series("weather")\nweather'
    yield (
        "python-resampled",
        "code",
        'weather.resample("1d", agg={"temp": "mean", "wind_gust": "max"}, fill="linear")',
    )
    yield "drawing", "markdown", _DRAWING
    yield "drawing-shown", "code", 'weather.plot("temp", points=800)'


if __name__ == "__main__":
    write()
