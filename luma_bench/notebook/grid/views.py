"""Views of a result: which of its rows, in which order. The engine compares, sorts and searches; a view keeps positions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import CancelledError, SchemaError
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.compare import Comparison, one_value
from luma_bench.notebook.grid.pages import Rows
from luma_bench.notebook.grid.requests import Filter, Sort, View
from luma_bench.notebook.grid.rows import PLACE, ROWS, ask, name_of, relation, text_of
from luma_bench.notebook.grid.search import found_in, searched
from luma_bench.types.sql_text import quoted

LARGE = 1_000_000
"""Rows from which the head of an order is found before the rest."""
HEAD = 2_000
"""Rows of such a head."""


class RowView:
    """A view: which rows of a result, in which order. Thread-safe.

    Of a large result the head of an order is there at once, since finding the first few is a fraction of sorting all;
    the rest is sorted when somebody asks for it, or ahead of that by `complete`.

    Parameters
    ----------
    asked
        What it was made by.
    count
        Its rows.
    head
        Positions in the result of its first rows; None for the result as it came.
    rest
        Finds all positions; None where the head is all.
    """

    def __init__(
        self, asked: View, count: int, head: Rows | None = None, rest: Callable[[], Rows] | None = None
    ) -> None:
        self.asked = asked
        self.count = count
        self._known = head
        self._rest = rest
        self._lock = threading.Lock()
        self._turn = 0

    @property
    def is_whole(self) -> bool:
        """Whether it is the result as it came."""
        return self._known is None

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves rows out."""
        return bool(self.asked.filter or self.asked.search)

    @property
    def is_complete(self) -> bool:
        """Whether all of its positions are known."""
        return self._known is None or len(self._known) >= self.count

    def rows(self, start: int, stop: int) -> Rows | None:
        """Positions in the result of the view's rows `start` to `stop`; None where they are the same."""
        known = self._known
        if known is None:
            return None
        if min(stop, self.count) > len(known):
            known = self.complete()
        return known[start:stop]

    def abandon(self) -> None:
        """Nobody who waits for all positions by now needs them any more."""
        self._turn += 1

    @property
    def head(self) -> int:
        """How many of its first rows can be had at once."""
        return self.count if self._known is None else len(self._known)

    def complete(self) -> Rows:
        """All positions; who comes second waits for the first.

        Raises
        ------
        CancelledError
            It was stopped, or abandoned meanwhile; the next call begins anew.
        """
        turn = self._turn
        with self._lock:
            assert self._known is not None
            if not self.is_complete and self._rest is not None:
                if turn != self._turn:
                    raise CancelledError.query(0.0)
                self._known = self._rest()
                self._rest = None
            return self._known


@dataclass(slots=True)
class Written:
    """The clauses of a view in SQL, over columns spelled by `name`, and the values of their parameters."""

    where: list[str] = field(default_factory=list[str])
    order: list[str] = field(default_factory=list[str])
    params: dict[str, object] = field(default_factory=dict[str, object])
    used: dict[int, GridColumn] = field(default_factory=dict[int, GridColumn])

    @property
    def text(self) -> str:
        """WHERE and ORDER BY, each where there is something to say."""
        where = f" WHERE {' AND '.join(self.where)}" if self.where else ""
        return where + (f" ORDER BY {', '.join(self.order)}" if self.order else "")


def make_view(engine: DuckEngine, table: pa.Table, columns: Sequence[GridColumn], asked: View) -> RowView:
    """Find the rows of a view.

    Raises
    ------
    SchemaError
        There is no such column.
    LumaError
        A value is none of the column's type, or the engine cannot compare the column.
    """
    if not (asked.sort or asked.filter or asked.search):
        return RowView(asked, table.num_rows)
    written = write(asked, columns)
    if asked.sort:
        # Rows that are equal stay in the result's order, so that pages of one view never overlap.
        written.order.append(PLACE)
    text = f"SELECT {PLACE} FROM {ROWS}{written.text}"
    rows = relation(table, list(written.used.values()), places=True)

    def found(limit: str = "") -> Rows:
        return ask(engine, text + limit, rows, written.params).column(0).to_numpy()

    if table.num_rows >= LARGE and not (asked.filter or asked.search):
        return RowView(asked, table.num_rows, found(f" LIMIT {HEAD}"), found)
    known = found()
    return RowView(asked, len(known), known)


def write(asked: View, columns: Sequence[GridColumn]) -> Written:
    """The clauses of a view over `rows`."""
    written = Written()
    for item in asked.filter:
        column = _use(written, columns, item.column)
        written.where.append(_condition(item, column, written.params))
    if asked.search:
        chosen = searched(columns, asked.search)
        if chosen:
            written.params["search"] = asked.search
        tests = [
            test
            for column in chosen
            for test in found_in(column, asked.search, "search", written.params, asked.decimals)
        ]
        written.where.append(f"({' OR '.join(tests) or 'false'})")
        written.used |= {column.index: column for column in chosen}
    for key in asked.sort:
        column = _use(written, columns, key.column)
        written.order.append(order_text(key, quoted(name_of(column))))
    return written


def order_text(key: Sort, name: str) -> str:
    """One key of an ORDER BY."""
    return f"{name} {'DESC' if key.descending else 'ASC'} NULLS {key.nulls.upper()}"


def _use(written: Written, columns: Sequence[GridColumn], index: int) -> GridColumn:
    column = column_at(columns, index)
    written.used[index] = column
    return column


def column_at(columns: Sequence[GridColumn], index: int) -> GridColumn:
    """The column at a position.

    Raises
    ------
    SchemaError
        There is none.
    """
    if index >= len(columns):
        raise SchemaError(
            f"There is no column {index} in this result, which has {len(columns)}.", hint="Reload the page."
        )
    return columns[index]


def _condition(item: Filter, column: GridColumn, params: dict[str, object]) -> str:
    name = quoted(name_of(column))
    match item.op:
        case "null":
            return f"{name} IS NULL"
        case "not null":
            return f"{name} IS NOT NULL"
        case "contains":
            sought = str(one_value(item))
            name = f"p{len(params)}"
            params[name] = sought
            return f"({' OR '.join(found_in(column, sought, name, params))})"
        case "starts":
            name = f"p{len(params)}"
            params[name] = str(one_value(item))
            return f"starts_with(lower({text_of(column)}), lower(${name}))"
        case _:
            return Comparison(column, params).text(item)
