"""Whole statements: the same questions as KadeQL, from text to Arrow, against the same as SQL; with and without compiled kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa

import luma_bench as lb
from benchmarks import graph_duckdb
from benchmarks.graph_duckdb import INDEXED, JOINS
from benchmarks.graph_hops import MOST, world
from benchmarks.graph_ours import NUMBA, NUMPY, asking, sums
from benchmarks.graph_patterns import COUNTED, GROUPED, TAGS, social
from benchmarks.graph_turns import Ask, turns
from benchmarks.harness import SuiteResult, Target, Timing, measure
from benchmarks.suite import Request

OWN_JOINS = "luma, joins"
"""The statement, answered by joins over the same bench: what it costs where adjacency may not be used."""
GROUPED_TEXT = (
    "MATCH (a:v)-[:e]->(b:v)-[:e]->(c:v) WHERE a.id = $start AND b.age > 40 RETURN c.id AS c, count(*) AS k"
)
TAGS_TEXT = (
    "MATCH (p:person)-[:knows]->(f:person)-[:likes]->(m:post)-[:hastag]->(t:tag) WHERE p.id = $start AND m.day >= 500 "
    "RETURN t.id AS t, count(*) AS k"
)
COUNTED_TEXT = "MATCH (a:v)-[:e]->(b:v)-[:e]->(c:v) WHERE b.age > 40 RETURN count(*)"
REACHED_TEXT = "MATCH (a:v)-[:e]->{{1,{hops}}}(b:v) WHERE a.id = $start RETURN count(DISTINCT b.id)"


def run(request: Request) -> SuiteResult:
    """Medians and 99th percentiles of single statements, each from another start."""
    timings: list[Timing] = []
    with ExitStack() as stack:
        held = stack.enter_context(world(request, peers=False))
        friends = stack.enter_context(social(request))
        indexed = graph_duckdb.loaded(held.graph, request.threads, indexed=True)
        stack.callback(indexed.close)

        def opened(path: Any) -> dict[str, lb.Bench]:
            return {name: stack.enter_context(asking(path, name, request.threads)) for name in (NUMBA, NUMPY)}

        benches, social_benches = opened(held.path), opened(friends.path)

        def case(
            name: str,
            text: str,
            peers: Mapping[str, Ask],
            starts: Sequence[int],
            *,
            plain: Callable[[Any], Any],
            passes: int = request.rounds,
            own: Mapping[str, lb.Bench] = benches,
        ) -> None:
            asks = {who: _said(bench, text) for who, bench in own.items()} | dict(peers)
            timings.extend(
                measure(
                    [turns(name, asks, starts, plain=plain, brief=passes > 1)], rounds=passes * len(starts)
                )
            )
            request.out.print(name, end="; ")

        con = held.duckdb
        for hops in range(1, MOST + 1):
            peers: dict[str, Ask] = {JOINS: _reached(con, hops)}
            passes = 1 if hops == MOST else request.rounds
            case(
                f"k = {hops}",
                REACHED_TEXT.format(hops=hops),
                peers,
                held.starts,
                plain=_number,
                passes=passes,
            )
        peers = {who: _joined(one, graph_duckdb.TWO_HOPS) for who, one in ((JOINS, con), (INDEXED, indexed))}
        walked = stack.enter_context(asking(held.path, NUMPY, request.threads, plan="sql"))
        peers[OWN_JOINS] = _said(walked, GROUPED_TEXT)
        case(GROUPED, GROUPED_TEXT, peers, held.busy, plain=sums)
        peers = {JOINS: lambda _: graph_duckdb.rows(con, graph_duckdb.ALL_TWO_HOPS)}
        case(COUNTED, COUNTED_TEXT, peers, held.starts[:3], plain=_number)
        peers = {JOINS: _joined(friends.duckdb, graph_duckdb.TAGS)}
        case(TAGS, TAGS_TEXT, peers, friends.starts, plain=sums, own=social_benches)
    request.out.print()
    result = SuiteResult(
        "graph-statements",
        f"Whole statements over {held.topology.edge_count:,} edges, and over {friends.topology.edge_count:,} of a social network: "
        f"text to Arrow, nothing cached, median and 99th percentile of single starts, {request.threads} threads",
        NUMBA,
        JOINS,
        tuple(timings),
        tails=True,
    )
    return SuiteResult(
        result.name,
        result.title,
        NUMBA,
        JOINS,
        result.timings,
        tuple(_targets(result)),
        (
            f"{GROUPED}: {GROUPED_TEXT}",
            "k = 1 to 3 count the start too where a cycle leads back to it, in both languages.",
            "Ours read a bench on disk, whose topology and filtered sets stay in memory from one statement to the next.",
        ),
        tails=True,
    )


def _said(bench: lb.Bench, text: str) -> Ask:
    if "$start" not in text:
        return lambda _: bench.kadeql(text, cache=False).to_arrow()
    return lambda start: bench.kadeql(text, {"start": start}, cache=False).to_arrow()


def _joined(con: Any, text: str) -> Ask:
    return lambda start: graph_duckdb.rows(con, text, start=start)


def _reached(con: Any, hops: int) -> Ask:
    return lambda start: graph_duckdb.rows(con, graph_duckdb.reached(start, hops, itself=True))


def _number(answer: pa.Table) -> int:
    return int(answer.column(0)[0].as_py())


def _targets(result: SuiteResult) -> list[Target]:
    targets: list[Target] = []
    for name in (NUMBA, NUMPY):
        mine, theirs = result.timing(GROUPED, name), result.timing(GROUPED, JOINS)
        assert mine is not None, "it answers every case"
        assert theirs is not None, "it answers every case"
        targets += [
            Target(f"{GROUPED}: {name}", mine.median, 5e-3, "s"),
            Target(f"{GROUPED}: {JOINS} over {name}", theirs.median / mine.median, 5.0, " x", at_least=True),
        ]
    return targets
