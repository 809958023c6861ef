"""Patterns as operators: bound and planned here, run by the matcher, and grouped; against joins over sorted and indexed tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import graph_duckdb
from benchmarks.graph_data import Graph, snb_of, starts_of
from benchmarks.graph_duckdb import INDEXED, JOINS
from benchmarks.graph_hops import STARTS, World, world
from benchmarks.graph_ladybug import NAME as LADYBUG
from benchmarks.graph_ours import (
    NUMBA,
    NUMPY,
    chain,
    counted,
    engine,
    one,
    planned,
    store,
    sums,
    topology_of,
    total,
)
from benchmarks.graph_turns import Ask, once, turns
from benchmarks.harness import Case, Contender, DisagreementError, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.merged import merged
from luma_bench.models.graph.topology import Topology

GROUPED, TAGS, COUNTED, TRIANGLES = (
    "two hops from one start, filtered, grouped", "tags liked by friends", "all two hops counted", "triangles",
)  # fmt: skip
OLD, LATE = 40, 500
"""`b.age > 40`, and `m.day >= 500`."""
_LADYBUG = (
    "MATCH (a:V)-[:E]->(b:V)-[:E]->(c:V) WHERE a.id = $start AND b.age > 40 WITH c.id AS c, count(*) AS k "
    "RETURN count(*), sum(k), sum(k * c)"
)


def run(request: Request) -> SuiteResult:
    """The two questions from single starts are asked from 20 of them, the two about the whole graph again and again."""
    notes: list[str] = []
    timings: list[Timing] = []
    with ExitStack() as stack:
        held = stack.enter_context(world(request))
        friends = stack.enter_context(social(request))
        indexed = graph_duckdb.loaded(held.graph, request.threads, indexed=True)
        stack.callback(indexed.close)
        graph_duckdb.orient(held.duckdb)
        asks = _grouped(held)
        asks[INDEXED] = lambda start: graph_duckdb.rows(indexed, graph_duckdb.TWO_HOPS, start=start)
        cases = [
            (
                turns(GROUPED, asks, held.busy, plain=sums, notes=notes, brief=True),
                len(held.busy) * request.rounds,
            ),
            (
                turns(TAGS, friends.asks(), friends.starts, plain=sums, brief=True),
                len(friends.starts) * request.rounds,
            ),
            (_all(held), request.rounds * 3),
        ]
        for case, rounds in cases:
            timings += measure([case], rounds=rounds)
            request.out.print(case.name, end="; ")
        timings += once(_triangles(held))
    request.out.print()
    result = SuiteResult(
        "graph-patterns",
        f"Patterns over {held.topology.edge_count:,} edges, and over {friends.topology.edge_count:,} of a social network: "
        f"operators, median and 99th percentile, {request.threads} threads",
        NUMBA,
        JOINS,
        tuple(timings),
        tails=True,
    )
    notes += [
        "Ours: matched and grouped; binding and planning, which DuckDB does in its time, are in the whole statements'.",
        f"{JOINS}: edges sorted by where they begin. {COUNTED}: both sides grouped before they are joined, the best SQL there is.",
        f"{TRIANGLES}: DuckDB joins edges that were turned to the vertex of more neighbours before; ours turns them within its time. One call each.",
    ]
    return SuiteResult(
        result.name,
        result.title,
        NUMBA,
        JOINS,
        result.timings,
        tuple(_targets(result)),
        tuple(notes),
        tails=True,
    )


def _grouped(held: World) -> dict[str, Ask]:
    ages = held.graph.table("v").column("age").to_numpy()
    old = np.flatnonzero(ages > OLD).astype(np.int32)

    ready = {
        start: planned(held.topology, chain(held.topology, (0, 0), (one(start), old, None), (2,)))
        for start in held.busy
    }

    def ours(running: GraphEngine) -> Ask:
        return lambda start: counted(held.topology, ready[start], running)

    asks: dict[str, Ask] = {name: ours(engine(name)) for name in (NUMBA, NUMPY)}
    asks[JOINS] = lambda start: graph_duckdb.rows(held.duckdb, graph_duckdb.TWO_HOPS, start=start)
    if held.ladybug is not None:
        asked = held.ladybug
        asks[LADYBUG] = lambda start: asked.ask(_LADYBUG, start=start)[0]
    return asks


@dataclass(frozen=True, slots=True)
class Social:
    """The social network's topology, and its tables in DuckDB.

    Attributes
    ----------
    path
        The bench.
    starts
        Persons with a few friends.
    """

    graph: Graph
    path: Path
    topology: Topology
    duckdb: Any
    starts: list[int]

    def asks(self, names: Sequence[str] = (NUMBA, NUMPY)) -> dict[str, Ask]:
        """The tags of late posts that friends like, and how often."""
        topology = self.topology
        posts, tags = (topology.vertices[topology.graph.vertex(name)].first for name in ("post", "tag"))
        days = self.graph.table("post").column("day").to_numpy()
        late = (posts + np.flatnonzero(days >= LATE)).astype(np.int32)

        ready = {
            start: planned(topology, chain(topology, (0, 1, 2), (one(start), None, late, None), (3,)))
            for start in self.starts
        }

        def ours(running: GraphEngine) -> Ask:
            def ask(start: int) -> Any:
                ids, rows = counted(topology, ready[start], running)
                return ids - tags, rows

            return ask

        asks: dict[str, Ask] = {name: ours(engine(name)) for name in names}
        asks[JOINS] = lambda start: graph_duckdb.rows(self.duckdb, graph_duckdb.TAGS, start=start)
        return asks


@contextmanager
def social(request: Request) -> Iterator[Social]:
    """The social network at the size of a request, loaded into both."""
    graph = snb_of(request.scale, request.data)
    with request.scratch() as folder:
        path = store(graph, folder, request.threads)
        with topology_of(path) as topology, graph_duckdb.loaded(graph, request.threads) as con:
            yield Social(graph, path, topology, con, starts_of(graph.table("knows"), STARTS, least=4))


def _all(held: World) -> Case:
    ages = held.graph.table("v").column("age").to_numpy()
    old = np.flatnonzero(ages > OLD).astype(np.int32)
    ready = planned(held.topology, chain(held.topology, (0, 0), (None, old, None)))

    def ours(name: str) -> Callable[[], int]:
        running = engine(name)
        return lambda: total(held.topology, ready, running)

    return Case(
        COUNTED,
        (
            *(Contender(name, ours(name)) for name in (NUMBA, NUMPY)),
            Contender(JOINS, lambda: graph_duckdb.number(held.duckdb, graph_duckdb.ALL_TWO_HOPS)),
        ),
        same,
    )


def _triangles(held: World) -> Case:
    csr = merged(held.topology)

    def ours(name: str) -> Callable[[], int]:
        running = engine(name)
        return lambda: int(running.triangles(csr).sum()) // 3

    return Case(
        TRIANGLES,
        (
            *(Contender(name, ours(name)) for name in (NUMBA, NUMPY)),
            Contender(JOINS, lambda: graph_duckdb.number(held.duckdb, graph_duckdb.TRIANGLES)),
        ),
        same,
    )


def same(left: Any, right: Any) -> None:
    """Raise where two plain answers differ."""
    if left != right:
        raise DisagreementError(f"{left} and {right}")


def _targets(result: SuiteResult) -> list[Target]:
    limits = ((GROUPED, 10.0), (TAGS, 20.0), (COUNTED, 10.0), (TRIANGLES, 3.0))
    targets: list[Target] = []
    for case, least in limits:
        for name in (NUMBA, NUMPY):
            mine, theirs = result.timing(case, name), result.timing(case, JOINS)
            assert mine is not None, "it answers every case"
            assert theirs is not None, "it answers every case"
            # Nothing was promised of triangles without compiled kernels.
            if (case, name) != (TRIANGLES, NUMPY):
                ratio = theirs.median / mine.median
                targets.append(Target(f"{case}: {JOINS} over {name}", ratio, least, " x", at_least=True))
    return targets
