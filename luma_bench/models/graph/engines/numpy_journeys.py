"""Journeys along edges that depart and arrive, in NumPy: earliest arrivals, round after round."""

from __future__ import annotations

import numpy as np

from luma_bench.models.graph.engine import Check
from luma_bench.models.graph.engines.numpy_expand import Span, bounds, spread
from luma_bench.models.graph.engines.numpy_reach import distinct
from luma_bench.models.graph.engines.numpy_search import lead
from luma_bench.models.graph.topology import Bools, Csr, Ids, Ints

NEVER = np.iinfo(np.int64).max


def earliest_arrival(
    csr: Csr, depart: Ints, arrive: Ints, source: int, start: int, strict: bool, check: Check
) -> tuple[Ints, Ids, Ints]:
    """See `GraphEngine.earliest_arrival`: arrivals get earlier until none does (Bellman and Ford's rounds)."""
    arrival = np.full(csr.vertices, NEVER, np.int64)
    arrival[source] = start
    frontier = np.array([source], np.int32)
    while len(frontier):
        starts, lengths = bounds(csr, frontier)
        positions = spread(starts, lengths)
        ready = arrival[frontier] + (strict & (frontier != source))
        positions = positions[depart[positions] >= np.repeat(ready, lengths)]
        ends, times = csr.neighbours[positions], arrive[positions]
        earlier = times < arrival[ends]
        ends, times = ends[earlier], times[earlier]
        np.minimum.at(arrival, ends, times)
        frontier = distinct(ends, csr.vertices)
        check()

    def judge(span: Span) -> tuple[Bools, Bools]:
        lengths = np.diff(csr.indptr[span.low : span.high + 1])
        rows = slice(span.low, span.high)
        ready = arrival[rows] + (
            strict & (np.arange(span.low, span.high) != source) & (arrival[rows] < NEVER)
        )
        times = arrive[span.held]
        ends = csr.neighbours[span.held]
        tight = (depart[span.held] >= np.repeat(ready, lengths)) & (times == arrival[ends])
        tight &= np.repeat(arrival[rows] < NEVER, lengths) & (ends != source)
        return tight, np.repeat(arrival[rows], lengths) < times

    parent, position = lead(csr, source, judge, check)
    return arrival, parent, position
