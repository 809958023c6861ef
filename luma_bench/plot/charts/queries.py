"""The KadeQL texts that bring a result down to the few rows that a chart draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.plot.charts.columns import SOURCE, Ask, Role, as_number, known, role
from luma_bench.plot.charts.steps import grouped
from luma_bench.plot.picture import LARGEST, PlotError
from luma_bench.plot.theme import PALETTE
from luma_bench.types.sql_text import quoted

POINTS = 2_000
"""The most marks of a chart."""
STEPS = 400
"""Steps of x that rows are grouped in, where several rows share one."""
BARS = 40
"""Bars of a chart, and names along a side of a heatmap."""
_EXACT = 200_000
"""Up to so many rows distinct values are counted, of more they are estimated."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """What a chart draws: a text whose rows are the marks, and the columns of its answer."""

    text: str
    x: str
    y: str
    color: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a chart, checked, and what was counted of them.

    Attributes
    ----------
    rows, placed
        All rows, and those with an x (and a y, where it is named).
    low, high
        Bounds of x where it is a number or a time (microseconds); 0 where there are none.
    distinct
        Values of x.
    single
        Whether no two rows share an x (and a colour).
    """

    ask: Ask
    schema: pa.Schema
    x: str
    y: str | None
    color: str | None
    role: Role
    rows: int = 0
    placed: int = 0
    low: float = 0.0
    high: float = 0.0
    distinct: int = 0
    colours: int = 1
    single: bool = False
    taken: frozenset[str] = field(default_factory=frozenset)

    @property
    def kind(self) -> pa.DataType:
        """The type of x."""
        return self.schema.field(self.x).type

    @property
    def there(self) -> str:
        """The condition that a row has a place."""
        return placed(self.schema, self.x, self.y)

    @property
    def shade(self) -> str:
        """The colour as a further column of a text."""
        return f", {quoted(self.color)}" if self.color else ""

    @property
    def left_out(self) -> tuple[str, ...]:
        """The note of the rows without a place."""
        gone = self.rows - self.placed
        what = self.x if self.y is None else f"{self.x} or {self.y}"
        return (f"{gone:,} row{'' if gone == 1 else 's'} without {what} left out",) if gone else ()

    def named(self, name: str) -> str:
        """A name for a computed column that no column of the chart has."""
        while name in (self.x, self.color):
            name += "_"
        return name

    @property
    def measure(self) -> tuple[str, str]:
        """What each group of rows shows, as text, and its name: a count, or a mean."""
        if self.y is None:
            return "count(*)", self.named("rows")
        return f"avg({quoted(self.y)})", self.named(f"mean {self.y}")


def placed(schema: pa.Schema, *names: str | None) -> str:
    """The condition that a row has a place on each axis."""
    return " AND ".join(known(name, schema.field(name).type) for name in names if name is not None)


def counted(ask: Ask, schema: pa.Schema, rows: int, x: str, y: str | None, color: str | None) -> Columns:
    """Check the columns of a line or of bars, and count what decides how they are drawn.

    Raises
    ------
    PlotError
        A column has no place on its axis, holds too large numbers, or there are more colours than can be told apart.
    SchemaError
        There is no such column.
    """
    found = role(schema, x, ("number", "time", "name"), "x")
    if y is not None:
        role(schema, y, ("number",), "y")
    if color is not None:
        role(schema, color, ("number", "time", "name"), "color")
    key = quoted(x) if color is None else f"({quoted(x)}, {quoted(color)})"
    exact = rows <= _EXACT
    pairs = f"count(DISTINCT {key})" if exact else f"approx_count_distinct({key})"
    values = f"count(DISTINCT {quoted(x)})" if exact else f"approx_count_distinct({quoted(x)})"
    number = "0.0" if found == "name" else as_number(x, schema.field(x).type)
    shades = (
        f"count(DISTINCT {quoted(color)}) + count(DISTINCT CASE WHEN {quoted(color)} IS NULL THEN 1 END)"
        if color
        else "1"
    )
    height = f"max(abs(CAST({quoted(y)} AS DOUBLE)))" if y else "0.0"
    row = ask(
        f"SELECT count(*) AS placed, min({number}) AS low, max({number}) AS high, {pairs} AS pairs, {values} AS d, "
        f"{shades} AS shades, {height} AS most FROM {SOURCE} WHERE {placed(schema, x, y)}"
    ).to_pylist()[0]
    _bounded(x, row["low"], row["high"])
    _bounded(y or "", row["most"])
    if color is not None and row["shades"] > len(PALETTE):
        raise PlotError(
            f"{color!r} has {row['shades']:,} values, and {len(PALETTE)} colours can be told apart.",
            hint="Filter to the ones that matter, or draw a heatmap with it as y.",
        )
    count = row["placed"]
    single = row["pairs"] == count if exact else row["pairs"] >= count * 0.9
    return Columns(
        ask, schema, x, y, color, found, rows, count, row["low"] or 0.0, row["high"] or 0.0, row["d"],
        max(row["shades"], 1), single,
    )  # fmt: skip


def _bounded(name: str, *values: float | None) -> None:
    if any(value is not None and abs(value) > LARGEST for value in values):
        raise PlotError(
            f"{name!r} holds numbers beyond {LARGEST:g}.", hint="Filter them out, or take the logarithm."
        )


