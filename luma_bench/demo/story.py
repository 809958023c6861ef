"""The story as a program: builds the tour's bench, asks the ten questions, supposes, travels in time, writes a page.

This is what `luma-bench demo` runs. Every figure that it prints is computed; it can run again over its own output.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import luma_bench as lb
from luma_bench.bench import display
from luma_bench.demo import build, page, picture, what_if
from luma_bench.demo.graph_questions import GRAPH_QUESTIONS
from luma_bench.demo.questions import QUESTIONS
from luma_bench.demo.series_questions import SERIES_QUESTIONS
from luma_bench.errors import LumaError
from luma_bench.types.record import seconds_text

if TYPE_CHECKING:
    from rich.console import Console

    from luma_bench.bench.bench import Bench
    from luma_bench.bench.result import Result

COUNTED = """\
SELECT (SELECT count(*) FROM routes)                       AS now,
       (SELECT count(*) FROM routes AT (TAG => 'tour-v1')) AS at_the_tag"""

ADDED = "FROM routes EXCEPT FROM routes AT (TAG => 'tour-v1')"

INSERTED = "INSERT INTO routes VALUES ('JFK', 'LGA', 'ZZ', 0, NULL, 17.2)"

REFUSED = "INSERT INTO airlines VALUES ('ZZ', 'Zeppelin Line'), ('UA', 'Another United')"


def run(out: Path, data_only: bool, console: Console) -> None:
    """Build `out/tour.luma`, tell the story, and write `out/late.html`, `out/late.svg`, `out/air.svg` and `out/weather.svg`.

    Parameters
    ----------
    out
        A folder; made when it is missing.
    data_only
        Stop when the bench is built.
    console
        Where the story is told.

    Raises
    ------
    LumaError
        The data's packages are missing, the folder holds another bench, or an answer is not what it must be.
    """
    started = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    path = out / "tour.luma"
    _title(console, "Why was my flight late?")
    with lb.open(path) as bench:
        build.build(bench, lambda line: _say(console, line))
        _say(console, f"{path}: {', '.join(build.NAMES)}")
        if not data_only:
            _questions(bench, console)
            _graphs(bench, out / "air.svg", console)
            _series(bench, out / "weather.svg", console)
            _what_if(bench, console)
            _time_travel(bench, console)
            _failed_write(bench, console)
            _frame(bench, console)
            _picture(bench, out / "late.svg", console)
    if not data_only:
        _title(console, "The notebook, executed")
        written = page.write(path, out / "late.html")
        _say(console, f"{written} ({written.stat().st_size / 1e6:.1f} MB, opens without a network)")
    _say(
        console,
        f"Done in {seconds_text(time.perf_counter() - started)}. Open {path} with lb.open or %luma open.",
    )


def _questions(bench: Bench, console: Console) -> None:
    for question in QUESTIONS:
        _title(console, f"{question.number}. {question.title}")
        result = bench.kadeql(question.text, params=question.params)
        _show(console, result)
        console.print(question.answer(result.to_arrow()), style="bold", highlight=False)


def _graphs(bench: Bench, path: Path, console: Console) -> None:
    """Some of the questions about graphs, and a drawing."""
    for number in (3, 4, 6, 9):
        question = GRAPH_QUESTIONS[number - 1]
        _title(console, f"Graphs: {question.title}")
        console.print(question.text, style="cyan", markup=False, highlight=False)
        _show(console, bench.kadeql(question.text, params=question.params))
    path.write_text(bench.graph("air").plot(layout="geo", limit=120).svg, "utf-8")
    _say(console, f"{path}: the airports that most routes lead through")


def _series(bench: Bench, path: Path, console: Console) -> None:
    """Some of the questions about series, and a drawing."""
    for number in (1, 3, 4, 5):
        question = SERIES_QUESTIONS[number - 1]
        _title(console, f"Series: {question.title}")
        console.print(question.text, style="cyan", markup=False, highlight=False)
        _show(console, bench.kadeql(question.text, params=question.params))
    path.write_text(bench.series("weather").plot("temp", points=800).svg, "utf-8")
    _say(console, f"{path}: a year of temperatures, as few points as the picture can show")


def _what_if(bench: Bench, console: Console) -> None:
    """Flights without fog under the names of later airlines, in a transaction that leaves nothing."""
    _title(console, "What if?")
    before = bench.snapshot
    with bench.transaction() as supposed:
        for text in (what_if.FOG, what_if.MERGERS):
            console.print(text, style="cyan", markup=False, highlight=False)
            changed = supposed.kadeql(text)
            _say(console, f"{len(changed):,} rows; {changed.run.badge}")
        _show(console, supposed.kadeql(what_if.LOOK))
        supposed.rollback()
    if bench.snapshot != before:
        raise LumaError("A ROLLBACK left a snapshot.", hint="Run `luma-bench check`; this must not happen.")
    _say(console, f"Rolled back: snapshot {before} is still the newest.")


def _time_travel(bench: Bench, console: Console) -> None:
    """One route more, seen now and at the tag; then the table as it was, again."""
    _title(console, "Time travel")
    console.print(INSERTED, style="cyan", markup=False, highlight=False)
    bench.kadeql(INSERTED)
    for text in (COUNTED, ADDED):
        console.print(text, style="cyan", markup=False, highlight=False)
        _show(console, bench.kadeql(text))
    past = bench.at(build.TAG)
    _say(
        console,
        f"bench.at({build.TAG!r}) is snapshot {past.snapshot} and has {len(past.table('routes')):,} routes.",
    )
    restore(bench)
    _say(console, f"Written back from the past: {len(bench.table('routes')):,} routes; every snapshot stays.")


def restore(bench: Bench) -> None:
    """Make `routes` what it was at the tag, with the keys it had."""
    rows = bench.at(build.TAG).table("routes").to_arrow()
    keys = ("src", "dst", "airline")
    bench.write("routes", rows, mode="replace", sort_by=keys, message=f"routes as at {build.TAG}")


def _failed_write(bench: Bench, console: Console) -> None:
    """A batch whose second row breaks the primary key: nothing of it stays."""
    _title(console, "A write that fails leaves nothing")
    before = (bench.snapshot, len(bench.table("airlines")))
    console.print(REFUSED, style="cyan", markup=False, highlight=False)
    try:
        bench.kadeql(REFUSED)
    except LumaError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
    else:
        raise LumaError(
            "A duplicate primary key was written.", hint="Run `luma-bench check`; this must not happen."
        )
    after = (bench.snapshot, len(bench.table("airlines")))
    if before != after:
        raise LumaError(
            f"A failed write changed the bench from {before} to {after}.", hint="Run `luma-bench check`."
        )
    _say(
        console,
        f"Snapshot {after[0]} and {after[1]} airlines, as before: the good row of the batch is not there either.",
    )


def _frame(bench: Bench, console: Console) -> None:
    """The same question as a DataFrame and as its own KadeQL text."""
    _title(console, "The same as a DataFrame")
    flights = bench.table("flights")
    late = flights[flights["dep_delay"] > 15]
    frame = (
        late.groupby("origin")
        .agg(flights=("flight_id", "count"), mean=("dep_delay", "mean"))
        .sort_values("origin")
    )
    console.print(frame.kadeql, style="cyan", markup=False, highlight=False)
    result = bench.kadeql(frame.kadeql)
    _show(console, result)
    if frame.to_arrow().to_pylist() != result.to_arrow().to_pylist():
        raise LumaError("The DataFrame and its text differ.", hint="This must not happen: please report it.")
    _say(console, "The DataFrame and its text give equal answers.")


def _picture(bench: Bench, path: Path, console: Console) -> None:
    _title(console, "A picture")
    result = bench.kadeql(picture.QUERY)
    path.write_text(picture.draw(result).svg, "utf-8")
    _say(console, result.run.badge)
    _say(console, f"{path}: {picture.TITLE}")


def _title(console: Console, text: str) -> None:
    console.print()
    console.rule(text, align="left")


def _show(console: Console, result: Result) -> None:
    console.print(
        display.text(result, 25, max(console.width, 110)), markup=False, highlight=False, soft_wrap=True
    )


def _say(console: Console, line: str) -> None:
    console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)
