"""The tour's first notebook, composed from the questions, so that notebook and program never tell two stories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from luma_bench.demo import picture, what_if
from luma_bench.demo.questions import QUESTIONS, Question

TITLE = "Why was my flight late?"
FILE = Path(__file__).parents[2] / "notebooks" / "tour" / "01-why-was-my-flight-late.ipynb"
"""Where a source checkout keeps the notebook."""


def load() -> Any:
    """The notebook of the source checkout, or the composed one where the package was installed without it."""
    import nbformat

    return nbformat.read(FILE, as_version=4) if FILE.is_file() else compose()


def compose() -> Any:
    """The notebook without outputs: valid nbformat 4.5, cell ids that stay the same."""
    return composed(_cells())


def composed(cells: Iterable[Cell]) -> Any:
    """A notebook of cells, without outputs: valid nbformat 4.5, with the cells' names as their ids."""
    from nbformat import v4

    made: list[Any] = []
    for name, kind, source, tags in cells:
        make = v4.new_markdown_cell if kind == "markdown" else v4.new_code_cell
        cell = make(source, id=name)
        if tags:
            cell.metadata["tags"] = list(tags)
        made.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return v4.new_notebook(cells=made, metadata=metadata)


def write(path: Path = FILE) -> None:
    """Write the composed notebook; `python -m luma_bench.demo.notebook` does it for the source checkout."""
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(compose(), path)


Cell = tuple[str, str, str, tuple[str, ...]]
"""Its name, `markdown` or `code`, its source, and its tags."""


def _cells() -> Iterator[Cell]:
    yield said("title", _OPENING)
    yield code("open", OPEN)
    for question in QUESTIONS:
        yield said(
            f"question-{question.number}", f"## {question.number}. {question.title}\n\n{question.trap}"
        )
        yield code(f"answer-{question.number}", _cell(question))
    yield said("suppose", _SUPPOSE)
    yield code("suppose-begin", "%%kadeql\nBEGIN")
    yield code("suppose-fog", f"%%kadeql --limit 5\n{what_if.FOG}")
    yield said("suppose-merge", _MERGE)
    yield code("suppose-mergers", f"%%kadeql\n{what_if.MERGERS}")
    yield said("suppose-look", _SUPPOSED)
    yield code("suppose-seen", f"%%kadeql --limit 25\n{what_if.LOOK}")
    yield said("suppose-undo", _DROPPED)
    yield code("suppose-rollback", "%%kadeql\nROLLBACK")
    yield code("suppose-after", f"%%kadeql --limit 25\n{what_if.LOOK}")
    yield said("travel", _TRAVEL)
    yield code("travel-insert", "%%kadeql\nINSERT INTO routes VALUES ('JFK', 'LGA', 'ZZ', 0, NULL, 17.2)")
    yield code("travel-count", f"%%kadeql\n{_COUNTED}")
    yield code("travel-at", "%%kadeql --at tour-v1\nSELECT count(*) AS routes FROM routes")
    yield code("travel-diff", "%%kadeql\nFROM routes EXCEPT FROM routes AT (TAG => 'tour-v1')")
    yield said("travel-back", _BACK)
    yield code("travel-restore", _RESTORE)
    yield said("failed", _FAILED)
    yield code("failed-insert", f"%%kadeql\n{_REFUSED}", "raises-exception")
    yield code("failed-count", "%%kadeql\nSELECT count(*) AS airlines FROM airlines")
    yield said("frame", _FRAME)
    yield code("frame-build", _FRAME_CODE)
    yield code("frame-text", "print(late.kadeql)")
    yield code("frame-same", "bench.kadeql(late.kadeql).to_arrow().equals(late.to_arrow())")
    yield said(
        "picture", "## A picture\n\nA result goes into a variable with `<<`, and from there into a chart."
    )
    yield code("picture-rows", f"%%kadeql by_hour <<\n{picture.QUERY}")
    yield code("picture-draw", _CHART)
    yield said("end", _END)


