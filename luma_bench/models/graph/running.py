"""What the steps of one match share: the topology, the engine, limits, and masks that were made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

import numpy as np

from luma_bench.models.control import Control, Step
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.expand import ROW_BYTES, Hop, hops_of
from luma_bench.models.graph.topology import Bools, Floats, Ids, Ints, Topology
from luma_bench.plan.graph.atoms import Way
from luma_bench.plan.graph.bound import BoundNode

FEW: Final = 64
FEW_MORE: Final = 4096
"""Vertices of which a mask would cost more than looking them up one by one."""
LARGEST: Final = float(2**63 - 1)
EXACT: Final = float(2**53)
"""Up to here sums of floats are exact."""


class Admission:
    """The vertices that a node admits: looked up in a mask once that is worth making, in the sorted ids before.

    Parameters
    ----------
    ids
        int32 dense ids, ascending.
    """

    __slots__ = ("_mask", "_topology", "ids")

    def __init__(self, topology: Topology, ids: Ids) -> None:
        self.ids = ids
        self._topology = topology
        self._mask: Bools | None = None

    @property
    def mask(self) -> Bools:
        """By dense id. What a condition admits is asked for again by the next query: where it is much, the topology keeps it."""
        if self._mask is None and len(self.ids) * FEW < self._topology.vertex_count:
            self._mask = self._masked()[1]
        elif self._mask is None:
            held: tuple[Ids, Bools] = self._topology.memo.get(
                ("admitted", id(self.ids)), self._masked, lambda pair: pair[0].nbytes + pair[1].nbytes
            )
            # Of a condition that is gone an array may stand where this one stands now.
            self._mask = held[1] if held[0] is self.ids else self._masked()[1]
        return self._mask

    def _masked(self) -> tuple[Ids, Bools]:
        mask = np.zeros(self._topology.vertex_count, np.bool_)
        mask[self.ids] = True
        return self.ids, mask

    def holds(self, vertices: Ids) -> Bools:
        """Whether each vertex is admitted; a negative one is not."""
        if self._mask is None and len(vertices) * FEW < len(self.ids) + FEW_MORE:
            if len(self.ids) == 0:
                return np.zeros(len(vertices), np.bool_)
            places = np.searchsorted(self.ids, vertices)
            return self.ids[np.minimum(places, len(self.ids) - 1)] == vertices
        return self.mask[vertices] & (vertices >= 0)

    def kept(self, vertices: Ids) -> Ints:
        """The places of those that are admitted."""
        return np.flatnonzero(self.holds(vertices))


@dataclass(slots=True, eq=False)
class Run:
    """One match as it runs.

    Attributes
    ----------
    exists
        Whether equal rows are ignored, so that one match is as good as many.
    """

    topology: Topology
    engine: GraphEngine
    control: Control
    exists: bool
    _hops: dict[int, tuple[Way, tuple[Hop, ...]]] = field(
        default_factory=dict[int, tuple[Way, tuple[Hop, ...]]]
    )
    _admissions: dict[tuple[int, bool], tuple[BoundNode, Admission | None]] = field(
        default_factory=dict[Any, Any]
    )

    @property
    def limit(self) -> int:
        """The rows that a step makes at a time, about."""
        most = 4 * self.control.batch
        if self.control.memory:
            most = min(most, self.control.memory // ROW_BYTES)
        return max(most, 1024)

    def hops(self, way: Way) -> tuple[Hop, ...]:
        """The adjacencies that a way goes by."""
        found = self._hops.get(id(way))
        if found is None:
            found = self._hops[id(way)] = way, hops_of(self.topology, way)
        return found[1]

    def admission(self, node: BoundNode, *, tables: bool = False) -> Admission | None:
        """Which vertices a node admits; None where it admits every one.

        Adjacency leads to vertices of one table, and no live edge to a dead one: only where a vertex may be of any table
        (`tables`) the node's tables are looked at.
        """
        key = id(node), tables
        found = self._admissions.get(key)
        if found is None:
            found = self._admissions[key] = node, self._admission(node, tables)
        return found[1]

    def _admission(self, node: BoundNode, tables: bool) -> Admission | None:
        topology = self.topology
        if node.allowed is not None:
            return Admission(topology, node.allowed)
        whole = set(node.tables) == set(range(len(topology.vertices)))
        if not tables or (whole and all(rows.dead is None for rows in topology.vertices)):
            return None
        return Admission(topology, topology.live_vertices(node.tables))

    def admitted(self, node: BoundNode) -> Ids:
        """The dense ids that a node admits, ascending."""
        return self.topology.live_vertices(node.tables) if node.allowed is None else node.allowed


@dataclass(slots=True, eq=False)
class Meter:
    """A step's record, with the time of all before it, from which its own is told."""

    record: Step
    before: Meter | None
    whole: float = 0.0

    def over(self, rows: Iterator[Bindings]) -> Iterator[Bindings]:
        """The same rows, counted and timed."""
        while True:
            earlier = 0.0 if self.before is None else self.before.whole
            began = perf_counter()
            batch = next(rows, None)
            took = perf_counter() - began
            self.whole += took
            self.record.seconds += took - (0.0 if self.before is None else self.before.whole - earlier)
            if batch is None:
                return
            self.record.rows += batch.rows
            yield batch


def times(left: Ints | None, right: Ints | None) -> Ints | None:
    """The product of two weights, of which None is one everywhere; exact, or refused where a row has too many matches."""
    if left is None or right is None:
        return right if left is None else left
    if len(left) == 0:
        return left
    if float(left.max()) * float(right.max()) > LARGEST:
        most = float((left.astype(np.float64) * right).max())
        if most > LARGEST * (1 - 1e-9):
            raise too_many(most)
    return left * right


def plus(left: Ints, right: Ints) -> Ints:
    """The sum of two weights, exact, or refused."""
    if len(left) and float(left.max()) + float(right.max()) > LARGEST:
        most = float((left.astype(np.float64) + right).max())
        if most > LARGEST * (1 - 1e-9):
            raise too_many(most)
    return left + right


def too_many(matches: float) -> Exception:
    """The refusal of a count that no 64-bit number holds."""
    from luma_bench.errors import ResourceError

    return ResourceError(
        f"A row of this pattern stands for about {matches:.1e} matches, more than can be counted exactly.",
        hint="Bound the pattern (a start, fewer repeats), or count distinct ends: RETURN DISTINCT ….",
    )


def summed(places: Ints | Ids, weights: Ints | None, count: int) -> Ints:
    """By place below `count`, the sum of the weights that fall there, exact; of ones for None."""
    if weights is None:
        return np.bincount(places, minlength=count)
    whole: float = float(weights.sum(dtype=np.float64))
    if whole < EXACT:
        sums: Floats = np.bincount(places, weights=weights, minlength=count)
        return sums.astype(np.int64)
    if whole > LARGEST * (1 - 1e-9) and len(places):
        most = float(np.bincount(places, weights=weights, minlength=count).max())
        if most > LARGEST * (1 - 1e-9):
            raise too_many(most)
    exact = np.zeros(count, np.int64)
    np.add.at(exact, places.astype(np.intp), weights)
    return exact
