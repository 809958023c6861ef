"""The kernels that matching asks for, edge by edge in Python: slow, and like no engine of the product."""

from __future__ import annotations

import numpy as np

from luma_bench.models.graph.engine import Expansion


class PlainEngine:
    name = "plain"
    compiled = False

    def _edges(self, adjacency, vertex, allowed):
        found = []
        for csr in (adjacency.base, adjacency.delta):
            if csr is None or not 0 <= vertex < csr.vertices:
                continue
            for at in range(int(csr.indptr[vertex]), int(csr.indptr[vertex + 1])):
                slot = int(csr.slots[at])
                if adjacency.dead is not None and adjacency.dead[slot]:
                    continue
                if allowed is None or allowed[slot]:
                    found.append((int(csr.neighbours[at]), slot))
        return sorted(found)

    def expand(self, adjacency, frontier, allowed=None):
        found = [
            (row, *edge)
            for row, vertex in enumerate(frontier.tolist())
            for edge in self._edges(adjacency, vertex, allowed)
        ]
        columns = np.array(found, np.int64).reshape(-1, 3).T
        return Expansion(columns[0], columns[1].astype(np.int32), columns[2].astype(np.int32))

    def degrees(self, adjacency, frontier=None, allowed=None):
        if frontier is None:
            frontier = np.arange((adjacency.delta or adjacency.base).vertices)
        return np.array([len(self._edges(adjacency, v, allowed)) for v in frontier.tolist()], np.int64)

    def weighted_sum(self, adjacency, values, allowed=None):
        return np.array(
            [sum(values[n] for n, _ in self._edges(adjacency, v, allowed)) for v in range(len(values))],
            values.dtype,
        )

    def reach(self, adjacencies, sources, least, most, **_):
        now, found, length, seen = set(sources.tolist()), set(), 0, set()
        while now and (most is None or length <= most):
            if length >= least:
                found |= now
                if most is None and frozenset(now) in seen:
                    break
                seen.add(frozenset(now))
            now = {n for adj, allowed in adjacencies for v in now for n, _ in self._edges(adj, v, allowed)}
            length += 1
        return np.array(sorted(found), np.int32)