def said(name: str, text: str) -> Cell:
    """A cell of Markdown."""
    return name, "markdown", text, ()


def code(name: str, text: str, *tags: str) -> Cell:
    """A cell of code."""
    return name, "code", text, tags


def _cell(question: Question) -> str:
    params = f" --params {dict(question.params)!r}" if question.params else ""
    return f"%%kadeql --limit 25{params}\n{question.text}"


_COUNTED = """\
SELECT (SELECT count(*) FROM routes)                       AS now,
       (SELECT count(*) FROM routes AT (TAG => 'tour-v1')) AS at_the_tag"""

_REFUSED = "INSERT INTO airlines VALUES ('ZZ', 'Zeppelin Line'), ('UA', 'Another United')"

_OPENING = f"""\
# {TITLE}

336,776 flights left New York in 2013, or should have. Eight tables hold them, the planes and what they flew next, the airlines,
the airports of the world, the routes between them and the weather of every hour. Ten questions follow, from a count to a window over
every plane's rotations; each shows a trap that gives a wrong answer without a word.

Under every answer stands its badge: the engine that ran it and why, the snapshot it read, how much it read, and how long
it took. `make demo` builds the bench; `%luma help` lists what the magics do."""

OPEN = """\
%load_ext luma_bench

import os

tour = os.environ.get("LUMA_TOUR_BENCH", "../../out/tour.luma")
assert os.path.isdir(tour), f"There is no bench at {tour}: `make demo` builds it."
%luma open "{tour}\""""

_SUPPOSE = """\
## What if?

How late would the rest be, had nobody flown in fog? Inside a transaction everything may be supposed: nobody else sees it, and
nothing of it stays after ROLLBACK. `DELETE … USING` finds its rows with the help of another table, and `RETURNING` shows them.
A flight without a reading of the weather is not in fog: it stays."""

_MERGE = """\
And what if the mergers that came later had been made already? `MERGE INTO` brings a table in line with a list: names of airlines that are
there are changed, one that is not is added, and `merge_action` says which."""

_SUPPOSED = """\
The same transaction asks both: the flights as they were at the tag, and the ones that it supposes. Without fog there is a little less
to wait for. American leaves late less often than before and Alaska more often, with the same planes: a name says which flights are counted
together."""

_DROPPED = """\
So it is not the fog. ROLLBACK drops what was supposed; the same question then finds the same on both sides, and no snapshot more."""

_TRAVEL = """\
## Time travel

Every write makes a snapshot, and a tag names one. `AT (TAG => …)` reads a table as it was, beside what it is now;
`--at` pins a whole cell. What was is never changed by what is written later."""

_BACK = "`bench.at(…)` is the whole bench as it was, read-only. Undoing is writing the past again: one more snapshot."

_RESTORE = """\
past = bench.at("tour-v1")
bench.write(
    "routes",
    past.table("routes").to_arrow(),
    mode="replace",
    sort_by=["src", "dst", "airline"],
    message="routes as at tour-v1",
)
len(bench.table("routes")), bench.snapshots()[-1].message"""

_FAILED = """\
## A write that fails leaves nothing

`carrier` is the primary key of `airlines`. The first row of this batch is good, the second breaks the key: neither is
written, and the snapshot stays what it was."""

_FRAME = """\
## The same as a DataFrame

`bench.table` gives a lazy DataFrame in the manner of pandas. It is the same plan on the same engines: `.kadeql` is the text
that it stands for."""

_FRAME_CODE = """\
df = bench.table("flights")
late = (
    df[df["dep_delay"] > 15]
    .groupby("origin")
    .agg(flights=("flight_id", "count"), mean=("dep_delay", "mean"))
    .sort_values("origin")
)
late.to_pandas()"""

_CHART = f"""\
from luma_bench.plot import chart

chart(
    by_hour,
    x="hour",
    y="minutes",
    color="airline",
    title="{picture.TITLE}",
)"""

_END = """\
So: fly early, with an airline that has a short tail, on a plane that was on time before. And look at the weather."""


if __name__ == "__main__":
    write()
