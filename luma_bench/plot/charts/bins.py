"""Histograms of a result: rows counted in bins by the engine, in the same bins as `luma_bench.plot` makes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.plot.charts.columns import SOURCE, Ask, as_number, known, role, whole
from luma_bench.plot.picture import LARGEST, Axis, Picture, PlotError, Series, left_out
from luma_bench.plot.rows import bin_edges, text_of
from luma_bench.plot.theme import PALETTE
from luma_bench.types.sql_text import quoted


def histogram(ask: Ask, schema: pa.Schema, rows: int, x: str, y: str | None, color: str | None) -> Picture:
    """The counts of 40 bins, a colour for each value of `color`.

    Raises
    ------
    PlotError
        x is no number or time, y is given, or there are more colours than can be told apart.
    SchemaError
        There is no such column.
    """
    if y is not None:
        raise PlotError(
            "A hist counts rows and takes no y.", hint="Use kind='bar' for values that are counted already."
        )
    found = role(schema, x, ("number", "time"), "x of a hist")
    if color is not None:
        role(schema, color, ("number", "time", "name"), "color")
    kind = schema.field(x).type
    there, number = known(x, kind), as_number(x, kind)
    reach = ask(
        f"SELECT count(*) AS n, min({number}) AS low, max({number}) AS high FROM {SOURCE} WHERE {there}"
    )
    row = reach.to_pylist()[0]
    low, high = row["low"] or 0.0, row["high"] or 0.0
    if max(abs(low), abs(high)) > LARGEST:
        raise PlotError(
            f"{x!r} holds numbers beyond {LARGEST:g}.", hint="Filter them out, or take the logarithm."
        )
    edges = bin_edges(np.array([low, high] if row["n"] else []), whole=whole(kind))
    count, size = len(edges) - 1, float(edges[1] - edges[0])
    shade = f", {quoted(color)} AS g" if color else ""
    ends = "[" + ", ".join(repr(float(edge)) for edge in edges) + "]"
    # What division says is off by one where a value stands on an edge: there the edges themselves decide.
    bins = ask(
        f"WITH near AS (\n  SELECT {number} AS v, {ends} AS e{shade},\n"
        f"    CAST(least(greatest(floor(({number} - {float(edges[0])!r}) / {size!r}), 0), {count - 1}) AS INTEGER) AS b\n"
        f"  FROM {SOURCE} WHERE {there}\n)\n"
        f"SELECT b + CASE WHEN v < e[b + 1] THEN -1 WHEN v >= e[b + 2] AND b < {count - 1} THEN 1 ELSE 0 END AS b, "
        f"count(*) AS n{', g' if color else ''} FROM near GROUP BY ALL ORDER BY ALL"
    )
    zone = getattr(kind, "tz", None)
    axis = Axis(x, "time", zone=zone) if found == "time" else Axis(x, "number", whole=whole(kind))
    notes = left_out(rows - row["n"], x) if rows else ("no rows",)
    return Picture(
        "hist",
        "",
        axis,
        Axis("rows", "number"),
        _series(bins, edges, color),
        edges=edges,
        notes=notes,
        stacked=True,
    )


def _series(bins: pa.Table, edges: np.ndarray, color: str | None) -> tuple[Series, ...]:
    places, counts = (bins.column(name).to_numpy() for name in ("b", "n"))
    values = bins.column("g").to_pylist() if color else [None] * bins.num_rows
    names = (
        list(dict.fromkeys("NULL" if value is None else text_of(value) for value in values))
        if color
        else [""]
    )
    if len(names) > len(PALETTE):
        raise PlotError(
            f"{color!r} has {len(names):,} values, and {len(PALETTE)} colours can be told apart.",
            hint="Filter to the ones that matter, or draw a heatmap with it as y.",
        )
    middle = (edges[:-1] + edges[1:]) / 2
    made: list[Series] = []
    for name in names:
        held = np.zeros(len(middle))
        for place, count, value in zip(places, counts, values, strict=True):
            if not color or ("NULL" if value is None else text_of(value)) == name:
                held[place] += count
        made.append(Series(name, middle, held))
    return tuple(made)
