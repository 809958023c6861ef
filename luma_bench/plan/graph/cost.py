"""Estimates: how many vertices a node admits, how many edges a way has, from the graph's degrees."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from luma_bench.language.graph.pattern import Direction
from luma_bench.plan.graph.atoms import Kind, Way
from luma_bench.plan.graph.bound import BoundEdge, BoundNode
from luma_bench.plan.graph.statistics import Degrees, GraphStatistics

SAMPLES = 4096
"""Slots of a condition's mask that are looked at for its selectivity."""


class Estimator:
    """Estimates of one match; masks are sampled once."""

    __slots__ = ("_degrees", "_shares", "_sizes", "statistics")

    def __init__(self, statistics: GraphStatistics) -> None:
        self.statistics = statistics
        self._shares: dict[int, float] = {}
        self._sizes: dict[tuple[int, ...], int] = {}
        self._degrees: dict[tuple[int, int, int, bool], list[tuple[Degrees, float]]] = {}

    def whole(self, node: BoundNode) -> int:
        """The live vertices of a node's tables, one at least."""
        found = self._sizes.get(node.tables)
        if found is None:
            found = self._sizes[node.tables] = max(self.statistics.size(node.tables), 1)
        return found

    def size(self, node: BoundNode) -> float:
        """How many vertices a node admits."""
        if node.allowed is None:
            return float(self.statistics.size(node.tables))
        return float(min(len(node.allowed), self.whole(node)))

    def share(self, node: BoundNode) -> float:
        """The share of its tables' vertices that a node admits."""
        return 1.0 if node.allowed is None else self.size(node) / self.whole(node)

    def _kept(self, edge: BoundEdge, table: int) -> float:
        mask = edge.allowed.get(table)
        if mask is None:
            return 1.0
        if id(mask) not in self._shares:
            self._shares[id(mask)] = _share(mask)
        return self._shares[id(mask)]

    def degrees(self, way: Way) -> list[tuple[Degrees, float]]:
        """The degrees that a way goes by, each with the share of its edges that conditions leave."""
        # The pattern's own parts live as long as its plan is made; atoms may come and go.
        key = id(way.edge), id(way.atom.left), id(way.atom.right), way.forward
        held = self._degrees.get(key)
        if held is None:
            held = self._degrees[key] = self._looked_up(way)
        return held

    def _looked_up(self, way: Way) -> list[tuple[Degrees, float]]:
        found: list[tuple[Degrees, float]] = []
        anywhere = way.edge.quantifier is not None
        for table in way.edge.tables:
            item = self.statistics.edges[table]
            kept = self._kept(way.edge, table)
            ends = (item.source, item.destination)
            for direction, degrees, (origin, target) in (
                (Direction.RIGHT, item.out, ends),
                (Direction.LEFT, item.into, ends[::-1]),
            ):
                if way.direction in (direction, Direction.ANY) and (
                    anywhere or (origin in way.origin.tables and target in way.target.tables)
                ):
                    found.append((degrees, kept))
        return found

    def edges(self, way: Way) -> float:
        """The edges of a way in all, where each of its vertices were walked from."""
        return sum(degrees.edges * kept for degrees, kept in self.degrees(way))

    def most(self, way: Way) -> float:
        """The most edges that one vertex can have on a way."""
        return float(sum(degrees.maximum for degrees, _ in self.degrees(way)))

    def fanout(self, way: Way, *, met: bool) -> float:
        """The edges that a vertex of the way's origin has; more of them where it was `met` at the end of an edge."""
        origins = self.whole(way.origin)
        plain = biased = 0.0
        for degrees, kept in self.degrees(way):
            plain += degrees.edges * kept / origins
            biased += degrees.met * kept * min(1.0, degrees.vertices / origins)
        one = sqrt(plain * max(biased, plain)) if met else plain
        bounds = way.edge.quantifier
        if bounds is None:
            return one
        highest = bounds.least + 8 if bounds.most is None else bounds.most
        walks = sum(min(one**length, 1e15) for length in range(bounds.least, highest + 1))
        if way.atom.kind is Kind.REACH:
            return min(walks, float(self.whole(way.target)))
        return walks

    def between(self, way: Way) -> float:
        """The edges that two vertices, one of each side, are expected to have between them."""
        return self.fanout(way, met=True) / self.whole(way.target)


def _share(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    if len(mask) == 0:
        return 0.0
    sample = mask[:: max(len(mask) // SAMPLES, 1)]
    found = int(np.count_nonzero(sample))
    # A rare condition may have no slot in the sample: half of one stands for it.
    return max(found, 0.5) / len(sample)
