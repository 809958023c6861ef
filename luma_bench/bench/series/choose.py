"""Which plan a grouped construct runs by: what the kernel lacks of it, else what the two plans are expected to cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.constants import length
from luma_bench.bench.series.filling import Part
from luma_bench.bench.series.grouped_kernels import Kernel, kernels
from luma_bench.bench.series.grouped_types import Shape
from luma_bench.bench.series.keys import is_key
from luma_bench.bench.series.rows import InputRows
from luma_bench.language.series.pattern import END, START, TIME, Grouped
from luma_bench.models.control import Control
from luma_bench.plan.series.choice import Plan, choose
from luma_bench.plan.series.cost import Work
from luma_bench.types.schema import SQL_TYPE

_PARTS: Mapping[str, Part] = {START: "window_start", END: "window_end", TIME: "window_time"}
_WINDOWS = 4.0
_LOOKED_AT = 500_000
_DAY = 86_400_000_000_000
_MONTH = 30 * _DAY
_ORDERED = (b"UUID", b"JSON", b"HUGEINT", b"UHUGEINT")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The plan of a construct, and what it needs.

    Attributes
    ----------
    places
        What each key column holds: a part of the window, or the number of a key of series.
    keys
        The input's column of each key of series; None for one that is an expression.
    kernels
        The aggregates, where the kernel has them all.
    series
        The columns that rows are best read by.
    """

    plan: Plan
    places: Mapping[str, Part | int]
    keys: tuple[str | None, ...]
    kernels: tuple[Kernel, ...]
    series: tuple[str, ...]


def chosen(
    island: Grouped,
    shape: Shape,
    rows: InputRows,
    time: str,
    asked: Asked,
    insisted: Literal["auto", "runs", "sql"],
    *,
    finer: bool = False,
) -> Chosen:
    """Choose the plan of a construct.

    Parameters
    ----------
    finer
        Whether its windows are finer than the units of the time column.

    Raises
    ------
    UnsupportedError
        Sorted runs are insisted on and cannot answer.
    """
    schema = rows.schema
    names = {name.casefold(): name for name in schema.names}
    places: dict[str, Part | int] = {}
    keys: list[str | None] = []
    lacks: str | None = None
    for key, field in zip(island.keys, shape.keys, strict=True):
        part = None if key.name is None else _PARTS.get(key.name.name.casefold())
        if part is not None:
            places[key.column] = part
            continue
        own = None if key.name is None else names.get(key.name.name.casefold())
        places[key.column] = len(keys)
        keys.append(own)
        if own is None:
            lacks = lacks or f"{' '.join(key.sql.split())[:60]} is no column"
        elif not _tells(schema.field(own), field):
            lacks = lacks or f"{own} is of a type that tells no series"
    plain = tuple(name for name in keys if name is not None)
    if finer:
        lacks = lacks or f"windows are finer than the days of {time}"
    lacks = lacks or _windowed(island, set(places.values()), plain, names)
    found = kernels(island.aggregates, shape.aggregates, schema, time, asked)
    if isinstance(found, str):
        lacks, found = lacks or found, []
    if lacks is None and not island.sampled:
        lacks = next(
            (f"{kernel.spec.function}(x) goes by the order of rows" for kernel in found if _stored(kernel)),
            None,
        )
    series = _series(rows, plain, found)
    hop = island.windows.kind in ("hop", "cumulate")
    work = Work(
        rows.estimate(),
        1.0 if lacks is not None else _sorted_share(rows, series, time),
        len(found),
        _WINDOWS if hop else 1.0,
        island.windows.kind == "session",
        sum(kernel.ordered for kernel in found),
        0 if lacks is not None or series == plain else _folded(island, rows, series, time, asked),
    )
    return Chosen(choose(lacks, work, insisted), places, tuple(keys), tuple(found), series)


def _windowed(
    island: Grouped, parts: set[Part | int], keys: tuple[str, ...], names: Mapping[str, str]
) -> str | None:
    """What of the keys is no window each; None where groups are one a series and window."""
    windows = island.windows
    if windows.kind == "cumulate":
        return None if {"window_end", "window_time"} & parts else "the groups are of several windows each"
    if not any(isinstance(part, str) for part in parts):
        return "the groups are of several windows each"
    if windows.kind == "session":
        own = {names.get(key.name.casefold(), key.name) for key in windows.keys}
        if own != set(keys):
            return "the groups are not by the keys of the sessions"
        if "window_start" not in parts:
            return None
    return None


def _stored(kernel: Kernel) -> bool:
    return kernel.spec.function in ("first", "last") or kernel.spec.function == "any_value"


def _series(rows: InputRows, keys: tuple[str, ...], found: list[Kernel]) -> tuple[str, ...]:
    """The table's own series where groups are made of whole ones, so that rows need no sorting; else the keys."""
    settings = rows.settings
    if settings is None or not settings.series_key or any(kernel.ordered for kernel in found):
        return keys
    return settings.series_key if set(keys) <= set(settings.series_key) else keys


def _sorted_share(rows: InputRows, series: tuple[str, ...], time: str) -> float:
    """How much of the rows lies in sorted runs; of keys that nobody sorted by, the first stretch tells."""
    settings = rows.settings
    if settings is not None and (settings.series_key, settings.time_column) == (series, time):
        return 1.0  # each segment is laid out so
    known = rows.sorted_share(series, time)
    if known or settings is None or not settings.time_column or rows.estimate() < _LOOKED_AT:
        return known
    parts = rows.parts((), series, time, Control(), filtered=False)
    first = next(parts, None)
    return 1.0 if first is not None and first.runs.order is None else 0.0


def _folded(island: Grouped, rows: InputRows, series: tuple[str, ...], time: str, asked: Asked) -> int:
    """The groups of the runs of single series, by their first and last times; 0 where that is not known or not many."""
    if rows.estimate() < _LOOKED_AT or island.windows.kind != "tumble":
        return 0
    control = Control()
    ends = rows.run_ends(series, time, control) or rows.run_ends(series, time, control, filtered=False)
    size = length(island.windows.sizes[0], asked)
    width = max(1, (size.months * _MONTH + size.days * _DAY + size.nanos) // rows.unit(time))
    return sum(int(((part.last - part.first) // width + 1).sum()) for part in ends or ())


def _tells(own: pa.Field, field: pa.Field) -> bool:
    """Whether a column tells series by its stored form, in the order that SQL has."""
    kind = _marked(own)
    ordered = kind is None or kind in _ORDERED or kind.startswith(b"ENUM(")
    return ordered and kind == _marked(field) and is_key(own.type)


def _marked(field: pa.Field) -> bytes | None:
    return (field.metadata or {}).get(SQL_TYPE)
