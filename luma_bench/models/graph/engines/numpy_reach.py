"""What walks of bounded length reach, in NumPy: set after set, gathered where small and multiplied where dense."""

from __future__ import annotations

import numpy as np

from luma_bench.models.graph.engine import Check
from luma_bench.models.graph.engines.numpy_expand import blocks, bounds, kept, one_row, parts, rows_of
from luma_bench.models.graph.engines.numpy_sparse import Narrow
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, Ids

DENSE = 6
"""A frontier with more than this part of the edges is a sparse product: it costs about so many times less an edge."""
SMALL = 1 << 14
"""Edges of a frontier that are gathered in any case."""

Edges = tuple[tuple[Adjacency, Bools | None], ...]


class Reach:
    """The state of one search: what it has seen, and the masks of edges that dense steps need."""

    def __init__(self, adjacencies: Edges, sources: Ids, narrow: Narrow) -> None:
        self._adjacencies = adjacencies
        self._narrow = narrow
        self._vertices = max(
            [rows_of(adjacency) for adjacency, _ in adjacencies]
            + [int(sources.max()) + 1 if len(sources) else 0]
        )
        self._masks: dict[tuple[int, int], Bools] = {}

    def run(self, sources: Ids, least: int, most: int | None, check: Check) -> Ids:
        """See `GraphEngine.reach`."""
        current = distinct(sources, self._vertices)
        for _ in range(least):
            before, current = current, self._step(current, None)
            check()
            if not len(current) or np.array_equal(before, current):
                break
        depth = least
        if depth == most or not len(current):
            return current
        seen = np.zeros(self._vertices, np.bool_)
        seen[current] = True
        found = [current]
        while len(current) and (most is None or depth < most):
            current = self._step(current, seen)
            seen[current] = True
            found.append(current)
            depth += 1
            check()
        total = sum(len(item) for item in found)
        if total > self._vertices // 32:
            return np.flatnonzero(seen).astype(np.int32)
        return np.sort(np.concatenate(found))

    def _step(self, frontier: Ids, seen: Bools | None) -> Ids:
        """The ends of the edges of these vertices that were not seen, ascending."""
        ends: list[Ids] = []
        for adjacency, allowed in self._adjacencies:
            if len(frontier) == 1:
                ends.append(one_row(adjacency, int(frontier[0]), allowed)[0])
                continue
            for csr in parts(adjacency):
                edges = int(bounds(csr, frontier)[1].sum())
                if edges > SMALL and edges > len(csr.neighbours) // DENSE:
                    ends.append(self._product(csr, frontier, adjacency.dead, allowed))
                    continue
                for _, positions in blocks(csr, frontier):
                    if adjacency.dead is not None or allowed is not None:
                        positions = positions[kept(csr.slots[positions], adjacency.dead, allowed)]
                    reached = csr.neighbours[positions]
                    ends.append(reached if seen is None else reached[~seen[reached]])
        if not ends:
            return frontier[:0]
        reached = np.concatenate(ends) if len(ends) != 1 else ends[0]
        if seen is not None and len(reached):
            reached = reached[~seen[reached]]
        return distinct(reached, self._vertices)

    def _product(self, csr: Csr, frontier: Ids, dead: Bools | None, allowed: Bools | None) -> Ids:
        key = (id(csr), id(allowed))
        mask = self._masks.get(key)
        if mask is None:
            mask = kept(csr.slots, dead, allowed)
            mask = np.ones(len(csr.neighbours), np.bool_) if mask is None else mask
            self._masks[key] = mask
        start = np.zeros(csr.vertices, np.bool_)
        start[frontier[frontier < csr.vertices]] = True
        matrix = self._narrow.matrix(csr, mask, columns=self._vertices)
        return np.flatnonzero(matrix.T @ start).astype(np.int32)


def distinct(ids: Ids, vertices: int) -> Ids:
    """Each of these dense ids once, ascending."""
    if len(ids) > vertices // 16:
        marked = np.zeros(vertices, np.bool_)
        marked[ids] = True
        return np.flatnonzero(marked).astype(np.int32)
    if len(ids) < 2:
        return ids.astype(np.int32, copy=False)
    ordered = np.sort(ids)
    first = np.empty(len(ordered), np.bool_)
    first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]
