"""The tour's sixth notebook: no Python around the questions, in the KadeQL kernel, pinned to a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from luma_bench.demo import picture
from luma_bench.demo.notebook import FILE as FIRST
from luma_bench.demo.notebook import OPEN, composed

TITLE = "In KadeQL alone"
FILE = FIRST.with_name("06-in-kadeql-alone.ipynb")
"""Where a source checkout keeps the notebook."""

_OPENING = f"""\
# {TITLE}

A notebook of the kernel *KadeQL*: a bare cell is a statement. Python is there where it is wanted, in cells that begin with `%%python`,
and both share their variables."""

_PIN = """\
## Pinned

From here on the notebook reads this snapshot, whatever is written later; the pin is kept with the notebook. Once it is saved,
`%luma verify` runs every question again and says whether the answers are the same."""

_PARAMETER = """\
## A parameter from Python

`$late` is the Python variable `late`. Every front end completes names here: press Tab in the cell."""

_PICTURE = """\
## A result with a name

`name <<` behind `%%kadeql` keeps the result for both languages."""

_GRAPH = """\
## Another model, the same cell

From which of New York's airports Burlington is at most two flights away, and how windy it gets there. One reading of the weather says
1,048 miles an hour: a broken gauge."""

_QUESTION = """\
SELECT name, count(*) AS flights, median(dep_delay) AS median_delay
FROM flights JOIN airlines USING (carrier)
GROUP BY name ORDER BY flights DESC LIMIT 5"""

_LATE = """\
SELECT origin, count(*) FILTER (dep_delay > $late) / count(*) AS share_late
FROM flights GROUP BY origin ORDER BY share_late DESC"""

_GRAPH_TEXT = """\
WITH reach AS (
  MATCH (a:airports WHERE a.iata = 'BTV')<-[:route]-{1,2}(b) ON GRAPH air RETURN DISTINCT b.iata AS origin
)
SELECT origin, max(wind_speed) FILTER (wind_speed < 200) AS windiest
FROM reach JOIN weather USING (origin)
GROUP BY origin ORDER BY windiest DESC"""


def compose() -> Any:
    """The notebook without outputs: valid nbformat 4.5, cell ids that stay the same."""
    made = composed((name, kind, source, ()) for name, kind, source in _cells())
    made.metadata["kernelspec"] = {"display_name": "KadeQL", "language": "kadeql", "name": "kadeql"}
    made.metadata["language_info"] = {"name": "kadeql"}
    return made


def write(path: Path = FILE) -> None:
    """Write the composed notebook; `python -m luma_bench.demo.notebook_kadeql` does it for the source checkout."""
    import nbformat

    nbformat.write(compose(), path)


def _cells() -> Iterator[tuple[str, str, str]]:
    yield "title", "markdown", _OPENING
    yield "open", "code", f"%%python\n{OPEN.removeprefix('%load_ext luma_bench').lstrip()}"
    yield "pin", "markdown", _PIN
    yield "pinned", "code", "%luma pin"
    yield (
        "question",
        "code",
        _QUESTION,
    )
    yield "parameter", "markdown", _PARAMETER
    yield "late", "code", "%%python\nlate = 60"
    yield (
        "late-asked",
        "code",
        _LATE,
    )
    yield "graph", "markdown", _GRAPH
    yield "graph-asked", "code", _GRAPH_TEXT
    yield "picture", "markdown", _PICTURE
    yield "picture-rows", "code", f"%%kadeql by_hour <<\n{picture.QUERY}"
    yield "picture-draw", "code", f"%%python\n{_CHART}"


_CHART = f"""\
from luma_bench.plot import chart

chart(by_hour, x="hour", y="minutes", color="airline", title="{picture.TITLE}")"""


if __name__ == "__main__":
    write()
