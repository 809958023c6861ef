"""Which vertices and edges an identity sees, and the order of vertices by key: what a graph at a snapshot says once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.graph.conditions import Asked
from luma_bench.bench.graph.held import ROWS, exact
from luma_bench.bench.guarded import GuardedScan
from luma_bench.errors import ForbiddenError
from luma_bench.models.graph.topology import Bools, EdgeRows, Ints, Topology, VertexRows
from luma_bench.types.graph import PropertyGraph


@dataclass(slots=True)
class Seen:
    """What one identity sees of a topology. An edge is seen with both of its ends.

    Raises
    ------
    ForbiddenError
        A column that edges are joined by is masked for the identity: the graph would tell its values.
    """

    graph: PropertyGraph
    topology: Topology
    asked: Asked
    _vertices: dict[int, Bools | None] = field(default_factory=dict)
    _edges: dict[int, Bools | None] = field(default_factory=dict)
    _ranks: Ints | None = None

    def __post_init__(self) -> None:
        require_unmasked(self.graph, self.asked)

    def vertices(self, table: int) -> Bools | None:
        """By place in a vertex table, whether it is seen; None for all."""
        if table not in self._vertices:
            self._vertices[table] = self._mask(
                self.graph.vertices[table].table, self.topology.vertices[table].row_ids
            )
        return self._vertices[table]

    def edges(self, table: int) -> Bools | None:
        """By slot of an edge table, whether the edge and both of its ends are seen; None for all."""
        if table not in self._edges:
            element, rows = self.graph.edges[table], self.topology.edges[table]
            mask = self._mask(element.table, rows.row_ids)
            for end, ends in ((element.source, "source"), (element.destination, "destination")):
                place = self.graph.vertex(end.vertex)
                own = self.vertices(place)
                if own is not None:
                    ids = rows.source if ends == "source" else rows.destination
                    at = own[ids - self.topology.vertices[place].first]
                    mask = at if mask is None else mask & at
            self._edges[table] = mask
        return self._edges[table]

    def restricted(self) -> Seen:
        """The same with a topology in which whatever is not seen is dead; itself where nothing is hidden."""
        vertices = [self.vertices(at) for at in range(len(self.graph.vertices))]
        edges = [self.edges(at) for at in range(len(self.graph.edges))]
        if all(mask is None for mask in (*vertices, *edges)):
            return self
        shown = Topology(
            self.graph,
            self.topology.snapshot,
            tuple(
                VertexRows(rows.first, rows.ids, hidden(rows.dead, mask))
                for rows, mask in zip(self.topology.vertices, vertices, strict=True)
            ),
            tuple(
                EdgeRows(
                    rows.first,
                    rows.ids,
                    rows.source,
                    rows.destination,
                    replace(rows.out, dead=hidden(rows.out.dead, mask)),
                    replace(rows.into, dead=hidden(rows.into.dead, mask)),
                )
                for rows, mask in zip(self.topology.edges, edges, strict=True)
            ),
            self.topology.generation,
        )
        return Seen(self.graph, shown, self.asked)

    def ranks(self, asked: Asked) -> Ints:
        """By dense id, the place of the vertex in the order of keys: table by table, then by the key's own order."""
        if self._ranks is None:
            parts: list[Ints] = []
            for place, element in enumerate(self.graph.vertices):
                rows = self.topology.vertices[place]
                columns = [
                    asked.columns.column(
                        asked.view, element.table, name, asked.ask.identity, asked.counters
                    ).take(rows.row_ids)
                    for name in element.key
                ]
                plain = [_sortable(item) for item in columns]
                table = pa.table(dict(zip((f"k{at}" for at in range(len(plain))), plain, strict=True)))
                order = pc.sort_indices(
                    table, sort_keys=[(name, "ascending") for name in table.column_names]
                ).to_numpy()
                own = np.empty(len(order), np.int64)
                own[order] = np.arange(len(order)) + rows.first
                parts.append(own)
            self._ranks = np.concatenate(parts) if parts else np.empty(0, np.int64)
        return self._ranks

    def _mask(self, table: str, row_ids: Ints) -> Bools | None:
        asked = self.asked
        source = asked.columns.source(asked.view, table, asked.ask.identity)
        if exact(source):
            return None
        held = asked.columns.column(asked.view, table, ROWS, asked.ask.identity, asked.counters)
        return held.places(row_ids) >= 0


def require_unmasked(graph: PropertyGraph, asked: Asked) -> None:
    """Make sure that no column that edges are joined by is masked for the identity: the graph would tell its values.

    Raises
    ------
    ForbiddenError
        One is.
    """
    joining = [(item.table, item.key) for item in graph.vertices]
    for item in graph.edges:
        joining += [(item.table, item.source.columns), (item.table, item.destination.columns)]
        joining += [
            (graph.vertices[graph.vertex(end.vertex)].table, end.keys)
            for end in (item.source, item.destination)
        ]
    for table, columns in joining:
        source = asked.columns.source(asked.view, table, asked.ask.identity)
        if isinstance(source, GuardedScan):
            masked = [name for name in columns if name in source.hidden]
            if masked:
                raise ForbiddenError(
                    f"{asked.ask.identity.user!r} may not walk graph {graph.name!r}: it joins by "
                    f"{table}.{masked[0]}, which is masked.",
                    hint="Ask the tables, which show the mask, or a graph whose keys are not masked.",
                )


def _sortable(keys: pa.Array) -> pa.Array:
    """Keys as values that Arrow can sort, in the same order."""
    if pa.types.is_dictionary(keys.type):
        return keys.dictionary_decode()
    if pa.types.is_decimal(keys.type) and keys.type.bit_width < 128:
        return keys.cast(pa.decimal128(keys.type.precision, keys.type.scale))
    return keys


def hidden(dead: Bools | None, seen: Bools | None) -> Bools | None:
    """What is dead or not seen."""
    if seen is None:
        return dead
    return ~seen if dead is None else dead | ~seen
