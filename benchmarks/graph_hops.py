"""How many vertices are within k edges of one: the operator over adjacency, against joins, Ladybug and igraph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import graph_duckdb, graph_ladybug
from benchmarks.graph_data import Graph, rmat_of, sizes, starts_of
from benchmarks.graph_duckdb import JOINS
from benchmarks.graph_ladybug import NAME as LADYBUG
from benchmarks.graph_ladybug import Ladybug
from benchmarks.graph_ours import NUMBA, NUMPY, engine, one, store, topology_of
from benchmarks.graph_peers import IGRAPH, Edges, Library, available, library
from benchmarks.graph_turns import Ask, turns
from benchmarks.harness import SuiteResult, Target, Timing, measure
from benchmarks.suite import Request
from luma_bench.models.graph.topology import Topology

STARTS, MOST = 20, 3
_LADYBUG = (
    "MATCH (a:V)-[:E]->(b:V) WHERE a.id = $start AND b.id <> $start RETURN count(DISTINCT b.id)",
    "MATCH (a:V)-[e:E* SHORTEST 1..{hops}]->(b:V) WHERE a.id = $start AND b.id <> $start RETURN count(DISTINCT b.id)",
)


@dataclass(frozen=True, slots=True)
class World:
    """The power-law graph in every contender.

    Attributes
    ----------
    starts, busy
        Vertices that an edge leaves; and such that at least three leave, for patterns.
    """

    graph: Graph
    path: Path
    topology: Topology
    duckdb: Any
    ladybug: Ladybug | None
    igraph: Library | None
    starts: list[int]
    busy: list[int]


@contextmanager
def world(request: Request, *, peers: bool = True) -> Iterator[World]:
    """The power-law graph at the size of a request, loaded everywhere; without `peers` in our operators and DuckDB only."""
    graph = rmat_of(sizes(request.scale)[0], request.data)
    rows = graph.table("e")
    edges = Edges(graph.table("v").num_rows, *(column.to_numpy() for column in rows.columns))
    with ExitStack() as held:
        folder = held.enter_context(request.scratch())
        path = store(graph, folder, request.threads)
        topology = held.enter_context(topology_of(path))
        asked: Ladybug | None = None
        if peers and graph_ladybug.available():
            asked = held.enter_context(Ladybug(folder / "ladybug.db", request.threads))
            graph_ladybug.fill(asked, graph.files["v"], graph.files["e"])
        found = library(IGRAPH, edges, request.threads) if peers and available(IGRAPH) else None
        con = graph_duckdb.loaded(graph, request.threads)
        held.callback(con.close)
        yield World(
            graph,
            path,
            topology,
            con,
            asked,
            found,
            starts_of(rows, STARTS),
            starts_of(rows, STARTS, least=3, seed=5),
        )


def run(request: Request) -> SuiteResult:
    """One call is one start; every contender has the same 20 of them."""
    notes: list[str] = []
    timings: list[Timing] = []
    with world(request) as held:
        for hops in range(1, MOST + 1):
            case = turns(name_of(hops), _asks(held, hops), held.starts, notes=notes, brief=hops < MOST)
            passes = 1 if hops == MOST else request.rounds
            timings += measure([case], rounds=passes * len(held.starts))
            request.out.print(case.name, end="; ")
        request.out.print()
        title = f"Vertices within k edges of one, of {held.topology.edge_count:,} edges"
        if held.ladybug is not None:
            waited = measure(
                [turns("empty", {LADYBUG: lambda _: held.ladybug.ask("RETURN 1")}, [0])], rounds=50
            )
            notes.append(
                f"{LADYBUG} answers from a process of its own: {waited[0].median * 1e3:.2f} ms of each call go there and back."
            )
    result = SuiteResult(
        "graph-hops",
        f"{title}: operators, median and 99th percentile of single starts, {request.threads} threads",
        NUMBA,
        JOINS,
        tuple(timings),
        tails=True,
    )
    missing = [name for name in (LADYBUG, IGRAPH) if name not in result.contenders]
    notes += [
        f"The same {len(held.starts)} starts for everybody; the start itself is not counted.",
        "Before each short call its contender answers for another start, untimed: nobody pays for the caches that the one before left.",
        *([f"Not installed, so left out: {', '.join(missing)}."] if missing else []),
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


def name_of(hops: int) -> str:
    """The name of a case."""
    return f"k = {hops}"


def _asks(held: World, hops: int) -> dict[str, Ask]:
    asks: dict[str, Ask] = {name: ours(held.topology, name, hops) for name in (NUMBA, NUMPY)}
    asks[JOINS] = lambda start: graph_duckdb.number(held.duckdb, graph_duckdb.reached(start, hops))
    if held.ladybug is not None:
        asked, text = held.ladybug, _LADYBUG[hops > 1].format(hops=hops)
        asks[LADYBUG] = lambda start: asked.ask(text, start=start)[0][0]
    if held.igraph is not None and held.igraph.within is not None:
        within = held.igraph.within
        asks[IGRAPH] = lambda start: within(start, hops)
    return asks


def ours(topology: Topology, name: str, hops: int) -> Ask:
    """Counts with one of our engines."""
    running, out = engine(name), topology.edges[0].out

    def ask(start: int) -> int:
        found = running.reach(((out, None),), one(start), 1, hops)
        at = int(np.searchsorted(found, start))
        return len(found) - (at < len(found) and int(found[at]) == start)

    return ask


def _targets(result: SuiteResult) -> Iterator[Target]:
    first = result.timing(name_of(1), NUMPY)
    assert first is not None, "it answers every case"
    yield Target(f"{name_of(1)}: {NUMPY}", first.median, 0.3e-3, "s")
    for hops in range(2, MOST + 1):
        for ours, least in ((NUMBA, 10.0), (NUMPY, 4.0)):
            mine = result.timing(name_of(hops), ours)
            for peer in (JOINS, LADYBUG):
                theirs = result.timing(name_of(hops), peer)
                if mine is not None and theirs is not None:
                    ratio = theirs.median / mine.median
                    yield Target(f"{name_of(hops)}: {peer} over {ours}", ratio, least, " x", at_least=True)
