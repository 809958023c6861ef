"""Graphs over tables for the tests of topologies, and what a topology must show, found row by row in Python."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.merged import merged
from luma_bench.models.graph.topology import Adjacency, Topology
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.store import Store
from luma_bench.types.graph import EdgeEnd, EdgeTable, PropertyGraph, VertexTable


def graph_of(
    vertices: dict[str, tuple[str, ...]],
    edges: dict[str, tuple[tuple[str, ...], str, tuple[str, ...], str]],
    name: str = "g",
) -> PropertyGraph:
    """A graph: key columns by vertex table; source columns and table, destination columns and table by edge table."""
    return PropertyGraph(
        name,
        tuple(VertexTable(table, table, key, (table,)) for table, key in vertices.items()),
        tuple(
            EdgeTable(
                table,
                table,
                (),
                (table,),
                source=EdgeEnd(one, first, vertices[first]),
                destination=EdgeEnd(two, second, vertices[second]),
            )
            for table, (one, first, two, second) in edges.items()
        ),
    )


@dataclass
class Expected:
    """What a topology must show: row ids of vertices by table, of edges with their ends by table, and the counts."""

    vertices: list[list[int]]
    edges: list[list[tuple[int, int, int]]]
    dangling: list[int]
    nulls: list[int]


def expected(graph: PropertyGraph, rows: dict[str, pa.Table]) -> Expected:
    """From the rows of each table, `_rowid` among them."""
    found = Expected([], [], [], [])
    for table in graph.vertices:
        found.vertices.append(sorted(rows[table.table].column("_rowid").to_pylist()))
    for table in graph.edges:
        places = []
        for end in (table.source, table.destination):
            owner = graph.vertices[graph.vertex(end.vertex)].table
            places.append({key: row for row, key in keyed(rows[owner], end.keys) if None not in key})
        edges, dangling, nulls = [], 0, 0
        ends = zip(
            keyed(rows[table.table], table.source.columns),
            keyed(rows[table.table], table.destination.columns),
            strict=True,
        )
        for (row, one), (_, two) in ends:
            if None in one or None in two:
                nulls += 1
            elif one in places[0] and two in places[1]:
                edges.append((row, places[0][one], places[1][two]))
            else:
                dangling += 1
        found.edges.append(sorted(edges))
        found.dangling.append(dangling)
        found.nulls.append(nulls)
    return found


def keyed(rows: pa.Table, names: tuple[str, ...]) -> list[tuple[int, tuple[object, ...]]]:
    """The row id and the key of every row."""
    columns = [[_moment(value) for value in rows.column(name).to_pylist()] for name in names]
    return list(zip(rows.column("_rowid").to_pylist(), zip(*columns, strict=True), strict=True))


def _moment(value: object) -> object:
    """A date as the moment at which it begins, for Python never takes the two for equal."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    return value


def read(store: Store, view: ResolvedSnapshot, graph: PropertyGraph) -> dict[str, pa.Table]:
    """All rows of the graph's tables, in their written types."""
    found = {}
    for table in graph.tables:
        scan = store.scan(view, table)
        found[table] = scan.read(["_rowid", *scan.table.names])
    return found


def check(topology: Topology, wanted: Expected) -> None:
    """Hold a topology against what it must show, in both directions, and its parts against each other."""
    owner = np.empty(topology.vertex_count, np.int64)
    count = 0
    for table, rows in enumerate(topology.vertices):
        assert rows.first == count
        count += rows.count
        alive = np.ones(rows.count, bool) if rows.dead is None else ~rows.dead
        assert sorted(rows.row_ids[alive].tolist()) == wanted.vertices[table]
        assert (rows.places(rows.row_ids[alive]) == np.flatnonzero(alive)).all()
        assert (rows.row_ids_at(np.flatnonzero(alive)) == rows.row_ids[alive]).all()
        assert rows.places(np.array([-5, 1 << 40]))[0] == -1
        owner[rows.first : rows.first + rows.count] = rows.row_ids
    slots = 0
    for table, rows in enumerate(topology.edges):
        assert rows.first == slots
        slots += rows.count
        assert (rows.dangling, rows.nulls) == (wanted.dangling[table], wanted.nulls[table])
        out = _edges(rows.out, owner, rows.row_ids)
        into = [(row, one, two) for row, two, one in _edges(rows.into, owner, rows.row_ids)]
        assert sorted(out) == wanted.edges[table]
        assert sorted(into) == wanted.edges[table]
        live = np.ones(rows.count, bool) if rows.out.dead is None else ~rows.out.dead
        ends = zip(
            rows.row_ids[live].tolist(),
            owner[rows.source[live]].tolist(),
            owner[rows.destination[live]].tolist(),
            strict=True,
        )
        assert sorted(ends) == wanted.edges[table]
        assert (rows.places(rows.row_ids[live]) == np.flatnonzero(live)).all()
        assert (rows.row_ids_at(np.flatnonzero(live)) == rows.row_ids[live]).all()
    assert topology.edge_count == slots
    both = merged(topology)
    assert both.vertices == topology.vertex_count
    numbers = np.repeat(np.arange(both.vertices), np.diff(both.indptr))
    tables, row_ids = topology.slot_row_ids(both.slots)
    found = Counter(
        zip(
            tables.tolist(),
            row_ids.tolist(),
            owner[numbers].tolist(),
            owner[both.neighbours].tolist(),
            strict=True,
        )
    )
    assert found == Counter((table, *edge) for table, edges in enumerate(wanted.edges) for edge in edges)
    # Parallel edges come table by table, and in the order of their rows, however often these were written anew.
    rows_in_order = list(
        zip(numbers.tolist(), both.neighbours.tolist(), tables.tolist(), row_ids.tolist(), strict=True)
    )
    assert rows_in_order == sorted(rows_in_order)
    ordered(both)


def _edges(adjacency: Adjacency, owner: np.ndarray, row_ids: np.ndarray) -> list[tuple[int, int, int]]:
    found = []
    for csr in (adjacency.base, adjacency.delta):
        if csr is None:
            continue
        ordered(csr)
        assert len(csr.neighbours) == len(csr.slots) == csr.indptr[-1]
        rows = np.repeat(np.arange(csr.vertices), np.diff(csr.indptr))
        keep = np.ones(len(rows), bool) if adjacency.dead is None else ~adjacency.dead[csr.slots]
        ends = owner[rows[keep]].tolist(), owner[csr.neighbours[keep]].tolist()
        found += zip(row_ids[csr.slots[keep]].tolist(), *ends, strict=True)
    return found


def ordered(csr) -> None:
    """Neighbours ascend in a row, and parallel edges by slot."""
    for vertex in range(csr.vertices):
        low, high = csr.indptr[vertex], csr.indptr[vertex + 1]
        pairs = list(zip(csr.neighbours[low:high].tolist(), csr.slots[low:high].tolist(), strict=True))
        assert pairs == sorted(pairs)
