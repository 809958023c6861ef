"""Making one topology: which bases it is told from, and which are built anew because too much is different."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from luma_bench.bench.graph.topology_bases import (
    HeldEdges,
    HeldVertices,
    Known,
    State,
    built_at,
    difference,
)
from luma_bench.bench.graph.topology_shapes import (
    EdgeShape,
    ShownEdges,
    ShownGraph,
    ShownVertices,
    VertexShape,
    labelled,
    labels,
    names_of,
)
from luma_bench.errors import ResourceError
from luma_bench.models.control import Control
from luma_bench.models.graph.base import End, edge_base
from luma_bench.models.graph.build import assembled, same, vertex_base
from luma_bench.models.graph.derive import Edges, Vertices, derived, unchanged
from luma_bench.models.graph.memo import Memo
from luma_bench.models.graph.topology import Topology
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.store import Store
from luma_bench.storage.table_rows import read_table, shown

SMALL = 50_000
"""Edges that are built anew at any change but an update: it takes milliseconds, and what is built is clean."""

SHARE = 100
"""A table of more edges is built anew when more than one in so many is later or dead."""

STORED = 50_000
"""Rows of edge tables whose adjacency is stored: fewer are built sooner than files are opened and compared."""

_VERTICES = 10_000
_BUILDING = 56
_BYTES_AN_EDGE = 17
_BYTES_A_VERTEX = 40
"""What building an edge takes at its height; and what an edge and a vertex take for good."""


class Making:
    """Makes the topology of a graph at a view; `run` first.

    Attributes
    ----------
    held_vertices, held_edges
        The bases that it was told from, by the places of the tables.
    built
        The edge tables that were built anew.
    """

    def __init__(
        self,
        store: Store,
        view: ResolvedSnapshot,
        tables: ShownGraph,
        control: Control,
        budget: int,
        vertices_of: Callable[[VertexShape], tuple[HeldVertices, ...]],
        edges_of: Callable[[EdgeShape], tuple[HeldEdges, ...]],
        stored: Callable[[EdgeShape], HeldEdges | None],
    ) -> None:
        self.held_vertices: list[HeldVertices] = []
        self.held_edges: list[HeldEdges] = []
        self.built: list[int] = []
        self._store = store
        self._view = view
        self._tables = tables
        self._control = control
        self._budget = budget
        self._vertices_of = vertices_of
        self._edges_of = edges_of
        self._stored = stored
        self._states: list[State | None] = []
        self._vertices: list[Vertices] = []
        self._edges: list[Edges] = []
        self._digests: list[bytes] = []

    def run(self, *, anew: bool = False) -> None:
        """Find out what every table shows.

        Parameters
        ----------
        anew
            Whether tables with later or dead edges are built anew, however few these are.
        """
        found = [self._candidate(item) for item in self._tables.edges]
        for place, item in enumerate(self._tables.vertices):
            self._control.check()
            self._look(place, item, found)
        told = self._nothing()
        while True:
            again = False
            for place, (item, held) in enumerate(zip(self._tables.edges, found, strict=True)):
                self._control.check()
                if held is not None and told[place] is None:
                    told[place] = self._told(item, held, anew=anew)
                if told[place] is None:
                    found[place] = None
                    # Places of what is built are those of a base, so the vertices must be exactly one.
                    for end in item.ends:
                        if self._vertices[end.place].changed:
                            self._fresh(end.place, self._tables.vertices[end.place])
                            told = self._nothing()
                            again = True
            if not again:
                break
        for place, (item, held, edges) in enumerate(zip(self._tables.edges, found, told, strict=True)):
            self._control.check()
            if held is None or edges is None:
                held = self._build(item)
                self.built.append(place)
                self._edges.append(unchanged(held.base))
                self._digests.append(b"")
            else:
                held = self._over(item, held)
                self._edges.append(edges[0])
                self._digests.append(edges[1].digest)
            self.held_edges.append(held)

    @property
    def clean(self) -> bool:
        """Whether every table is its base."""
        return all(item.clean for item in self._edges) and not any(item.changed for item in self._vertices)

    @property
    def signature(self) -> tuple[Hashable, ...]:
        """Equal for equal topologies of the same bases."""
        states = [b"" if state is None else state.digest for state in self._states]
        bases = [held.number for held in (*self.held_vertices, *self.held_edges)]
        return *bases, *states, *self._digests

    def topology(self, memo: int) -> Topology:
        """The topology; `memo` is what its operators may keep with it, in bytes."""
        return assembled(self._tables.graph, self._view.id, self._vertices, self._edges, Memo(memo))

    def _nothing(self) -> list[tuple[Edges, State] | None]:
        return [None for _ in self._tables.edges]

    def _candidate(self, item: ShownEdges) -> HeldEdges | None:
        """The base that is told from with the least work."""
        found = self._edges_of(item.shape)
        for held in found:
            state = held.state(self._store, self._view, cheap=True)
            if state is not None and len(state.gone) + len(state.come) <= max(
                held.base.count // SHARE, SMALL
            ):
                return held
        if self._view.rows(item.table.name) >= STORED:
            held = self._stored(item.shape)
            if held is not None:
                return held
        return found[0] if found else None

    def _look(self, place: int, item: ShownVertices, found: list[HeldEdges | None]) -> None:
        """The vertices of a table, over the base with the most of them that an edge table was built on."""
        bases = [
            held
            for edges in found
            if edges is not None
            for held in (edges.source, edges.destination)
            if held.shape == item.shape
        ]
        bases = bases or list(self._vertices_of(item.shape)[:1])
        if not bases:
            self._fresh(place, item)
            return
        held = max(bases, key=lambda held: held.base.count)
        state = held.state(self._store, self._view)
        limit = max(held.base.count // SHARE, _VERTICES)
        if len(state.gone) + len(state.come) > 2 * limit:
            self._fresh(place, item)
            return
        found_rows = difference(self._store, self._view, item.table, state, item.columns)
        vertices = Vertices(held.base, found_rows, item.keys)
        if vertices.changed > limit:
            self._fresh(place, item)
        else:
            self._set(place, held, vertices, state)

    def _fresh(self, place: int, item: ShownVertices) -> None:
        """The vertices of a table as a base of their own."""
        self._room(item.table.name, _BYTES_A_VERTEX)
        names = names_of(item.table, item.columns)
        rows = labelled(read_table(self._store, self._view, item.table.name, names), item.columns)
        base = vertex_base(item.table.name, rows, item.keys)
        self._set(
            place, HeldVertices(item.shape, base, self._known(item.table.id)), same(base, item.keys), None
        )

    def _set(self, place: int, held: HeldVertices, vertices: Vertices, state: State | None) -> None:
        if place == len(self._vertices):
            self.held_vertices.append(held)
            self._vertices.append(vertices)
            self._states.append(state)
        else:
            self.held_vertices[place], self._vertices[place], self._states[place] = held, vertices, state

    def _told(self, item: ShownEdges, held: HeldEdges, *, anew: bool) -> tuple[Edges, State] | None:
        """An edge table as it is told from a base; None where it is to be built anew."""
        mine = [self._vertices[end.place] for end in item.ends]
        for own, vertices in zip((held.source, held.destination), mine, strict=True):
            if not own.base.begins(vertices.base):
                return None
        longer = any(
            own.base.count < vertices.base.count
            for own, vertices in zip((held.source, held.destination), mine, strict=True)
        )
        state = held.state(self._store, self._view)
        count = held.base.count
        limit = 0 if anew or count <= SMALL else count // SHARE
        if state is None or len(state.gone) + len(state.come) > max(count, 1000):
            return None
        found = difference(self._store, self._view, item.table, state, item.columns)
        edges = derived(
            held.base, found, item.table.name, self._ends(item), (mine[0], mine[1]), limit, longer=longer
        )
        return None if edges is None else (edges, state)

    def _ends(self, item: ShownEdges) -> tuple[End, End]:
        source, destination = (
            End(labels(end.shape.columns), end.names, self._vertices[end.place], end.key) for end in item.ends
        )
        return source, destination

    def _build(self, item: ShownEdges) -> HeldEdges:
        """An edge table from all of its rows; its vertices are a base."""
        self._room(item.table.name, _BUILDING)
        names = names_of(item.table, item.columns)
        rows = labelled(read_table(self._store, self._view, item.table.name, names), item.columns)
        self._control.check()
        source, destination = (self.held_vertices[end.place] for end in item.ends)
        counts = source.base.count, destination.base.count
        base = edge_base(rows, item.table.name, self._ends(item), counts, self._view.id)
        return HeldEdges(item.shape, base, self._known(item.table.id), source, destination)

    def _over(self, item: ShownEdges, held: HeldEdges) -> HeldEdges:
        """The base over the vertices that the topology has: the same, or more behind them."""
        source, destination = (self.held_vertices[end.place] for end in item.ends)
        if held.source is source and held.destination is destination:
            return held
        return replace(held, source=source, destination=destination)

    def _known(self, table: int) -> Known:
        """What the view shows of a table, when it is committed."""
        now = shown(self._view, table)
        return Known([] if now.draft else [built_at(now)])

    def _room(self, table: str, nbytes: int) -> None:
        """Refuse what is built of a table, or the graph as a whole, when it takes more than there is."""
        rows = self._view.rows
        whole = sum(rows(item.table.name) for item in self._tables.edges) * _BYTES_AN_EDGE
        whole += sum(rows(item.table.name) for item in self._tables.vertices) * _BYTES_A_VERTEX
        needed = max(whole, rows(table) * nbytes)
        if needed > self._budget:
            raise ResourceError(
                f"The graph {self._tables.graph.name!r} needs about {needed / 1e6:,.0f} MB, and graphs may take "
                f"{self._budget / 1e6:,.0f} MB.",
                hint="Raise the setting memory_limit (graphs may take a quarter of it), or make the graph over fewer rows.",
            )
