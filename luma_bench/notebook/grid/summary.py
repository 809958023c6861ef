"""What a column of a view holds, in a few figures and one histogram, all of it found by the engine."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.bench.cells import column_cells
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.rows import ROWS, ask, name_of
from luma_bench.types.sql_text import quoted

BINS = 24
"""Bars of a histogram."""
EXACT = 200_000
"""Rows up to which distinct values are counted; beyond, they are estimates that cost a fraction."""
ORDERED = 50_000_000
"""Rows up to which quantiles are exact; beyond, the copy of the column that they take is too large for what they tell."""
TOP = 12
"""Values of a list of the most frequent ones."""
LONGEST = 80
"""Characters of a value in it."""
_QUANTILES = (0.25, 0.5, 0.75)
_NUMBERS = frozenset({"int", "float", "decimal"})
_TIMES = frozenset({"date", "time", "timestamp"})
_UNORDERED = frozenset({"list", "struct", "map", "vector", "other", "json", "binary"})
"""Kinds whose least and greatest value say nothing."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """A column's figures, as the engine gives them: one row."""

    row: pa.Table
    column: GridColumn

    def text(self, name: str) -> str | None:
        """A figure, ready to be shown; None where there is none."""
        (cell,) = column_cells(_zoned(self.row.column(name), self.column), LONGEST)
        return None if cell.null else cell.text

    def number(self, name: str) -> float | None:
        """A figure to count with."""
        value = self.row.column(name)[0].as_py()
        return None if value is None else float(value)


def summarize(engine: DuckEngine, rows: pa.Table, column: GridColumn) -> dict[str, Any]:
    """The summary of a column over rows that are all of a view's.

    Parameters
    ----------
    rows
        The `relation` of the view's rows and this column.
    """
    started = time.perf_counter()
    exact = rows.num_rows <= EXACT
    measured = _Measured(ask(engine, _figures(column, rows.num_rows, exact=exact), rows), column)
    total, filled = rows.num_rows, int(measured.number("filled") or 0)
    apart = int(measured.number("apart") or 0)
    told: dict[str, Any] = {
        "rows": total,
        "nulls": total - filled,
        "distinct": {"value": min(apart, filled), "approximate": not exact},
        "min": measured.text("least"),
        "max": measured.text("most"),
    }
    bars = None
    if column.kind in _NUMBERS:
        told |= {"mean": measured.text("average"), "std": measured.text("spread")}
    if column.kind in _NUMBERS | _TIMES:
        told["quantiles_approximate"] = not _has_exact_quantiles(column, total)
        told["quantiles"] = {str(part): measured.text(f"q{place}") for place, part in enumerate(_QUANTILES)}
        bars = _histogram(engine, rows, column, measured)
    told |= {"top": _top(engine, rows, column)} if bars is None else {"histogram": bars}
    return {**told, "took": time.perf_counter() - started}


def _figures(column: GridColumn, rows: int, *, exact: bool) -> str:
    name = quoted(name_of(column))
    apart = f"count(DISTINCT {name})" if exact else f"approx_count_distinct({name})"
    parts = [f"count({name}) AS filled", f"{apart} AS apart"]
    if column.kind in _UNORDERED:
        parts += ["NULL::VARCHAR AS least", "NULL::VARCHAR AS most"]
    else:
        parts += [f"min({name}) AS least", f"max({name}) AS most"]
    if column.kind in _NUMBERS | _TIMES:
        finite = f" FILTER (isfinite({_number(column)}))"
        parts += [f"min({name}){finite} AS first", f"max({name}){finite} AS last"]
        parts += [f"min({_number(column)}){finite} AS low", f"max({_number(column)}){finite} AS high"]
        asked = "quantile_disc" if _has_exact_quantiles(column, rows) else "approx_quantile"
        parts += [
            f"{asked}({name}, {list(_QUANTILES)})[{place + 1}] AS q{place}"
            for place in range(len(_QUANTILES))
        ]
        if column.kind in _NUMBERS:
            number = _number(column)
            parts += [f"avg({number}){finite} AS average", f"stddev_samp({number}){finite} AS spread"]
    return f"SELECT {', '.join(parts)} FROM {ROWS}"


def _has_exact_quantiles(column: GridColumn, rows: int) -> bool:
    # Nothing estimates them for times of day.
    return rows <= ORDERED or column.kind == "time"


def _number(column: GridColumn) -> str:
    """The column as a number to make bars of: seconds for times."""
    name = quoted(name_of(column))
    if column.kind in _NUMBERS:
        return f"CAST({name} AS DOUBLE)"
    # There is no epoch of a nanosecond with a zone.
    return f"epoch(CAST({name} AS TIMESTAMPTZ))" if column.zone is not None else f"epoch({name})"


def _zoned(values: pa.ChunkedArray, column: GridColumn) -> pa.ChunkedArray:
    """Times of a zoned column in its own zone: the engine gives them in the session's."""
    if column.zone is None or not pa.types.is_timestamp(values.type) or values.type.tz is None:
        return values
    return values.cast(pa.timestamp(values.type.unit, column.zone))


def _histogram(
    engine: DuckEngine, rows: pa.Table, column: GridColumn, measured: _Measured
) -> dict[str, Any] | None:
    """Bars of equal width between the least and the greatest finite value; whole numbers get bars of whole numbers."""
    low, high = measured.number("low"), measured.number("high")
    if low is None or high is None or not math.isfinite(high - low):
        return None
    whole = column.kind == "int" or column.kind == "date"
    width, low, count = _bars(low, high, 86_400.0 if column.kind == "date" else 1.0 if whole else 0.0)
    number = _number(column)
    bar = f"least(greatest(floor(({number} - $low) / $width), 0), $last)::INTEGER"
    text = (
        f"SELECT {bar} AS bar, count(*) AS n FROM {ROWS} "
        f"WHERE {quoted(name_of(column))} IS NOT NULL AND isfinite({number}) GROUP BY 1"
    )
    found = ask(engine, text, rows, {"low": low, "width": width, "last": count - 1})
    counts = [0] * count
    for place, held in zip(found.column(0).to_pylist(), found.column(1).to_pylist(), strict=True):
        counts[place] = held
    edges = [low + width * place for place in range(count + 1)]
    return {
        "edges": edges,
        "labels": [measured.text("first"), measured.text("last")],
        "counts": counts,
    }


def _bars(low: float, high: float, unit: float) -> tuple[float, float, int]:
    """The width of a bar, where the first begins, and how many there are."""
    if high == low:
        return (unit or max(abs(low), 1.0) * 1e-9), low, 1
    if unit:
        units = round((high - low) / unit) + 1
        width = math.ceil(units / BINS)
        return width * unit, low, math.ceil(units / width)
    return (high - low) / BINS, low, BINS


def _top(engine: DuckEngine, rows: pa.Table, column: GridColumn) -> list[dict[str, Any]]:
    """The most frequent values, NULL among them."""
    name = quoted(name_of(column))
    text = f"SELECT {name} AS value, count(*) AS n FROM {ROWS} GROUP BY 1 ORDER BY n DESC, 1 LIMIT {TOP}"
    found = ask(engine, text, rows)
    cells = column_cells(_zoned(found.column(0), column), LONGEST)
    return [
        {"value": None if cell.null else cell.text, "count": held}
        for cell, held in zip(cells, found.column(1).to_pylist(), strict=True)
    ]
