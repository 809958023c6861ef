"""The ends of an edge table where only the vertex table is named: by foreign keys, else by columns of the key's names."""

from __future__ import annotations

from collections.abc import Sequence

from luma_bench.bench.catalog_text import relation_name
from luma_bench.errors import KadeQLBindError
from luma_bench.language.graph.definitions import EndDef
from luma_bench.storage.graph_rules import comparable
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.constraints import ITSELF
from luma_bench.types.graph import EdgeEnd, VertexTable
from luma_bench.types.schema import TableSchema


class Inferred:
    """Finds what `SOURCE v DESTINATION w` leaves out, where it is the only possibility.

    Parameters
    ----------
    table, key
        The edge table, and the columns that identify an edge: they point at no vertex.
    """

    def __init__(self, table: TableSchema, key: Sequence[str], view: ResolvedSnapshot, whole: str) -> None:
        self._table = table
        self._key = tuple(key)
        self._view = view
        self._whole = whole

    def complete(
        self, ends: Sequence[EndDef], to: Sequence[VertexTable], given: Sequence[EdgeEnd | None]
    ) -> tuple[EdgeEnd, EdgeEnd]:
        """Source and destination, each as it was given or as it must be.

        Raises
        ------
        KadeQLBindError
            There is no possibility, or more than one.
        """
        taken = {end.columns for end in given if end is not None}
        found: list[EdgeEnd] = []
        for end, vertex, known in zip(ends, to, given, strict=True):
            found.append(known or self._one(end, vertex, taken))
        first, second = found
        if first.columns == second.columns and None in given:
            raise self._error(
                ends[1],
                to[1],
                f"Source and destination would both be ({', '.join(first.columns)}) of table {self._table.name!r}.",
            )
        return first, second

    def _one(self, end: EndDef, vertex: VertexTable, taken: set[tuple[str, ...]]) -> EdgeEnd:
        possible = [item for item in self._foreign(vertex) if item.columns not in taken]
        if not possible:
            possible = [item for item in self._named(vertex) if item.columns not in taken]
        if len(possible) == 1:
            return possible[0]
        where = f"table {self._table.name!r}"
        if possible:
            listed = " and ".join(f"({', '.join(item.columns)})" for item in possible)
            message = f"{len(possible)} foreign keys of {where} refer to {vertex.name!r}: {listed}."
        else:
            message = f"No foreign key of {where} refers to {vertex.name!r}, and no other column has its key's name."
        raise self._error(end, vertex, message)

    def _foreign(self, vertex: VertexTable) -> list[EdgeEnd]:
        parent = self._view.find(vertex.table)
        names, others = self._table.by_id, parent.by_id
        return [
            EdgeEnd(
                tuple(names[number] for number in key.columns),
                vertex.name,
                tuple(others[number] for number in key.referenced),
            )
            for key in self._table.rules.foreign
            if key.table == parent.id or (key.table == ITSELF and parent.id == self._table.id)
        ]

    def _named(self, vertex: VertexTable) -> list[EdgeEnd]:
        by_fold = {name.casefold(): name for name in self._table.names}
        columns = tuple(by_fold.get(name.casefold(), "") for name in vertex.key)
        # An edge's own id has the name of a vertex's often enough, and means another thing.
        if "" in columns or set(columns) == set(self._key):
            return []
        return [EdgeEnd(columns, vertex.name, vertex.key)]

    def _error(self, end: EndDef, vertex: VertexTable, message: str) -> KadeQLBindError:
        columns, keys = ", ".join(self._likely(end, vertex)), ", ".join(vertex.key)
        return KadeQLBindError(
            message,
            text=self._whole,
            span=end.span,
            hint=f"Say which columns they are: {end.end} KEY ({columns}) REFERENCES {vertex.name} ({keys}). "
            f"The columns of {relation_name(self._table.name, self._view)} are: {', '.join(self._table.names)}.",
        )

    def _likely(self, end: EndDef, vertex: VertexTable) -> list[str]:
        """Columns that could be compared with the vertex's key, for the hint: a destination stands behind its source."""
        parent = self._view.find(vertex.table)
        found: list[str] = []
        for key in vertex.key:
            fits = [
                column.name
                for column in self._table.columns
                if comparable(column, parent.column(key)) and column.name not in (*self._key, *found)
            ]
            behind = end.end == "DESTINATION" and len(fits) > 1 and not found
            found.append(fits[behind] if fits else "…")
        return found
