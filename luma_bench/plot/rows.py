"""What a picture is made of: columns of an Arrow table as axes and series, checked and counted once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pyarrow as pa

from luma_bench.errors import SchemaError
from luma_bench.plot.picture import LARGEST, MARKS, Axis, Kind, Picture, PlotError, Series, left_out
from luma_bench.plot.theme import PALETTE
from luma_bench.plot.ticks import labels, widened

BINS = 40
"""Bins of a histogram, and of each side of a counted heatmap."""

KINDS: tuple[str, ...] = ("line", "bar", "barh", "scatter", "hist", "heatmap")
"""The kinds of picture that rows are drawn as."""


@dataclass(frozen=True, slots=True)
class _Values:
    """A column as positions, with its axis."""

    axis: Axis
    at: np.ndarray


def picture(data: Any, *, x: str, y: str | None, color: str | None, kind: str, title: str) -> Picture:
    """Read the columns that a picture needs.

    Raises
    ------
    PlotError
        The kind is unknown, too many marks or colours, a type that has no place on an axis, two rows for one place.
    SchemaError
        There is no such column.
    """
    if kind not in KINDS:
        raise PlotError(f"kind={kind!r} is no kind of picture.", hint=f"The kinds are: {', '.join(KINDS)}.")
    table = _table(data)
    if kind == "hist":
        return _histogram(table, x, y, color, title)
    if y is None:
        raise PlotError(f"A {kind} needs y.", hint=f"Name one of: {', '.join(table.column_names)}.")
    if kind == "heatmap":
        return _heatmap(table, x, y, color, title)
    _few(table.num_rows, kind)
    place = _values(table, x, category=kind in ("bar", "barh"))
    height = _number(table, y)
    groups, names = _groups(table, color)
    known = np.isfinite(place.at)
    missing = ~np.isfinite(height)
    notes = left_out(int((~known).sum()), x)
    if kind != "line":  # a line shows a missing value as a gap
        notes += left_out(int((missing & known).sum()), y)
        known &= ~missing
    series: list[Series] = []
    for number, name in enumerate(names):
        rows = np.flatnonzero(known & (groups == number))
        if kind == "line":
            rows = rows[np.argsort(place.at[rows], kind="stable")]
        if kind != "scatter":
            _single(place.at[rows], x, name, kind)
        series.append(Series(name, place.at[rows], height[rows]))
    if not table.num_rows:
        notes = ("no rows",)
    return Picture(cast("Kind", kind), title, place.axis, Axis(y, "number"), tuple(series), notes=notes)


def _histogram(table: pa.Table, x: str, y: str | None, color: str | None, title: str) -> Picture:
    if y is not None:
        raise PlotError(
            "A hist counts rows and takes no y.", hint="Use kind='bar' for values that are counted already."
        )
    place = _values(table, x)
    if place.axis.scale == "category":
        raise PlotError(
            f"A hist needs numbers or times, and {x!r} is text.",
            hint="Count with GROUP BY, then use kind='bar'.",
        )
    groups, names = _groups(table, color)
    known = np.isfinite(place.at)
    edges = bin_edges(place.at[known], whole=place.axis.whole)
    middle = (edges[:-1] + edges[1:]) / 2
    series = [
        Series(name, middle, np.histogram(place.at[known & (groups == number)], edges)[0].astype(float))
        for number, name in enumerate(names)
    ]
    notes = left_out(int((~known).sum()), x)
    return Picture(
        "hist",
        title,
        place.axis,
        Axis("rows", "number"),
        tuple(series),
        edges=edges,
        notes=notes,
        stacked=True,
    )


def _heatmap(table: pa.Table, x: str, y: str, color: str | None, title: str) -> Picture:
    if color is None:
        return _counted(table, x, y, title)
    across, down = _values(table, x, category=True), _values(table, y, category=True)
    value = _number(table, color)
    shape = (len(down.axis.values), len(across.axis.values))
    _few(shape[0] * shape[1], "heatmap")
    known = np.isfinite(across.at) & np.isfinite(down.at)
    place = down.at[known].astype(int) * shape[1] + across.at[known].astype(int)
    if len(np.unique(place)) < len(place):
        raise _doubled(f"a pair of {x!r} and {y!r}")
    cells = np.full(shape[0] * shape[1], np.nan)
    cells[place] = value[known]
    notes = left_out(int((~known).sum()), f"{x} or {y}")
    return Picture(
        "heatmap", title, across.axis, down.axis, cells=cells.reshape(shape), value=color, notes=notes
    )


def _counted(table: pa.Table, x: str, y: str, title: str) -> Picture:
    """Rows counted on a grid, for any number of them."""
    across, down = _values(table, x), _values(table, y)
    known = np.isfinite(across.at) & np.isfinite(down.at)
    (at_x, axis_x), (at_y, axis_y) = _binned(across, known), _binned(down, known)
    shape = (len(axis_y.values), len(axis_x.values))
    _few(shape[0] * shape[1], "heatmap")
    counts = np.bincount(at_y * shape[1] + at_x, minlength=shape[0] * shape[1]).astype(float)
    counts[counts == 0] = np.nan
    cells = counts.reshape(shape)
    if down.axis.scale != "category":  # the first row is the top one, and numbers grow upwards
        cells, axis_y = cells[::-1], replace(axis_y, values=axis_y.values[::-1])
    notes = left_out(int((~known).sum()), f"{x} or {y}")
    return Picture("heatmap", title, axis_x, axis_y, cells=cells, value="rows", binned=True, notes=notes)


def _binned(values: _Values, known: np.ndarray) -> tuple[np.ndarray, Axis]:
    at = values.at[known]
    if values.axis.scale == "category":
        return at.astype(int), values.axis
    edges = bin_edges(at, whole=values.axis.whole)
    place = np.clip(np.searchsorted(edges, at, "right") - 1, 0, len(edges) - 2)
    starts = edges[:-1] + 0.5 if values.axis.whole else edges[:-1]
    return place, replace(values.axis, scale="category", values=tuple(labels(values.axis, starts)))


def bin_edges(at: np.ndarray, *, whole: bool) -> np.ndarray:
    """Edges of even bins; whole numbers get bins of a whole width, so that none catches more values than another."""
    if not len(at):
        return np.array([0.0, 1.0])
    low, high = float(at.min()), float(at.max())
    if whole:
        width = max(1, int(np.ceil((high - low + 1) / BINS)))
        count = int((high - low) // width) + 1
        return low - 0.5 + width * np.arange(count + 1)
    if low == high:
        return np.array([low - 0.5, high + 0.5]) if abs(low) < 1e12 else np.array(widened(low, high))
    return np.linspace(low, high, BINS + 1)


def _table(data: Any) -> pa.Table:
    """Rows as an Arrow table, from anything that has the Arrow PyCapsule interface, or a dict of columns."""
    if isinstance(data, pa.Table):
        return data
    if hasattr(data, "__arrow_c_stream__") or isinstance(data, dict):
        return pa.table(data)
    if hasattr(data, "to_arrow"):
        return pa.table(data.to_arrow())
    raise PlotError(
        f"A {type(data).__name__} has no rows to draw.",
        hint="Give a result, an Arrow table, a pandas or Polars frame, or a dict of columns.",
    )


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise SchemaError.unknown_column(name, table.column_names, "the rows to draw")
    column = table.column(name)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _number(table: pa.Table, name: str) -> np.ndarray:
    """A numeric column as float64, NaN for NULL; infinities count as missing."""
    column = _column(table, name)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise PlotError(
            f"{name!r} is {kind}, not a number.", hint="Cast it in the query, or count it with GROUP BY."
        )
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
    values = np.where(np.isfinite(values), values, np.nan)
    if len(values) and np.nanmax(np.abs(values), initial=0.0) > LARGEST:
        raise PlotError(
            f"{name!r} holds numbers beyond {LARGEST:g}.", hint="Filter them out, or take the logarithm."
        )
    return values


def _values(table: pa.Table, name: str, *, category: bool = False) -> _Values:
    """A column as places on an axis; `category` gives every value a place of its own, in order of appearance."""
    column = _column(table, name)
    kind = column.type
    if not category and (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        zone = getattr(kind, "tz", None)
        micros = column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
        at = micros.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
        return _Values(Axis(name, "time", zone=zone), at)
    if not category and (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    ):
        return _Values(Axis(name, "number", whole=pa.types.is_integer(kind)), _number(table, name))
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise PlotError(
            f"{name!r} is {kind}, which has no place on an axis.", hint="Take a part of it in the query."
        )
    encoded = column.combine_chunks().dictionary_encode()
    at = encoded.indices.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
    return _Values(
        Axis(name, "category", tuple(text_of(value) for value in encoded.dictionary.to_pylist())), at
    )


def _groups(table: pa.Table, color: str | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """The number of each row's colour, and the colours' names; NULL is a colour of its own."""
    if color is None:
        return np.zeros(table.num_rows, int), ("",)
    column = _column(table, color).combine_chunks()
    texts = pa.array(
        ["NULL" if value is None else text_of(value) for value in column.to_pylist()], pa.string()
    )
    encoded = texts.dictionary_encode()
    names = tuple(encoded.dictionary.to_pylist())
    if len(names) > len(PALETTE):
        raise PlotError(
            f"{color!r} has {len(names):,} values, and {len(PALETTE)} colours can be told apart.",
            hint="Filter to the ones that matter, or use kind='heatmap' with it as y.",
        )
    return encoded.indices.to_numpy(), names


def text_of(value: object) -> str:
    """A category as it is shown."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _few(marks: int, kind: str) -> None:
    if marks > MARKS:
        raise PlotError(
            f"A {kind} of {marks:,} marks would show nothing; {MARKS:,} are drawn at most.",
            hint="Aggregate in the query (GROUP BY, LIMIT, USING SAMPLE), or use kind='hist' or 'heatmap', which count.",
        )


def _single(at: np.ndarray, x: str, name: str, kind: str) -> None:
    if len(np.unique(at)) < len(at):
        where = f"a value of {x!r}" + (f" in {name!r}" if name else "")
        raise _doubled(where, "" if kind != "line" else " or use kind='scatter',")


def _doubled(where: str, other: str = "") -> PlotError:
    return PlotError(
        f"Several rows have {where} in common.",
        hint=f"Aggregate them in the query,{other} or name what tells them apart as color.",
    )
