"""Luma Bench's side of `make bench-graph`: benches with a property graph, its topology, and questions in KadeQL by one engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import luma_bench as lb
from benchmarks.graph_data import Graph
from luma_bench.bench.graph.definitions import graph_of
from luma_bench.bench.graph.topologies import Topologies
from luma_bench.language.graph.pattern import Direction, Duplicates, Mode
from luma_bench.models.control import Control
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.engines import choose
from luma_bench.models.graph.match import matches
from luma_bench.models.graph.statistics import statistics
from luma_bench.models.graph.topology import Ids, Ints, Topology
from luma_bench.plan.graph.bound import BoundClause, BoundEdge, BoundMatch, BoundNode, BoundPath
from luma_bench.plan.graph.planner import plan
from luma_bench.plan.graph.steps import MatchPlan
from luma_bench.storage.store import Store

NUMBA, NUMPY = "luma numba", "luma numpy"
"""Our two contenders: with compiled kernels, and with NumPy and SciPy alone."""
type Planned = tuple[BoundMatch, MatchPlan]
ENGINES = {NUMBA: "numba", NUMPY: "numpy"}

_PLAIN = "VERTEX TABLES (v KEY (id)) EDGE TABLES (e SOURCE KEY (s) REFERENCES v (id) DESTINATION KEY (d) REFERENCES v (id))"
_SOCIAL = (
    "VERTEX TABLES (person KEY (id), post KEY (id), tag KEY (id)) EDGE TABLES ("
    "knows SOURCE KEY (a) REFERENCES person (id) DESTINATION KEY (b) REFERENCES person (id), "
    "likes SOURCE KEY (p) REFERENCES person (id) DESTINATION KEY (post) REFERENCES post (id), "
    "hastag SOURCE KEY (post) REFERENCES post (id) DESTINATION KEY (tag) REFERENCES tag (id))"
)


def engine(name: str) -> GraphEngine:
    """The engine of one of our contenders; it waits until kernels are compiled."""
    return choose.engine(ENGINES[name])


def store(graph: Graph, folder: Path, threads: int) -> Path:
    """A bench with the tables of a graph, and the property graph `g` over them."""
    path = folder / f"{graph.name}.luma"
    with lb.open(path, threads=threads) as bench:
        for name, file in graph.files.items():
            bench.write(name, str(file))
        bench.kadeql(f"CREATE PROPERTY GRAPH g {_PLAIN if 'v' in graph.files else _SOCIAL}")
    return path


@contextmanager
def asking(path: Path, name: str, threads: int, *, plan: str = "auto") -> Iterator[lb.Bench]:
    """A bench whose graph questions are answered by the engine of one of our contenders; it caches no results.

    Parameters
    ----------
    plan
        `sql` answers them by joins.
    """
    ready = engine(name)
    with lb.open(path, mode="r", threads=threads, result_cache_bytes=0) as bench:
        graphs = bench._machinery.statements.runner.binder.graphs
        graphs.engine, graphs.plan = lambda topology: ready, plan
        yield bench


@contextmanager
def topology_of(path: Path) -> Iterator[Topology]:
    """The topology of `g` in a bench: read from its index, or built and stored there."""
    with Store.open(path) as opened:
        snapshot = opened.resolve()
        topologies = Topologies(opened)
        yield topologies.get(graph_of(snapshot, "g"), snapshot, Control())
        topologies.close()


def chain(
    topology: Topology,
    edges: Sequence[int],
    allowed: Sequence[Ids | None],
    needed: Sequence[int] = (),
    duplicates: Duplicates = Duplicates.COUNTED,
) -> BoundMatch:
    """The pattern `(n0)-[]->(n1)-[]->…`, bound.

    Parameters
    ----------
    edges
        The edge table of each edge.
    allowed
        For each node its dense ids, ascending; None for all.
    needed
        The places of the nodes that are asked for.
    """
    graph = topology.graph
    first = graph.vertex(graph.edges[edges[0]].source.vertex)
    tables = [first, *(graph.vertex(graph.edges[place].destination.vertex) for place in edges)]
    nodes = [
        BoundNode(f"n{at}", (table,), ids)
        for at, (table, ids) in enumerate(zip(tables, allowed, strict=True))
    ]
    elements: list[BoundNode | BoundEdge] = [nodes[0]]
    for at, table in enumerate(edges):
        elements += [BoundEdge(f"e{at}", (table,), Direction.RIGHT), nodes[at + 1]]
    path = BoundPath(None, None, Mode.WALK, tuple(elements))
    return BoundMatch((BoundClause((path,)),), frozenset(f"n{at}" for at in needed), duplicates)


def planned(topology: Topology, bound: BoundMatch) -> Planned:
    """A pattern with its plan."""
    return bound, plan(bound, statistics(topology))


def counted(topology: Topology, ready: Planned, running: GraphEngine) -> tuple[Ids, Ints]:
    """The vertices that the one needed node of a pattern stands for, and in how many matches each."""
    (name,) = ready[0].needed
    parts = list(matches(topology, *ready, running, Control()))
    ids = np.concatenate([part.nodes[name] for part in parts]) if parts else np.empty(0, np.int32)
    weights = [np.ones(part.rows, np.int64) if part.weights is None else part.weights for part in parts]
    rows = np.concatenate(weights) if parts else np.empty(0, np.int64)
    if (ids[1:] > ids[:-1]).all():
        return ids, rows
    order = np.argsort(ids, kind="stable")
    ids, rows = ids[order], rows[order]
    begins = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    return ids[begins], np.add.reduceat(rows, begins)


def total(topology: Topology, ready: Planned, running: GraphEngine) -> int:
    """How many matches a pattern has."""
    return sum(int(part.weights.sum()) for part in matches(topology, *ready, running, Control()))


def one(vertex: int) -> Ids:
    """The set of one vertex."""
    return np.array([vertex], np.int32)


def sums(answer: Any) -> tuple[int, int, int]:
    """A grouping by vertex in three numbers: groups, rows, and rows weighed by the vertex; of a table, of arrays, of such numbers."""
    match answer:
        case pa.Table():
            ids, rows = (
                column.to_numpy().astype(np.int64) for column in (answer.column(0), answer.column(1))
            )
        case (np.ndarray() as ids, np.ndarray() as rows):
            ids = ids.astype(np.int64)
        case (groups, rows, weighed):
            return int(groups), int(rows or 0), int(weighed or 0)
    return len(ids), int(rows.sum()), int((ids * rows).sum())