def line_rows(columns: Columns) -> Reduced:
    """Every row where they are few and single; the shape of the line where they are many; means where they share an x."""
    x, y, shade = quoted(columns.x), columns.y, columns.shade
    if columns.role == "name":
        raise PlotError(
            f"A line over {columns.x!r} has no order: it is text.",
            hint="Draw kind='bar', or name a time as x.",
        )
    budget = max(POINTS // columns.colours, 8)
    if y is None or not columns.single:
        value, name = columns.measure
        steps = min(budget, STEPS)
        at, said = x, ()
        if columns.distinct > budget:
            at, step = grouped(columns.x, columns.kind, columns.low, columns.high, steps)
            said = (f"{columns.x} in steps of {step}",)
        text = (
            f"SELECT {at} AS {x}, {value} AS {quoted(name)}{shade}\nFROM {SOURCE}\nWHERE {columns.there}\n"
            f"GROUP BY ALL ORDER BY {x}{shade}"
        )
        return Reduced(text, columns.x, name, columns.color, (*columns.left_out, *said))
    if columns.placed <= POINTS:
        text = f"SELECT {x}, {quoted(y)}{shade}\nFROM {SOURCE}\nWHERE {columns.there}\nORDER BY {x}{shade}"
        return Reduced(text, columns.x, y, columns.color, columns.left_out)
    return _shape(columns, y, budget // 4)


def _shape(columns: Columns, y: str, stretches: int) -> Reduced:
    """The four points of Jugel et al., "M4" (VLDB 2014): a line through them covers the same pixels."""
    x, height, shade = quoted(columns.x), quoted(y), columns.shade
    number = as_number(columns.x, columns.kind)
    size = (columns.high - columns.low) / stretches or 1.0
    place = f"least(floor(({number} - {columns.low!r}) / {size!r}), {stretches - 1})"
    text = (
        f"WITH points AS (\n"
        f"  SELECT unnest([min({x}), arg_min({x}, {height}), arg_max({x}, {height}), max({x})]) AS {x},\n"
        f"    unnest([arg_min({height}, {x}), min({height}), max({height}), arg_max({height}, {x})]) AS {height}{shade}\n"
        f"  FROM {SOURCE}\n  WHERE {columns.there}\n  GROUP BY {place}{shade}\n)\n"
        f"SELECT {x}, any_value({height}) AS {height}{shade} FROM points\nGROUP BY {x}{shade} ORDER BY {x}{shade}"
    )
    said = (
        f"{columns.placed:,} rows as the first, least, greatest and last of each of {stretches:,} stretches "
        f"of {columns.x}"
    )
    return Reduced(text, columns.x, y, columns.color, (*columns.left_out, said))


def bar_rows(columns: Columns) -> Reduced:
    """A bar for each value of x, the longest first for names; at most 40."""
    x, shade = quoted(columns.x), columns.shade
    value, name = columns.measure
    if columns.single and columns.y is not None:
        value, name = f"any_value({quoted(columns.y)})", columns.y
    notes = columns.left_out
    if columns.role != "name":
        at = x
        if columns.distinct > BARS:
            at, step = grouped(columns.x, columns.kind, columns.low, columns.high, BARS)
            value, name = columns.measure
            notes = (*notes, f"{columns.x} in steps of {step}")
        body = f"SELECT {at} AS {x}, {value} AS {quoted(name)}{shade}\nFROM {SOURCE}\nWHERE {columns.there}\n"
        return Reduced(f"{body}GROUP BY ALL ORDER BY {x}{shade}", columns.x, name, columns.color, notes)
    rank = value if columns.color is None else "count(*)"
    where = columns.there
    if columns.distinct > BARS:
        notes = (*notes, f"the first {BARS} of {columns.distinct:,} values of {columns.x}")
        where += (
            f"\n  AND {x} IN (SELECT {x} FROM {SOURCE} WHERE {columns.there}\n"
            f"    GROUP BY {x} ORDER BY {rank} DESC NULLS LAST, {x} LIMIT {BARS})"
        )
    text = f"SELECT {x}, {value} AS {quoted(name)}{shade}\nFROM {SOURCE}\nWHERE {where}\nGROUP BY ALL"
    if columns.color is None:
        text += f"\nORDER BY {quoted(name)} DESC NULLS LAST, {x}"
    else:
        longest = f"sum({quoted(name)}) OVER (PARTITION BY {x})"
        text = f"FROM (\n{text}\n)\nORDER BY {longest} DESC NULLS LAST, {x}{shade}"
    return Reduced(text, columns.x, name, columns.color, notes)


def point_rows(ask: Ask, schema: pa.Schema, rows: int, x: str, y: str, color: str | None) -> Reduced:
    """Every row as a point, or 2,000 of them drawn by lot, always the same ones."""
    for name, axis in ((x, "x"), (y, "y")):
        role(schema, name, ("number", "time") if axis == "x" else ("number",), axis)
    if color is not None:
        role(schema, color, ("number", "time", "name"), "color")
    there = placed(schema, x, y)
    found = ask(f"SELECT count(*) AS n FROM {SOURCE} WHERE {there}").to_pylist()[0]["n"]
    gone = rows - found
    notes = (f"{gone:,} row{'' if gone == 1 else 's'} without {x} or {y} left out",) if gone else ()
    shade = f", {quoted(color)}" if color else ""
    chosen = f"SELECT {quoted(x)}, {quoted(y)}{shade}\nFROM {SOURCE}\nWHERE {there}"
    if found <= POINTS:
        return Reduced(chosen, x, y, color, notes)
    lot = f"FROM ({chosen})\nUSING SAMPLE reservoir({POINTS} ROWS) REPEATABLE (7)"
    said = f"{POINTS:,} of {found:,} rows, drawn by lot"
    return Reduced(lot, x, y, color, (*notes, said))
