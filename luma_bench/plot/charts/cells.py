"""Heatmaps of a result: one text that gives a row for each cell, those without rows too, in the order of the axes."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.plot.charts.columns import SOURCE, Ask, as_number, role, whole
from luma_bench.plot.charts.queries import BARS, Reduced, placed
from luma_bench.plot.charts.steps import grouped, step_of
from luma_bench.plot.picture import PlotError
from luma_bench.types.sql_text import quoted


def cell_rows(ask: Ask, schema: pa.Schema, rows: int, x: str, y: str, value: str | None) -> Reduced:
    """Rows counted, or a column's mean, for each pair of values of two columns; at most 40 by 40.

    Numbers and times of more values are cut to round steps; of names, those with the most rows are taken.

    Raises
    ------
    PlotError
        A column has no place on its axis, or both axes are one column.
    SchemaError
        There is no such column.
    """
    if x == y:
        raise PlotError(f"Both axes of the heatmap are {x!r}.", hint="Name two columns, or draw kind='hist'.")
    if value is not None:
        role(schema, value, ("number",), "color")
    there = placed(schema, x, y)
    sides = [_side(ask, schema, name, axis, there) for name, axis in ((x, "x"), (y, "y"))]
    kept = "".join(f"\n    AND {side.kept}" for side in sides if side.kept)
    measure = "count(*)" if value is None else f"avg({quoted(value)})"
    name = "rows" if value is None else f"mean {value}"
    while name in (x, y):
        name += "_"
    across, up = quoted(x), quoted(y)
    down = "" if role(schema, y, ("number", "time", "name"), "y") == "name" else " DESC"
    text = (
        f"WITH cells AS (\n  SELECT {sides[0].at} AS {across}, {sides[1].at} AS {up}, {measure} AS {quoted(name)}\n"
        f"  FROM {SOURCE}\n  WHERE {there}{kept}\n  GROUP BY ALL\n)\n"
        f"SELECT a.{across}, b.{up}, cells.{quoted(name)}\n"
        f"FROM ({sides[0].values}) AS a CROSS JOIN ({sides[1].values}) AS b\n"
        f"LEFT JOIN cells ON cells.{across} = a.{across} AND cells.{up} = b.{up}\n"
        f"ORDER BY b.{up}{down}, a.{across}"
    )
    found = ask(f"SELECT count(*) AS n FROM {SOURCE} WHERE {there}").to_pylist()[0]["n"]
    gone = rows - found
    notes = (f"{gone:,} row{'' if gone == 1 else 's'} without {x} or {y} left out",) if gone else ()
    return Reduced(text, x, y, name, (*notes, *(side.said for side in sides if side.said)))


class _Side:
    """One axis: how a row's place is computed, which values it has, and which rows are kept."""

    def __init__(self, at: str, values: str, kept: str = "", said: str = "") -> None:
        self.at, self.values, self.kept, self.said = at, values, kept, said


def _side(ask: Ask, schema: pa.Schema, name: str, axis: str, there: str) -> _Side:
    kind, column = schema.field(name).type, quoted(name)
    found = role(schema, name, ("number", "time", "name"), axis)
    number = "0.0" if found == "name" else as_number(name, kind)
    row = ask(
        f"SELECT approx_count_distinct({column}) AS d, min({number}) AS low, max({number}) AS high FROM {SOURCE} WHERE {there}"
    ).to_pylist()[0]
    values = f"SELECT DISTINCT {column} FROM cells"
    if row["d"] <= BARS:
        return _Side(column, values)
    if found == "name":
        most = f"SELECT {column} FROM {SOURCE} WHERE {there} GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT {BARS}"
        said = f"the {BARS} values of {name} with the most rows, of about {row['d']:,}"
        return _Side(column, values, f"{column} IN ({most})", said)
    at, step = grouped(name, kind, row["low"], row["high"], BARS)
    said = f"{name} in steps of {step}"
    if found == "time":
        return _Side(at, values, said=said)
    # Steps without rows have their place, too: an axis of numbers has no holes.
    size = step_of(row["low"], row["high"], BARS, is_whole=whole(kind))
    first, last = (f"CAST(floor({bound!r} / {size!r}) AS BIGINT)" for bound in (row["low"], row["high"]))
    made = f"i * {size!r}"
    made = f"CAST({made} AS BIGINT)" if whole(kind) else made
    return _Side(at, f"SELECT {made} AS {column} FROM range({first}, {last} + 1) AS steps(i)", said=said)
