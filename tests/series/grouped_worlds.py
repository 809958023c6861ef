"""Series that Hypothesis makes, and what grouped windows and fills give of them, row by row in plain Python."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

EPOCH = dt.datetime(1970, 1, 1)
MINUTE = 60_000_000
HOUR = 60 * MINUTE


@dataclass(frozen=True)
class Row:
    """A row; `at` in minutes since the epoch."""

    at: int | None
    key: str | None
    x: float | None
    i: int | None


@st.composite
def rows(draw: st.DrawFn, *, most: int = 40, late: bool = True) -> list[Row]:
    """Rows of a few series: irregular, duplicate, late, with NaN, NULL and moments before the epoch."""
    moments = st.integers(-90, 240)
    made = draw(
        st.lists(
            st.builds(
                Row,
                st.one_of(moments, moments, moments, moments, st.none()),
                st.sampled_from(["a", "b", "c", None]),
                st.one_of(st.integers(-4, 4).map(float), st.just(math.nan), st.none(), st.just(0.5)),
                st.one_of(st.integers(-3, 5), st.none()),
            ),
            max_size=most,
        )
    )
    if late and draw(st.booleans()):
        return made
    return sorted(made, key=lambda row: (row.key is None, row.key or "", row.at is None, row.at or 0))


def table(given: Sequence[Row]) -> pa.Table:
    """The rows as columns ts, k, x, i."""
    return pa.table(
        {
            "ts": pa.array(
                [None if row.at is None else row.at * MINUTE for row in given], pa.timestamp("us")
            ),
            "k": pa.array([row.key for row in given], pa.string()),
            "x": pa.array([row.x for row in given], pa.float64()),
            "i": pa.array([row.i for row in given], pa.int64()),
        }
    )


def moment(at: int) -> dt.datetime:
    """Minutes since the epoch as a moment."""
    return EPOCH + dt.timedelta(minutes=at)


def floor(at: int, size: int) -> int:
    """The start of a bucket."""
    return at // size * size


def tumble(size: int) -> Callable[[int], list[tuple[int, int]]]:
    """The window of a time."""
    return lambda at: [(floor(at, size), floor(at, size) + size)]


def hop(slide: int, size: int) -> Callable[[int], list[tuple[int, int]]]:
    """The windows of a time."""

    def windows(at: int) -> list[tuple[int, int]]:
        last = floor(at, slide)
        starts = [last - step * slide for step in range(size // slide + 2)]
        return [(start, start + size) for start in starts if start <= at < start + size]

    return windows


def cumulate(step: int, size: int) -> Callable[[int], list[tuple[int, int]]]:
    """The windows of a time."""

    def windows(at: int) -> list[tuple[int, int]]:
        start = floor(at, size)
        ends = [start + step * number for number in range(1, size // step + 1)]
        return [(start, end) for end in ends if at < end]

    return windows


type Group = tuple[int, int, str | None]


def grouped(given: Iterable[Row], windows: Callable[[int], list[tuple[int, int]]]) -> dict[Group, list[Row]]:
    """The rows of each window and series."""
    found: dict[Group, list[Row]] = {}
    for row in given:
        if row.at is not None:
            for start, end in windows(row.at):
                found.setdefault((start, end, row.key), []).append(row)
    return found


def sessions(given: Iterable[Row], gap: int) -> dict[Group, list[Row]]:
    """The sessions of each series."""
    found: dict[Group, list[Row]] = {}
    series: dict[str | None, list[Row]] = {}
    for row in given:
        if row.at is not None:
            series.setdefault(row.key, []).append(row)
    for key, held in series.items():
        held.sort(key=lambda row: row.at or 0)
        run: list[Row] = []
        for row in held:
            if run and (row.at or 0) - (run[-1].at or 0) > gap:
                found[(run[0].at or 0, (run[-1].at or 0) + gap, key)] = run
                run = []
            run.append(row)
        found[(run[0].at or 0, (run[-1].at or 0) + gap, key)] = run
    return found


def _ranked(value: float) -> tuple[bool, float]:
    return (math.isnan(value), 0.0 if math.isnan(value) else value)


AGGREGATES = "count(*), count(x), sum(x), avg(x), min(x), max(x), sum(i), avg(i), min(i), max(i)"


def aggregated(held: Sequence[Row]) -> tuple[Any, ...]:
    """What `AGGREGATES` gives of a group."""
    xs = [row.x for row in held if row.x is not None]
    whole = [row.i for row in held if row.i is not None]
    return (
        len(held),
        len(xs),
        sum(xs) if xs else None,
        sum(xs) / len(xs) if xs else None,
        min(xs, key=_ranked) if xs else None,
        max(xs, key=_ranked) if xs else None,
        sum(whole) if whole else None,
        sum(whole) / len(whole) if whole else None,
        min(whole) if whole else None,
        max(whole) if whole else None,
    )


def told(value: Any) -> Any:
    """A value that compares: NaN equals itself, and floats agree to twelve digits."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(f"{value + 0.0:.12g}")
    return int(value) if not isinstance(value, (str, dt.datetime, type(None), bool)) else value


def comparable(found: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own."""
    return sorted((tuple(told(value) for value in row) for row in found), key=repr)


def tuples(result: Any) -> list[tuple[Any, ...]]:
    """The rows of a result, in their order."""
    columns = [column.to_pylist() for column in result.to_arrow().columns]
    return [tuple(row) for row in zip(*columns, strict=True)]


@contextmanager
def planned(bench: Any, plan: str) -> Any:
    """Grouped windows of a bench run by one plan, whatever it costs."""
    series = bench._machinery.statements.runner.binder.series
    before, series.plan = series.plan, plan
    try:
        yield
    finally:
        series.plan = before


def filled(
    groups: dict[Group, Any],
    size: int,
    kind: str,
    constant: float | None = None,
    edges: tuple[int, int] | None = None,
) -> list[tuple[int, str | None, Any]]:
    """One aggregate of each bucket and series, filled: `(start, key, value)` by bucket, then by key with NULL last."""
    keys = sorted({key for _, _, key in groups}, key=lambda key: (key is None, key or ""))
    starts = [start for start, _, _ in groups]
    if not starts:
        return []
    first, last = (min(starts), max(starts)) if edges is None else edges
    grid = list(range(first, last + 1, size))
    found: list[tuple[int, str | None, Any]] = []
    for key in keys:
        series = [groups.get((start, start + size, key), _EMPTY) for start in grid]
        known = [(at, value) for at, value in enumerate(series) if value is not _EMPTY and value is not None]
        for at, value in enumerate(series):
            before = [one for place, one in enumerate(series[: at + 1]) if one is not _EMPTY]
            made = None if value is _EMPTY else value
            if kind == "prev":
                made = before[-1] if before else None
            elif kind == "prev ignore nulls":
                living = [one for one in before if one is not None]
                made = living[-1] if living else None
            elif kind == "value" and value is _EMPTY:
                made = constant
            elif kind == "linear" and made is None:
                left = [one for one in known if one[0] < at]
                right = [one for one in known if one[0] > at]
                if left and right:
                    (a, u), (b, v) = left[-1], right[0]
                    made = u if u == v else u * (1 - (at - a) / (b - a)) + v * ((at - a) / (b - a))
            found.append((grid[at], key, made))
    return sorted(found, key=lambda row: (row[0], row[1] is None, row[1] or ""))


class _Empty:
    pass


_EMPTY: Any = _Empty()
