"""What a bench and a notebook know by name: relations with their columns, graphs with their elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.assist.columns import Col, columns_of, stored_columns
from luma_bench.errors import LumaError
from luma_bench.types.graph import GRAPH, ElementTable, PropertyGraph
from luma_bench.types.schema import TableSchema

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.storage.store import ResolvedSnapshot

Variables = Mapping[str, pa.Schema | None]
"""Notebook variables that are tables, with their schemas where these are known."""


class Known:
    """The names of one moment: a bench's snapshot and a notebook's variables. Nothing here raises.

    Parameters
    ----------
    bench
        None where there is none; a closed one is as none.
    variables
        The notebook's tables; None where they are not known.
    """

    def __init__(self, bench: Bench | None, variables: Variables | None = None) -> None:
        self.bench = bench
        self.variables: Variables = variables or {}
        self.pinned: ResolvedSnapshot | None = None
        if bench is not None:
            try:
                self.pinned = bench._pinned()
            except LumaError:
                # A bench that was closed, or whose snapshot was collected, has no names to offer.
                self.bench = None
        self._held: dict[str, tuple[Col, ...] | None] = {}

    def relations(self) -> Iterator[tuple[str, str]]:
        """Every table, view and notebook table, with its kind."""
        if self.pinned is not None:
            for name in sorted(self.pinned.tables, key=str.casefold):
                yield name, "table"
            for item in self.pinned.objects_of("view"):
                yield item.name, "view"
        for name in sorted(self.variables):
            yield name, "table-variable"

    def schemas(self) -> list[str]:
        """The schemas besides `main`."""
        return [] if self.pinned is None else [item.name for item in self.pinned.objects_of("schema")]

    def table(self, name: str) -> TableSchema | None:
        """The stored table of a name, ignoring case."""
        return None if self.pinned is None else self.pinned.named(_own(name))

    def kind(self, name: str) -> str | None:
        """`table`, `view` or `table-variable`; None for an unknown name."""
        name = _own(name)
        if self.pinned is not None:
            if self.pinned.named(name) is not None:
                return "table"
            if self.pinned.object("view", name) is not None:
                return "view"
        return "table-variable" if name in self.variables else None

    def columns(self, name: str) -> tuple[Col, ...] | None:
        """The columns of a table, view or notebook table; None for an unknown name."""
        folded = _own(name).casefold()
        if folded not in self._held:
            self._held[folded] = self._columns(_own(name))
        return self._held[folded]

    def _columns(self, name: str) -> tuple[Col, ...] | None:
        if self.bench is not None and self.pinned is not None:
            table = self.pinned.named(name)
            if table is not None:
                return self._stored(table, self.bench, self.pinned)
            view = self.pinned.object("view", name)
            if view is not None:
                information = self.bench._machinery.statements.runner.binder.information
                try:
                    shown = information.view_columns(view, self.pinned, self.bench.identity)
                except LumaError:
                    return ()  # what it reads is gone, which it says itself when it is used
                return tuple(Col(item.name, item.type, None, view.name, item.comment) for item in shown)
        if name in self.variables:
            schema = self.variables[name]
            return () if schema is None else columns_of(schema, name)
        return None

    def _stored(self, table: TableSchema, bench: Bench, pinned: ResolvedSnapshot) -> tuple[Col, ...]:
        if pinned.draft or pinned.staged:
            return stored_columns(table)  # it is not committed: the next statement may change it
        key = f"{pinned.schema_snapshot} {table.id}"
        return bench._machinery.facts.columns.get(key, lambda _: stored_columns(table))

    # --- graphs ---

    def graphs(self) -> list[str]:
        """The names of the property graphs."""
        return [] if self.pinned is None else [item.name for item in self.pinned.objects_of(GRAPH)]

    def graph(self, name: str = "") -> PropertyGraph | None:
        """The graph of a name, ignoring case; the only one where no name is given."""
        if self.pinned is None:
            return None
        if not name:
            items = self.pinned.objects_of(GRAPH)
            item = items[0] if len(items) == 1 else None
        else:
            item = self.pinned.object(GRAPH, _own(name))
        return None if item is None else PropertyGraph.of(item.name, item.definition)

    def properties(self, element: ElementTable) -> tuple[Col, ...]:
        """The properties of a vertex or edge table."""
        columns = {column.name.casefold(): column for column in self.columns(element.table) or ()}
        found = element.columns([column.name for column in columns.values()])
        return tuple(
            (columns.get(column.casefold()) or Col(column)).named(name) for name, column in found.items()
        )


def _own(name: str) -> str:
    """A name without the schema that may be left out."""
    return name[5:] if name[:5].casefold() == "main." else name
