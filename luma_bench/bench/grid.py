"""The visible part of a table: its first rows, its first and last columns, as cells ready to print."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from luma_bench.bench.cells import LONG_TEXT, Cell, column_cells, cut, right_aligned, type_text, visible

MOST_COLUMNS = 20
"""Columns shown before the middle ones are left out."""


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One visible column: its name, type and cells of the shown rows."""

    name: str
    type: str
    right: bool
    cells: tuple[Cell, ...]

    @property
    def shown_name(self) -> str:
        """The name with control characters as escapes."""
        return visible(self.name)


@dataclass(frozen=True, slots=True)
class Grid:
    """The visible part of a table; `gap` is the position where `hidden` columns were left out, None when none were."""

    columns: tuple[GridColumn, ...]
    rows: int
    total_rows: int
    total_columns: int
    gap: int | None = None

    @property
    def hidden(self) -> int:
        """Columns that are not shown."""
        return self.total_columns - len(self.columns)

    @property
    def size(self) -> str:
        """The table's size in words, rows first."""
        return f"{count_text(self.total_rows, 'row')} × {count_text(self.total_columns, 'column')}"  # noqa: RUF001

    def narrowed(self, columns: int) -> Grid:
        """The same grid with at most `columns` columns, the middle ones left out."""
        if columns >= len(self.columns):
            return self
        first = (columns + 1) // 2
        kept = (*self.columns[:first], *self.columns[len(self.columns) - (columns - first) :])
        return Grid(kept, self.rows, self.total_rows, self.total_columns, first)


def make_grid(
    table: pa.Table,
    limit: int | None = 10,
    most_columns: int | None = MOST_COLUMNS,
    long_text: int | None = LONG_TEXT,
) -> Grid:
    """The visible part of `table`.

    Parameters
    ----------
    table
        Any Arrow table; only the shown cells are read.
    limit
        Rows to show; None for all.
    most_columns
        Columns to show; None for all.
    long_text
        Characters before a value is cut; None for whole values.
    """
    rows = table.num_rows if limit is None else min(limit, table.num_rows)
    total = table.num_columns
    gap = None
    chosen = list(range(total))
    if most_columns is not None and total > most_columns:
        gap = (most_columns + 1) // 2
        chosen = [*range(gap), *range(total - (most_columns - gap), total)]
    columns: list[GridColumn] = []
    for index in chosen:
        field = table.schema.field(index)
        cells = tuple(column_cells(table.column(index).slice(0, rows), long_text))
        columns.append(
            GridColumn(cut(field.name, LONG_TEXT), type_text(field.type), right_aligned(field.type), cells)
        )
    return Grid(tuple(columns), rows, table.num_rows, total, gap)


def count_text(count: int, noun: str) -> str:
    """`1 row`, `336,776 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
