"""BETWEENNESS: how many of the shortest paths between others lead over each vertex."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.algorithms.columns import weights
from luma_bench.models.graph.algorithms.spec import (
    DIRECTED,
    AlgorithmResult,
    AlgorithmSpec,
    Argument,
    ResultColumn,
    Task,
)
from luma_bench.models.graph.topology import Csr, Floats, Ids


def compute(task: Task) -> AlgorithmResult:
    """Betweenness of all live vertices, from all sources or a sample of them."""
    csr, live = task.along(), task.live()
    task.fits(csr, vertex=64, edge=40)
    costs = None if task.values["weight"] is None else weights(task, csr, zero=False)
    csr, costs = without_parallels(csr, costs)
    wanted = len(live) if task.values["k"] is None else int(task.values["k"])
    sampled: Ids | None = None
    if wanted < len(live):
        random = np.random.default_rng(int(task.values["seed"]))
        sampled = np.sort(random.choice(live, wanted, replace=False))
    sources = live if sampled is None else sampled
    sums = task.engine.betweenness(csr, sources, costs, check=task.control.check)[live]
    score = _scaled(sums, live, sampled, task.values)
    return AlgorithmResult(live, {"score": score})


def without_parallels(csr: Csr, costs: Floats | None) -> tuple[Csr, Floats | None]:
    """The graph with one edge for each pair of ends, the cheapest."""
    if not len(csr.neighbours):
        return csr, costs
    first = np.ones(len(csr.neighbours), np.bool_)
    np.not_equal(csr.neighbours[1:], csr.neighbours[:-1], out=first[1:])
    begins = csr.indptr[:-1]
    first[begins[begins < len(first)]] = True
    if first.all():
        return csr, costs
    places = np.flatnonzero(first)
    indptr = np.concatenate(([0], np.cumsum(first)))[csr.indptr]
    kept = Csr(indptr, csr.neighbours[places], csr.slots[places])
    return kept, None if costs is None else np.minimum.reduceat(costs, places)


def _scaled(sums: Floats, live: Ids, sampled: Ids | None, values: Any) -> Floats | pa.Array:
    """As networkx scales: by the pairs that a path could join, of which a sampled source has one start fewer."""
    others = len(live) - 1
    if others < 2:
        return sums
    ways = 1.0 if values["directed"] else 2.0
    every = 1.0 / (others - 1) if values["normalized"] else others / ways
    if sampled is None:
        return sums * (every / others)
    if len(sampled) == 1:
        unknown = live == sampled[0]
        return pa.array(sums * every, mask=unknown)
    return np.where(
        np.isin(live, sampled), sums * (every / (len(sampled) - 1)), sums * (every / len(sampled))
    )


BETWEENNESS = AlgorithmSpec(
    name="BETWEENNESS",
    help="The share of shortest paths between other vertices that lead over each, as networkx defines and scales it "
    "(Brandes 2001, 2008); parallel edges count as one. A sampled source of k = 1 has NULL: nothing is known of it.",
    arguments=(
        Argument(
            name="k", kind="int", least=1, help="paths from so many sampled sources only; without it, exact"
        ),
        Argument(name="seed", kind="int", default=0, least=0, help="decides the sample (0)"),
        Argument(
            name="normalized",
            kind="bool",
            default=True,
            help="whether scores are shares of all pairs, from 0 to 1 (true)",
        ),
        Argument(
            name="weight",
            kind="edge column",
            help="a column of the edges, above 0, that is added up; without it edges are counted",
        ),
        DIRECTED,
    ),
    results=(ResultColumn("score", pa.float64(), "its betweenness"),),
    compute=compute,
)
"""BETWEENNESS(GRAPH g, k, seed, normalized, weight, directed): score."""
