"""Whole-graph algorithms as operators: against SciPy, igraph and networkit at full size, against networkx at an eighth of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.graph_data import Graph, grid_of, rmat_of, sizes, starts_of
from benchmarks.graph_ours import NUMBA, NUMPY, engine, store, topology_of
from benchmarks.graph_peers import (
    DAMPING,
    IGRAPH,
    ITERATIONS,
    NETWORKIT,
    NETWORKX,
    SCIPY,
    TOLERANCE,
    Edges,
    Library,
    available,
    depths,
    library,
)
from benchmarks.graph_turns import turns
from benchmarks.harness import Case, Contender, DisagreementError, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.merged import merged
from luma_bench.models.graph.topology import Csr, Floats

BFS, SSSP, PAGERANK, WCC = "BFS", "SSSP", "PageRank", "weak components"
PAIRS = 20
DIJKSTRA, ASTAR, BOTH, PAIR = "Dijkstra", "A*", "bidirectional", "one pair"
_PEERS = (SCIPY, IGRAPH, NETWORKIT)


@dataclass(frozen=True, slots=True)
class Whole:
    """One graph in our form and as an edge list; weights by the position of each CSR."""

    csr: Csr
    reverse: Csr
    weights: Floats
    reverse_weights: Floats
    edges: Edges
    source: int


def run(request: Request) -> list[SuiteResult]:
    """The large graphs, the small one that networkx can load too, and the pairs of the road map."""
    bits, side = sizes(request.scale)
    peers = available(*_PEERS)
    with whole(rmat_of(bits, request.data), request) as large:
        timings = _measured(large, peers, (BFS, SSSP, PAGERANK, WCC), request)
        edges = f"{len(large.csr.slots):,} edges of a power law"
    roads = grid_of(side, request.data)
    with whole(roads, request) as streets:
        timings += _measured(streets, peers, (SSSP,), request, ", roads")
        edges += f", and {len(streets.csr.slots):,} of a road map"
        pairs = _pairs(streets, roads, request)
    with whole(rmat_of(max(8, bits - 3), request.data), request) as small:
        named = _measured(small, [SCIPY, *available(NETWORKX)], (BFS, SSSP, PAGERANK, WCC), request)
        few = f"{len(small.csr.slots):,} edges"
    request.out.print()
    first = SuiteResult("graph-algorithms", "", NUMBA, SCIPY, timings)
    second = SuiteResult("graph-networkx", "", NUMBA, NETWORKX, named)
    missing = [name for name in (*_PEERS, NETWORKX) if name not in available(*_PEERS, NETWORKX)]
    return [
        replace(
            first,
            title=f"Algorithms over {edges}: operators, {request.threads} threads",
            targets=tuple(_against_fastest(first)),
            notes=(
                "BFS and SSSP: ours give distances, parents and the edges taken, SciPy an order and parents, or distances, the others distances.",
                f"PageRank: damping {DAMPING}, until the ranks change by less than {TOLERANCE:g} in sum; {IGRAPH} solves it its own way.",
                "SciPy's PageRank is a loop over its product of matrix and vector, with the same end.",
                *([f"Not installed, so left out: {', '.join(missing)}."] if missing else []),
            ),
        ),
        replace(
            second,
            title=f"The same over {few}, what networkx can hold: operators",
            targets=tuple(_against_networkx(second)),
        ),
        pairs,
    ]


@contextmanager
def whole(graph: Graph, request: Request) -> Iterator[Whole]:
    """A graph out of a bench, in the form that kernels take."""
    rows = graph.table("e")
    source, destination, weight = (rows.column(name).to_numpy() for name in ("s", "d", "w"))
    edges = Edges(graph.table("v").num_rows, source, destination, weight)
    with ExitStack() as stack:
        path = store(graph, stack.enter_context(request.scratch()), request.threads)
        topology = stack.enter_context(topology_of(path))
        csr, reverse = merged(topology), merged(topology, reverse=True)
        by_slot = weight[topology.edges[0].row_ids - int(topology.edges[0].row_ids.min())]
        start = starts_of(rows, 1, least=4)[0]
        yield Whole(csr, reverse, by_slot[csr.slots], by_slot[reverse.slots], edges, start)


def _measured(
    held: Whole, peers: list[str], names: tuple[str, ...], request: Request, suffix: str = ""
) -> tuple[Timing, ...]:
    """The algorithms on one graph by everybody, all answers compared with those of our compiled kernels."""
    libraries = {name: library(name, held.edges, request.threads) for name in peers}
    asks: dict[str, dict[str, Callable[[], Any]]] = {}
    for name in (NUMBA, NUMPY):
        asks[name] = _ours(engine(name), held)
    for name, one in libraries.items():
        asks[name] = _theirs(one, held.source)
    plain: dict[str, Callable[[Any], Any]] = {
        BFS: lambda answer: _distances(answer, held),
        SSSP: lambda answer: _distances(answer, held),
        PAGERANK: np.asarray,
        WCC: _canonical,
    }
    cases = [
        Case(
            f"{case}{suffix}",
            tuple(Contender(name, one[case]) for name, one in asks.items()),
            _agreement(plain[case], 1e-6 if case == PAGERANK else 1e-9),
        )
        for case in names
    ]
    return measure(
        cases, rounds=request.rounds, on_case=lambda case, _: request.out.print(case.name, end="; ")
    )


def _ours(running: GraphEngine, held: Whole) -> dict[str, Callable[[], Any]]:
    return {
        BFS: lambda: running.bfs(held.csr, held.source),
        SSSP: lambda: running.sssp(held.csr, held.weights, held.source),
        PAGERANK: lambda: running.pagerank(
            held.csr, held.reverse, damping=DAMPING, tolerance=TOLERANCE, iterations=ITERATIONS
        ),
        WCC: lambda: running.weak_components(held.csr),
    }


def _theirs(one: Library, source: int) -> dict[str, Callable[[], Any]]:
    return {
        BFS: lambda: one.bfs(source),
        SSSP: lambda: one.sssp(source),
        PAGERANK: one.pagerank,
        WCC: one.components,
    }


def _distances(answer: Any, held: Whole) -> Floats:
    if hasattr(answer, "distance"):
        return answer.distance
    if isinstance(answer, tuple):
        return depths(answer, held.edges.vertices)
    return np.asarray(answer, np.float64)


def _canonical(answer: Any) -> Floats:
    """Labels as the smallest vertex that carries each."""
    labels = np.asarray(answer)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].astype(np.float64)


def _agreement(plain: Callable[[Any], Any], tolerance: float) -> Callable[[Any, Any], None]:
    def agree(left: Any, right: Any) -> None:
        mine, other = plain(left), plain(right)
        wrong = ~np.isclose(mine, other, rtol=tolerance, atol=tolerance)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise DisagreementError(
                f"{wrong.sum():,} vertices differ, first {at}: {mine[at]} and {other[at]}"
            )

    return agree


def _pairs(held: Whole, roads: Graph, request: Request) -> SuiteResult:
    """Single pairs on the road map: each call is one of 20 pairs, the ways of search interleaved."""
    places = np.stack([roads.table("v").column(name).to_numpy() for name in ("x", "y")], axis=1)
    labels = engine(NUMPY).weak_components(held.csr)
    inside = np.flatnonzero(labels == np.bincount(labels).argmax())
    pairs = np.random.default_rng(5).choice(inside, (PAIRS, 2)).tolist()
    ways: dict[str, dict[str, Any]] = {
        DIJKSTRA: {},
        ASTAR: {"coordinates": places},
        BOTH: {"reverse": (held.reverse, held.reverse_weights)},
    }
    asks = {f"{way}, numba": _between(engine(NUMBA), held, options) for way, options in ways.items()}
    asks[f"{DIJKSTRA}, numpy"] = _between(engine(NUMPY), held, {})
    first, *others = asks
    for pair in pairs:
        exact = asks[first](pair)
        for other in others:
            if not np.isclose(asks[other](pair), exact, rtol=1e-9):
                raise DisagreementError(f"{first} and {other} from {pair[0]} to {pair[1]} differ")
    compared = turns(PAIR, asks, pairs, plain=lambda _: "alike, see above")
    timings = measure([compared], rounds=len(pairs) * request.rounds)
    request.out.print(PAIR, end="; ")
    median = {timing.contender: timing.median for timing in timings}
    astar = f"{ASTAR}, numba"
    return SuiteResult(
        "graph-pairs",
        f"The cheapest path between two of {held.csr.vertices:,} crossings: operators, median and 99th percentile of single pairs",
        astar,
        first,
        timings,
        (Target(f"{astar} against {first}", median[astar] / median[first], 0.6, " x"),),
        ("Without compiled kernels SciPy searches from the start to everywhere, whatever the way.",),
        tails=True,
    )


def _between(running: GraphEngine, held: Whole, options: Mapping[str, Any]) -> Callable[[Any], float]:
    return lambda pair: running.pair(held.csr, held.weights, *pair, **options).distance


def _of(result: SuiteResult, case: str, contender: str) -> float:
    found = result.timing(case, contender)
    assert found is not None, "it was measured"
    return found.median


def _against_fastest(result: SuiteResult) -> Iterator[Target]:
    for case in result.cases:
        theirs = [found.median for name in _PEERS if (found := result.timing(case, name)) is not None]
        yield Target(
            f"{case}: {NUMBA} against the fastest peer", _of(result, case, NUMBA) / min(theirs), 1.2, " x"
        )


def _against_networkx(result: SuiteResult) -> Iterator[Target]:
    for case in result.cases:
        for name in (NUMBA, NUMPY):
            if (theirs := result.timing(case, NETWORKX)) is not None:
                ratio = theirs.median / _of(result, case, name)
                yield Target(f"{case}: {NETWORKX} over {name}", ratio, 8.0, " x", at_least=True)
