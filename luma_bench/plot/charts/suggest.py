"""Which charts fit a result: by what its columns are and how many values they have."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.plot.charts.columns import roles, whole
from luma_bench.plot.charts.facts import Facts
from luma_bench.plot.picture import LARGEST
from luma_bench.plot.theme import PALETTE

MOST = 8
"""Charts that are offered."""
_BARS = 40
_POINTS = 2_000
_CALENDAR = frozenset(
    {"year", "quarter", "month", "week", "day", "hour", "minute", "weekday", "dow", "doy", "date"}
)
_NO_MEASURE = re.compile(
    r"(^|_)(id|key|code|number|num|no|time|date|year|zip|phone|lat|lon|latitude|longitude)s?(_|$)"
)
"""Numbers of these names are seldom what a chart is to show: they stand behind the others."""
_EARTH = ({"lon", "lng", "long", "longitude"}, {"lat", "latitude"})
_UNKNOWN = Facts(distinct=_BARS + 1)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A chart that fits, to be given to `figure`.

    Attributes
    ----------
    title
        What it shows, in words.
    kind
        `line`, `bar`, `barh`, `scatter`, `hist` or `heatmap`.
    x, y, color
        Columns; None where the chart takes none, or counts rows.
    """

    title: str
    kind: str
    x: str
    y: str | None = None
    color: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The suggestion as JSON."""
        return {"title": self.title, "kind": self.kind, "x": self.x, "y": self.y, "color": self.color}


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns sorted by what they are good for, in the order of the result."""

    times: list[str]
    steps: list[str]
    measures: list[str]
    names: list[str]
    colours: list[str]
    facts: Mapping[str, Facts]
    rows: int

    def fact(self, name: str) -> Facts:
        return self.facts.get(name, _UNKNOWN)

    def colour(self, *taken: str | None) -> str | None:
        """A column of few values that no axis shows."""
        return next((name for name in self.colours if name not in taken), None)

    def single(self, *names: str) -> bool:
        """Whether each combination of the columns' values has about one row, so that nothing is summed up."""
        product = 1
        for name in names:
            product *= max(self.fact(name).distinct, 1)
        return self.rows <= product * 1.05


def suggest(schema: pa.Schema, rows: int, facts: Mapping[str, Facts] | None = None) -> tuple[Suggestion, ...]:
    """The charts that fit, the best first; none where nothing can be drawn.

    Parameters
    ----------
    schema
        The columns of the result.
    rows
        How many rows it has.
    facts
        What its columns hold, as `facts` tells; without them the types alone decide.
    """
    if not rows:
        return ()
    columns = _sorted(schema, rows, facts or {})
    families = (_over_time(columns), _by_name(columns), _pairs(columns), _spread(columns))
    # The first of each family before the second of any.
    found = [one for rank in itertools.zip_longest(*families) for one in rank if one is not None]
    return tuple(dict.fromkeys(found))[:MOST]


def _sorted(schema: pa.Schema, rows: int, facts: Mapping[str, Facts]) -> _Columns:
    times: list[str] = []
    steps: list[str] = []
    measures: list[str] = []
    names: list[str] = []
    for name, role in roles(schema).items():
        fact = facts.get(name, _UNKNOWN)
        beyond = max(abs(fact.low or 0.0), abs(fact.high or 0.0)) > LARGEST
        if fact.nulls == rows or beyond:
            continue
        if role == "time":
            times.append(name)
        elif role == "name":
            names.append(name)
        elif whole(schema.field(name).type) and name.casefold() in _CALENDAR:
            steps.append(name)
        elif not _is_key(name, fact, rows, is_whole=whole(schema.field(name).type)):
            measures.append(name)
    measures.sort(key=lambda name: bool(_NO_MEASURE.search(name.casefold())))
    colours = [name for name in names if 2 <= facts.get(name, _UNKNOWN).distinct <= len(PALETTE)]
    return _Columns(times, steps, measures, names, colours, facts, rows)


def _is_key(name: str, fact: Facts, rows: int, *, is_whole: bool) -> bool:
    """Whether a whole number tells rows apart rather than measures something."""
    folded = name.casefold()
    named = folded in ("id", "key") or folded.endswith(("_id", "id_", "_key")) or name.endswith("Id")
    return is_whole and named and (fact is _UNKNOWN or fact.distinct > 2 or fact.distinct == rows)


def _over_time(columns: _Columns) -> list[Suggestion]:
    found: list[Suggestion] = []
    for x in (*columns.times[:2], *columns.steps[:1]):
        if columns.fact(x).distinct < 2:
            continue
        for y in columns.measures[:2]:
            colour = columns.colour(x, y)
            mean = "" if columns.single(x, *([colour] if colour else [])) else "Mean "
            found.append(Suggestion(f"{mean}{y} over {x}{_each(colour)}", "line", x, y, colour))
        if not columns.single(x):
            found.append(Suggestion(f"Rows over {x}", "line", x))
    return found


def _by_name(columns: _Columns) -> list[Suggestion]:
    found: list[Suggestion] = []
    # Names with the fewest values first: they are the ones that rows are grouped by.
    named = sorted(
        (name for name in columns.names if columns.fact(name).distinct > 1),
        key=lambda name: columns.fact(name).distinct,
    )
    for x in named[:2]:
        fact = columns.fact(x)
        single = columns.single(x)
        if single and fact.distinct > _BARS * 5:
            continue
        kind = "barh" if fact.longest > 12 or fact.distinct > 12 else "bar"
        for y in columns.measures[: 2 if x == named[0] else 1]:
            mean = "" if single else "Mean "
            found.append(Suggestion(f"{mean}{y} by {x}", kind, x, y))
        if not single:
            found.append(Suggestion(f"Rows by {x}", kind, x))
    return found


def _pairs(columns: _Columns) -> list[Suggestion]:
    found: list[Suggestion] = []
    few = [name for name in (*columns.names, *columns.steps) if 1 < columns.fact(name).distinct <= _BARS]
    if len(few) > 1:
        y, x = sorted(few[:2], key=lambda name: columns.fact(name).distinct)
        if columns.measures:
            value = columns.measures[0]
            mean = "" if columns.single(x, y) else "Mean "
            found.append(Suggestion(f"{mean}{value} by {x} and {y}", "heatmap", x, y, value))
        else:
            found.append(Suggestion(f"Rows by {x} and {y}", "heatmap", x, y))
    lon, lat = (
        next((name for name in columns.measures if name.casefold() in names), None) for names in _EARTH
    )
    if lon and lat and columns.rows <= _POINTS:
        colour = columns.colour()
        found.append(Suggestion(f"Where on the map{_each(colour)}", "scatter", lon, lat, colour))
    if len(columns.measures) > 1:
        x, y = columns.measures[:2]
        if columns.rows <= _POINTS:
            colour = columns.colour(x, y)
            found.append(Suggestion(f"{y} against {x}{_each(colour)}", "scatter", x, y, colour))
        else:
            found.append(Suggestion(f"Where {x} and {y} meet", "heatmap", x, y))
    return found


def _spread(columns: _Columns) -> list[Suggestion]:
    spread = [name for name in (*columns.measures[:3], *columns.times[:1]) if columns.fact(name).distinct > 1]
    return [Suggestion(f"Distribution of {name}", "hist", name) for name in spread if columns.rows > 1]


def _each(colour: str | None) -> str:
    return f", each {colour}" if colour else ""
