"""Bounds and counts of a table's columns as text: from its statistics, reading no more than the few chunks these leave open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from luma_bench.bench.cells import column_cells
from luma_bench.storage.scan import TableScan
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import Column, TableSchema
from luma_bench.types.sql_text import quoted
from luma_bench.types.statistics import ScanStatistics, Wanted

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

MOST_COLUMNS: Final = 300
"""Columns of a wide table whose bounds are looked up at a time."""
_WIDE: Final = 100
Bounds = tuple[int, str | None, str | None]
"""How many values are NULL, and the least and greatest as text."""


def summaries(
    bench: Bench, pinned: ResolvedSnapshot, table: TableSchema, names: Sequence[str] | None = None
) -> dict[str, Bounds]:
    """Bounds of columns by name, of all that the statistics nearly know; the identity must be allowed to see all rows.

    Parameters
    ----------
    names
        The columns; None for all, up to `MOST_COLUMNS`.
    """
    scan = bench._machinery.statements.runner.binder.access.scan(pinned, table.name, bench.identity)
    statistics = scan.statistics if isinstance(scan, TableScan) else None
    if statistics is None:
        return {}
    columns = table.columns[:MOST_COLUMNS] if names is None else list(map(table.column, names))
    rows = scan.rows()
    wanted = [item for column in columns if (item := _answerable(statistics, column)) is not None]
    # Asked for together, columns are read wherever one of them leaves a chunk open; alone, each has a price of its own.
    groups = [wanted] if len(table.columns) > _WIDE else [[item] for item in wanted]
    found: dict[str, Bounds] = {}
    for group in groups:
        summary = statistics.summarize(group, (), ScanCounters(), rows=False) if group else None
        for name, told in {} if summary is None else summary.columns.items():
            found[name] = (rows - (told.valid or 0), _text(told.low), _text(told.high))
    return found


def _wanted(column: Column) -> Wanted:
    ordered = _ordered(column)
    return Wanted(column.name, valid=True, low=ordered, high=ordered)


def _answerable(statistics: ScanStatistics, column: Column) -> Wanted | None:
    """What the statistics nearly know of a column."""
    for item in (_wanted(column), Wanted(column.name, valid=True)):
        if statistics.can_summarize([item], (), rows=False):
            return item
    return None


def _ordered(column: Column) -> bool:
    """Whether the least and greatest of the stored form are those of the values."""
    kind = column.type
    if column.sql_type is not None:
        return False
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    nested = pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType)
    return not (nested or pa.types.is_interval(kind) or pa.types.is_binary(kind) or pa.types.is_null(kind))


def _text(value: pa.Scalar | None) -> str | None:
    if value is None or not value.is_valid:
        return None
    return column_cells(pa.chunked_array([pa.array([value.as_py()], value.type)]))[0].text


def distincts(bench: Bench, table: str, names: Sequence[str]) -> dict[str, int]:
    """About how many distinct values columns have, as the identity sees them; it reads the table."""
    counted = ", ".join(f"approx_count_distinct({quoted(name)}) AS {quoted(name)}" for name in names)
    schema, dot, rest = table.partition(".")
    shown = f"{quoted(schema)}.{quoted(rest)}" if dot else quoted(table)
    row = bench.kadeql(f"SELECT {counted} FROM {shown}").to_arrow().to_pylist()[0]
    return {name: int(row[name]) for name in names}
