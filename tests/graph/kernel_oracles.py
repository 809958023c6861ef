"""Random adjacencies, and what every kernel must answer about them, worked out edge by edge."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from luma_bench.models.graph.topology import Adjacency, Csr

Edge = tuple[int, int]
NEVER = np.iinfo(np.int64).max


def csr_of(vertices: int, edges: list[Edge], slots: list[int] | None = None) -> Csr:
    """Rows of (source, destination) edges; the slot of each is its place in the list."""
    numbers = list(range(len(edges))) if slots is None else slots
    ordered = sorted((a, b, slot) for (a, b), slot in zip(edges, numbers, strict=True))
    indptr = np.zeros(vertices + 1, np.int64)
    for a, _, _ in ordered:
        indptr[a + 1 :] += 1
    return Csr(
        indptr,
        np.array([b for _, b, _ in ordered], np.int32),
        np.array([slot for _, _, slot in ordered], np.int32),
    )


def arcs(csr: Csr) -> list[tuple[int, int, int]]:
    """(source, destination, position), by position."""
    return [
        (vertex, int(csr.neighbours[place]), place)
        for vertex in range(csr.vertices)
        for place in range(csr.indptr[vertex], csr.indptr[vertex + 1])
    ]


@st.composite
def graphs(draw: st.DrawFn, most: int = 9) -> Csr:
    """Small multigraphs: self-loops, parallel edges, isolated vertices, and none at all."""
    vertices = draw(st.integers(1, most))
    ends = st.integers(0, vertices - 1)
    return csr_of(vertices, draw(st.lists(st.tuples(ends, ends), max_size=3 * most)))


@dataclass
class Changed:
    """An adjacency with a base of fewer vertices, later edges, dead ones and a mask; `live` are the edges that count."""

    adjacency: Adjacency
    allowed: np.ndarray | None
    vertices: int
    live: list[tuple[int, int, int]]


@st.composite
def changed(draw: st.DrawFn, vertices: int | None = None) -> Changed:
    total = draw(st.integers(1, 9)) if vertices is None else vertices
    early = draw(st.integers(0, total))
    base = draw(st.lists(st.tuples(*[st.integers(0, early - 1)] * 2), max_size=20)) if early else []
    ends = st.integers(0, total - 1)
    delta = draw(st.none() | st.lists(st.tuples(ends, ends), max_size=8))
    count = len(base) + len(delta or [])
    masks = st.none() | st.lists(st.booleans(), min_size=count, max_size=count)
    dead, allowed = (
        None if mask is None else np.array(mask, np.bool_) for mask in (draw(masks), draw(masks))
    )
    later = None if delta is None else csr_of(total, delta, list(range(len(base), count)))
    live = [
        (a, b, slot)
        for slot, (a, b) in enumerate([*base, *(delta or [])])
        if (dead is None or not dead[slot]) and (allowed is None or allowed[slot])
    ]
    return Changed(Adjacency(csr_of(early, base), later, dead), allowed, total, sorted(live))


def reached(edges: list[Edge], sources: list[int], least: int, most: int | None, vertices: int) -> list[int]:
    """The ends of walks, set after set."""
    found: set[int] = set()
    current = set(sources)
    last = least + vertices if most is None else most
    for length in range(last + 1):
        if length >= least:
            found |= current
        current = {b for a, b in edges if a in current}
    return sorted(found)


def cheapest(
    csr: Csr, weights: np.ndarray, source: int
) -> tuple[list[tuple[float, int]], list[int], list[int]]:
    """The label of each vertex (its distance, and edges of no length since), its parent and position."""
    best = [(np.inf, 0)] * csr.vertices
    best[source] = (0.0, 0)
    heap = [(0.0, 0, source)]

    def step(label: tuple[float, int], weight: float) -> tuple[float, int]:
        further = label[0] + weight
        return (further, label[1] + 1) if further == label[0] else (further, 0)

    while heap:
        distance, level, vertex = heapq.heappop(heap)
        if (distance, level) > best[vertex]:
            continue
        for place in range(csr.indptr[vertex], csr.indptr[vertex + 1]):
            label, end = step((distance, level), float(weights[place])), int(csr.neighbours[place])
            if label < best[end]:
                best[end] = label
                heapq.heappush(heap, (*label, end))
    parent, position = [-1] * csr.vertices, [-1] * csr.vertices
    for a, b, place in reversed(arcs(csr)):
        tight = step(best[a], float(weights[place])) == best[b] and best[b][0] < np.inf
        if tight and b != source and a != b:
            parent[b], position[b] = a, place
    return best, parent, position


def earliest(
    csr: Csr, depart: np.ndarray, arrive: np.ndarray, source: int, start: int, strict: bool
) -> list[int]:
    """The earliest arrival at each vertex, by trying every edge until nothing changes."""
    arrival = [NEVER] * csr.vertices
    arrival[source] = start
    changed_one = True
    while changed_one:
        changed_one = False
        for a, b, place in arcs(csr):
            if arrival[a] == NEVER:
                continue
            ready = arrival[a] + (1 if strict and a != source else 0)
            if depart[place] >= ready and arrive[place] < arrival[b]:
                arrival[b] = int(arrive[place])
                changed_one = True
    return arrival
