"""A property graph's shape at one snapshot: vertices and edges by dense numbers, adjacency in both directions.

Vertices of all vertex tables have one space of dense ids (int32): table after table. Edges of all edge tables have one
space of slots (int64), likewise. A number keeps its element as long as the topology lives: the place of a row that was
updated shows the new row, later rows come behind those of their table's base, and deleted ones keep theirs and are dead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from luma_bench.models.graph.memo import Memo
from luma_bench.models.graph.row_ids import RowIds
from luma_bench.types.graph import PropertyGraph

Ints = np.ndarray[Any, np.dtype[np.int64]]
Ids = np.ndarray[Any, np.dtype[np.int32]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Csr:
    """Compressed rows: the neighbours of vertex `v` are `neighbours[indptr[v]:indptr[v + 1]]`, ascending.

    Attributes
    ----------
    indptr
        int64, vertices + 1.
    neighbours
        int32 dense ids.
    slots
        int32, the edge's slot inside of its edge table; parallel edges ascend by it.
    """

    indptr: Ints
    neighbours: Ids
    slots: Ids

    @property
    def vertices(self) -> int:
        """How many rows it has."""
        return len(self.indptr) - 1

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.indptr.nbytes + self.neighbours.nbytes + self.slots.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Adjacency:
    """One edge table in one direction: a base, what came since, and which of the table's slots are dead.

    Attributes
    ----------
    base
        The generation's edges; it may have fewer vertices than the topology (later vertices have no base edges).
    delta
        Later edges, over all vertices of the topology; None when there are none.
    dead
        By slot of the table, base and delta together; None when none is dead.
    """

    base: Csr
    delta: Csr | None = None
    dead: Bools | None = None

    @property
    def clean(self) -> bool:
        """Whether the base alone is the whole truth."""
        return self.delta is None and self.dead is None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        delta = 0 if self.delta is None else self.delta.nbytes
        return self.base.nbytes + delta + (0 if self.dead is None else self.dead.nbytes)


class VertexRows:
    """The vertices of one vertex table. Immutable.

    Attributes
    ----------
    first
        The first one's dense id: `first + place inside of the table` is the dense id.
    dead
        By place, whether the vertex was deleted; None when none was. Its row id is of a row that does not live.
    """

    __slots__ = ("dead", "first", "ids")

    def __init__(self, first: int, row_ids: Ints | RowIds, dead: Bools | None = None) -> None:
        self.first = first
        self.ids = row_ids if isinstance(row_ids, RowIds) else RowIds.of(row_ids)
        self.dead = dead

    @property
    def row_ids(self) -> Ints:
        """The row of each place; they need not ascend."""
        return self.ids.array

    @property
    def count(self) -> int:
        """How many ids it has, dead ones too."""
        return len(self.ids)

    def row_ids_at(self, places: Ints | Ids) -> Ints:
        """The rows of some places."""
        return self.ids.take(places)

    def places(self, row_ids: Ints) -> Ints:
        """The place of each row id; -1 for a row that is no vertex here."""
        return self.ids.places(row_ids)


class EdgeRows:
    """The edges of one edge table. Immutable; the ends of the slots are made when they are first asked for.

    Attributes
    ----------
    first
        The first one's slot in the space of all edges: `first + slot inside the table` is the global slot.
    out, into
        Adjacency from source to destination, and back.
    dangling, nulls
        Rows whose key no vertex has, and rows with a NULL in a key; none of them is an edge, and none has a slot.
    """

    __slots__ = ("_destination", "_source", "dangling", "first", "ids", "into", "nulls", "out")

    def __init__(
        self,
        first: int,
        row_ids: Ints | RowIds,
        source: Ids | None,
        destination: Ids | None,
        out: Adjacency,
        into: Adjacency,
        dangling: int = 0,
        nulls: int = 0,
    ) -> None:
        self.first = first
        self.ids = row_ids if isinstance(row_ids, RowIds) else RowIds.of(row_ids)
        self._source = source
        self._destination = destination
        self.out = out
        self.into = into
        self.dangling = dangling
        self.nulls = nulls

    @property
    def row_ids(self) -> Ints:
        """The row of each slot; they need not ascend."""
        return self.ids.array

    @property
    def source(self) -> Ids:
        """int32 dense ids of each slot's source."""
        if self._source is None:
            self._source, self._destination = self._ends()
        return self._source

    @property
    def destination(self) -> Ids:
        """int32 dense ids of each slot's destination."""
        if self._destination is None:
            self._source, self._destination = self._ends()
        return self._destination

    @property
    def count(self) -> int:
        """How many slots it has, dead ones too."""
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        dead = 0 if self.out.dead is None else self.out.dead.nbytes
        return self.ids.nbytes + self.ends_nbytes + self.out.nbytes + self.into.nbytes - dead

    @property
    def ends_nbytes(self) -> int:
        """Bytes of the ends of slots, as far as they were made."""
        return sum(0 if item is None else item.nbytes for item in (self._source, self._destination))

    def row_ids_at(self, slots: Ints | Ids) -> Ints:
        """The rows of some slots of the table."""
        return self.ids.take(slots)

    def places(self, row_ids: Ints) -> Ints:
        """The slot inside of the table of each row id; -1 for a row that is no edge here."""
        return self.ids.places(row_ids)

    def _ends(self) -> tuple[Ids, Ids]:
        source, destination = np.zeros(self.count, np.int32), np.zeros(self.count, np.int32)
        for csr in (self.out.base, self.out.delta):
            if csr is not None:
                numbers = np.arange(csr.vertices, dtype=np.int32)
                source[csr.slots] = np.repeat(numbers, np.diff(csr.indptr))
                destination[csr.slots] = csr.neighbours
        return source, destination


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """The shape of a graph at one snapshot, and at every other one that shows the same rows and keys.

    Attributes
    ----------
    snapshot
        A snapshot that it is the shape at: the one that it was made for.
    vertices, edges
        By the places of the tables in the graph's definition.
    generation
        The snapshot that the oldest base of an edge table was built at.
    notes
        What making it met that a run record should tell, with counts.
    memo
        What operators keep for the next one, such as adjacency that several tables were merged into.
    """

    graph: PropertyGraph
    snapshot: int
    vertices: tuple[VertexRows, ...]
    edges: tuple[EdgeRows, ...]
    generation: int
    notes: Mapping[str, int] = field(default_factory=dict[str, int])
    memo: Memo = field(default_factory=Memo, repr=False)

    @property
    def vertex_count(self) -> int:
        """Dense ids in all, dead ones too."""
        return sum(item.count for item in self.vertices)

    @property
    def edge_count(self) -> int:
        """Slots in all, dead ones too."""
        return sum(item.count for item in self.edges)

    @property
    def nbytes(self) -> int:
        """Bytes in memory, without what `memo` holds."""
        dead = sum(0 if item.dead is None else item.dead.nbytes for item in self.vertices)
        return dead + sum(item.ids.nbytes for item in self.vertices) + sum(item.nbytes for item in self.edges)

    def vertex_range(self, table: int) -> tuple[int, int]:
        """The dense ids of a vertex table, half-open."""
        rows = self.vertices[table]
        return rows.first, rows.first + rows.count

    def live_vertices(self, tables: tuple[int, ...]) -> Ids:
        """The dense ids of the vertices of some tables that are not dead, ascending."""
        parts: list[Ids] = []
        for table in sorted(set(tables)):
            rows = self.vertices[table]
            ids = np.arange(rows.first, rows.first + rows.count, dtype=np.int32)
            parts.append(ids if rows.dead is None else ids[~rows.dead])
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    def row_ids_of(self, ids: Ints | Ids) -> tuple[Ids, Ints]:
        """Of dense ids, the vertex table of each (int32) and its row id (int64); -1 and -1 for a negative id."""
        return _owners([(item.first, item.ids) for item in self.vertices], ids)

    def slot_row_ids(self, slots: Ints | Ids) -> tuple[Ids, Ints]:
        """Of global slots, the edge table of each (int32) and its row id (int64); -1 and -1 for a negative slot."""
        return _owners([(item.first, item.ids) for item in self.edges], slots)


def _owners(tables: list[tuple[int, RowIds]], numbers: Ints | Ids) -> tuple[Ids, Ints]:
    found = np.full(len(numbers), -1, np.int32)
    rows = np.full(len(numbers), -1, np.int64)
    for place, (first, held) in enumerate(tables):
        mine = (numbers >= first) & (numbers < first + len(held))
        if mine.all():
            return np.full(len(numbers), place, np.int32), held.take(numbers - first)
        found[mine] = place
        rows[mine] = held.take(numbers[mine] - first)
    return found, rows
