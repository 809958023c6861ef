"""The topologies of a bench's graphs: each made once for what it shows, kept while there is room, shared by snapshots.

A graph at a view is told from bases, which hold all rows of a table at some snapshot: later rows are edges of a delta, and
deleted ones dead. Where that is more than a hundredth, bases are built anew. The rows of an open transaction are told the
same way, and never become a base.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from luma_bench.bench.graph.topology_bases import HeldEdges, HeldVertices
from luma_bench.bench.graph.topology_files import index_id, load
from luma_bench.bench.graph.topology_making import STORED, Making
from luma_bench.bench.graph.topology_saving import Saving
from luma_bench.bench.graph.topology_shapes import EdgeShape, VertexShape, shown_graph
from luma_bench.bench.graph.topology_size import unique_bytes
from luma_bench.errors import CorruptionError
from luma_bench.models.control import Control
from luma_bench.models.graph.topology import Topology
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.store import Store
from luma_bench.storage.table_rows import shown
from luma_bench.types.graph import PropertyGraph

_VIEWS = 256
_BASES = 3
_WAIT = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A topology, and the bases that it was told from."""

    topology: Topology
    vertices: tuple[HeldVertices, ...]
    edges: tuple[HeldEdges, ...]


class Topologies:
    """Gives the topology of a graph at a snapshot. Thread-safe.

    Parameters
    ----------
    store
        Whose tables the graphs are over.
    budget
        Bytes that all of it may take; None for a quarter of what the setting `memory_limit` allows.
    """

    def __init__(self, store: Store, budget: int | None = None) -> None:
        self.budget = store.settings.effective_memory_limit // 4 if budget is None else budget
        self._store = store
        self._saving = Saving(store.indexes)
        self._damaged: set[str] = set()
        self._lock = threading.Lock()
        self._making: dict[PropertyGraph, threading.Lock] = {}
        self._views: OrderedDict[tuple[PropertyGraph, int, int], Hashable] = OrderedDict()
        self._contents: OrderedDict[Hashable, Hashable] = OrderedDict()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._vertices: OrderedDict[VertexShape, tuple[HeldVertices, ...]] = OrderedDict()
        self._edges: OrderedDict[EdgeShape, tuple[HeldEdges, ...]] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Bytes that everything held takes; arrays that several topologies share count once."""
        with self._lock:
            return self._size()

    def get(self, graph: PropertyGraph, view: ResolvedSnapshot, control: Control) -> Topology:
        """The topology of a graph as a snapshot, or an open transaction, shows it.

        Two views that show the same edges are given the same object.

        Raises
        ------
        CatalogError, SchemaError
            The graph does not fit its tables: one is not there, two vertices have the same key, or keys cannot be compared.
        ResourceError
            It does not fit into memory.
        CancelledError
            `control` was stopped.
        """
        key = graph, view.id, view.draft
        with self._lock:
            if (found := self._found(self._views.get(key))) is not None:
                return found
            mine = self._making.setdefault(graph, threading.Lock())
        while not mine.acquire(timeout=_WAIT):
            control.check()
        try:
            return self._get(graph, view, control)
        finally:
            mine.release()

    def _get(self, graph: PropertyGraph, view: ResolvedSnapshot, control: Control) -> Topology:
        tables = shown_graph(graph, view)
        content = graph, tables, tuple(shown(view, table.id) for table in tables.tables)
        with self._lock:
            signature = self._contents.get(content)
            if (found := self._found(signature)) is not None:
                self._seen((graph, view.id, view.draft), content, signature)
                return found
        return self._made(graph, view, control)

    def _made(
        self, graph: PropertyGraph, view: ResolvedSnapshot, control: Control, *, anew: bool = False
    ) -> Topology:
        tables = shown_graph(graph, view)
        content = graph, tables, tuple(shown(view, table.id) for table in tables.tables)
        making = Making(
            self._store, view, tables, control, self.budget, self._vertices_of, self._edges_of, self._stored
        )
        making.run(anew=anew)
        signature = graph, *making.signature
        with self._lock:
            found = self._found(signature)
        if found is None:
            found = making.topology(self.budget // 4)
        with self._lock:
            if signature not in self._entries:
                held = tuple(making.held_vertices), tuple(making.held_edges)
                self._entries[signature] = _Entry(found, *held)
            self._keep(making)
        for place in making.built:
            held = making.held_edges[place]
            if held.base.count >= STORED and _committed(held):
                self._saving.put(held, graph.name)
        with self._lock:
            self._seen((graph, view.id, view.draft), content, signature)
            self._shrink()
        return found

    def close(self) -> None:
        """Finish what is being stored, and let go of everything."""
        self._saving.close()
        with self._lock:
            for held in (self._views, self._contents, self._entries, self._vertices, self._edges):
                held.clear()

    def drain(self) -> None:
        """Wait until what was built is stored."""
        self._saving.drain()

    def take_warnings(self) -> tuple[str, ...]:
        """What was met since it was asked last and a run record should say: an index that could not be stored, or was damaged."""
        return self._saving.take_warnings()

    def fold(self, graph: PropertyGraph, view: ResolvedSnapshot, control: Control) -> Topology:
        """The topology with what came since built in, so that the next process finds it clean; what a compaction does.

        Raises
        ------
        CatalogError, SchemaError, ResourceError, CancelledError
            See `get`.
        """
        found = self.get(graph, view, control)
        if all(rows.out.clean for rows in found.edges) and all(rows.dead is None for rows in found.vertices):
            return found
        with self._lock:
            mine = self._making.setdefault(graph, threading.Lock())
        with mine:
            return self._made(graph, view, control, anew=True)

    def _stored(self, shape: EdgeShape) -> HeldEdges | None:
        """The newest base that lies in files and is not held already; None when there is none."""
        with self._lock:
            held = {item.ulid for item in self._edges.get(shape, ())}
        for generation in self._store.indexes.generations(shape.table, index_id(shape)):
            if generation.ulid in held:
                return None
            if generation.ulid in self._damaged:
                continue
            try:
                found = load(generation, shape, self._interned)
            except CorruptionError as error:
                self._damaged.add(generation.ulid)
                self._saving.warn(
                    f"The index {generation.ulid} of a graph is damaged and was built again: {error.message}"
                )
                self._store.indexes.drop(generation)
                continue
            if found is not None:
                return found
        return None

    def _interned(self, loaded: HeldVertices) -> HeldVertices:
        """The same vertices, when they are held: tables that share them share their places."""
        with self._lock:
            known = [*self._vertices.get(loaded.shape, ())]
            known += [
                item
                for some in self._edges.values()
                for held in some
                for item in (held.source, held.destination)
                if item.shape == loaded.shape
            ]
        for item in known:
            if item.base.count == loaded.base.count and loaded.base.begins(item.base):
                return item
        return loaded

    def _vertices_of(self, shape: VertexShape) -> tuple[HeldVertices, ...]:
        with self._lock:
            return self._vertices.get(shape, ())

    def _edges_of(self, shape: EdgeShape) -> tuple[HeldEdges, ...]:
        with self._lock:
            return self._edges.get(shape, ())

    def _keep(self, making: Making) -> None:
        """Remember bases of committed rows, the last used first."""
        for held in making.held_vertices:
            if held.known.states:
                others = [item for item in self._vertices.get(held.shape, ()) if item.base is not held.base]
                self._vertices[held.shape] = (held, *others)[:_BASES]
                self._vertices.move_to_end(held.shape)
        for held in making.held_edges:
            if _committed(held):
                others = [item for item in self._edges.get(held.shape, ()) if item.base is not held.base]
                self._edges[held.shape] = (held, *others)[:_BASES]
                self._edges.move_to_end(held.shape)

    def _seen(self, view: tuple[PropertyGraph, int, int], content: Hashable, signature: Hashable) -> None:
        self._views[view] = self._contents[content] = signature
        for held in (self._views, self._contents):
            while len(held) > _VIEWS:
                held.popitem(last=False)

    def _shrink(self) -> None:
        """Let go of what was used longest ago, topologies before the bases that a later one may be told from."""
        while self._size() > self.budget and len(self._entries) > 1:
            self._entries.popitem(last=False)
        kept = {held.number for entry in self._entries.values() for held in (*entry.vertices, *entry.edges)}
        if self._size() > self.budget:
            for shape, some in list(self._edges.items()):
                self._edges[shape] = tuple(held for held in some if held.number in kept)
                if not self._edges[shape]:
                    del self._edges[shape]
            for shape, some in list(self._vertices.items()):
                self._vertices[shape] = tuple(held for held in some if held.number in kept)
                if not self._vertices[shape]:
                    del self._vertices[shape]

    def _size(self) -> int:
        bases = [held.base for some in self._edges.values() for held in some]
        vertices = [held.base for some in self._vertices.values() for held in some]
        entries = list(self._entries.values())
        bases += [held.base for entry in entries for held in entry.edges]
        vertices += [held.base for entry in entries for held in entry.vertices]
        return unique_bytes([entry.topology for entry in entries], vertices, bases)

    def _found(self, signature: Hashable) -> Topology | None:
        entry = None if signature is None else self._entries.get(signature)
        if entry is None:
            return None
        self._entries.move_to_end(signature)
        return entry.topology


def _committed(held: HeldEdges) -> bool:
    """Whether all rows of a base are of a snapshot."""
    return bool(held.known.states and held.source.known.states and held.destination.known.states)
