"""Where the vertices of a drawing stand: forces, layers of a tree, a circle, or their own coordinates.

Every layout gives float64 places of one row `(x, y)` for each vertex. They know no randomness but a fixed seed, so that the
same graph is drawn the same way each time. Components are laid out by themselves and packed beside each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from luma_bench.models.graph.topology import Floats, Ints

LAYOUTS: tuple[str, ...] = ("auto", "spring", "geo", "circle", "tree")
"""What `layout` may be; `auto` is `geo` where there are coordinates, `tree` for a forest, else `spring`."""

_ROUNDS = 90
_REACH = 3.5
"""Vertices further apart than this many edge lengths do not push each other, as in Fruchterman and Reingold's grid variant."""
_DENSE = 300
"""Up to this many vertices every pair is looked at."""

Pull = tuple[Ints, Ints]
"""The two ends of every edge, places of vertices; neither self-loops nor parallel edges."""


def simple_edges(source: Ints, target: Ints) -> Pull:
    """The undirected edges without self-loops, each once."""
    low, high = np.minimum(source, target).astype(np.int64), np.maximum(source, target).astype(np.int64)
    count = int(high.max(initial=0)) + 1
    pairs = np.unique((low * count + high)[low != high])
    return pairs // count, pairs % count


def components(count: int, pull: Pull) -> Ints:
    """The number of each vertex's connected component, by falling size."""
    from scipy.sparse.csgraph import connected_components

    _, found = connected_components(_matrix(count, pull), directed=False)
    sizes = np.bincount(found, minlength=1)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[found]


def is_forest(count: int, pull: Pull) -> bool:
    """Whether there is no cycle, and more than single vertices."""
    parts = int(components(count, pull).max(initial=-1)) + 1
    return 0 < len(pull[0]) == count - parts


def spring(count: int, source: Ints, target: Ints) -> Floats:
    """Places by forces: edges pull, vertices push (Fruchterman and Reingold 1991), from a spectral start."""
    return _packed(count, simple_edges(source, target), _forces)


def circle(count: int, source: Ints, target: Ints) -> Floats:
    """Places on one circle, neighbours near each other: in the order of a depth-first walk."""
    pull = simple_edges(source, target)
    part = components(count, pull)
    order: list[int] = []
    for number in range(int(part.max(initial=-1)) + 1):
        inside = np.flatnonzero(part == number)
        root = inside[np.argmax(_degrees(count, pull)[inside])]
        order += _walk(count, pull, int(root))[0]
    angle = np.empty(count)
    angle[order] = np.pi / 2 - 2 * np.pi * np.arange(count) / max(count, 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * max(count, 1) / 6


def tree(count: int, source: Ints, target: Ints) -> Floats:
    """Places in layers below a root: one that no edge leads to, else the vertex with the most neighbours."""
    pull = simple_edges(source, target)
    led_to = np.bincount(target[source != target], minlength=count) > 0

    def layered(size: int, inner: Pull, members: Ints) -> Floats:
        free = np.flatnonzero(~led_to[members])
        degrees = _degrees(size, inner)
        # A root that edges lead away from is one only where there are no others.
        root = int(free[0]) if len(free) == 1 else int(np.argmax(degrees))
        return _layers(size, inner, root)

    return _packed(count, pull, layered)


def geo(longitude: Floats, latitude: Floats) -> Floats:
    """Places by coordinates in degrees."""
    return np.stack([longitude, latitude], axis=1).astype(float)


def _matrix(count: int, pull: Pull) -> Any:
    from scipy.sparse import coo_array

    ones = np.ones(len(pull[0]))
    half = coo_array((ones, pull), shape=(count, count)).tocsr()
    return half + half.T


def _degrees(count: int, pull: Pull) -> Ints:
    return np.bincount(np.concatenate(pull), minlength=count)


def _packed(count: int, pull: Pull, place: Callable[[int, Pull, Ints], Floats]) -> Floats:
    """Each component by itself, in boxes on shelves, the largest first."""
    at = np.zeros((count, 2))
    part = components(count, pull)
    order = np.argsort(part, kind="stable")
    starts = np.searchsorted(part[order], np.arange(int(part.max(initial=-1)) + 2))
    within = np.empty(count, np.int64)
    within[order] = np.arange(count) - starts[part[order]]
    edges = np.argsort(part[pull[0]], kind="stable")
    edge_starts = np.searchsorted(part[pull[0]][edges], np.arange(len(starts)))
    boxes: list[Floats] = []
    for number in range(len(starts) - 1):
        members = order[starts[number] : starts[number + 1]]
        mine = edges[edge_starts[number] : edge_starts[number + 1]]
        placed = place(len(members), (within[pull[0][mine]], within[pull[1][mine]]), members)
        placed = placed - placed.min(axis=0)
        at[members] = placed
        boxes.append(placed.max(axis=0) + 1.6)
    for number, corner in enumerate(_shelves(boxes)):
        at[order[starts[number] : starts[number + 1]]] += corner
    return at


def _shelves(boxes: list[Floats]) -> list[Floats]:
    """The lower left corners of boxes, side by side in rows about 1.6 times as wide as all of them are high."""
    if not boxes:
        return []
    area = float(sum(box[0] * box[1] for box in boxes))
    wide = max(float(max(box[0] for box in boxes)), np.sqrt(area * 1.6))
    corners: list[Floats] = []
    x = y = tall = 0.0
    for box in boxes:
        if x and x + box[0] > wide:
            x, y, tall = 0.0, y - tall, 0.0
        corners.append(np.array([x, y - box[1]]))
        x, tall = x + float(box[0]), max(tall, float(box[1]))
    return corners


def _forces(count: int, pull: Pull, members: Ints) -> Floats:
    """One component by forces; an edge wants to be 1 long."""
    if count < 3:
        return np.array([[0.0, 0.0], [1.0, 0.0]])[:count]
    at = _spectral(count, pull)
    # The length of a step falls in a straight line, which ends the trembling of dense parts.
    for step in np.linspace(max(1.0, np.sqrt(count) / 8), 0.03, _ROUNDS):
        moved = _pushes(at) + _pulls(at, pull)
        # A weak pull to the middle stands for the pushes that come from beyond the reach.
        moved -= at * 0.02
        long = np.maximum(np.linalg.norm(moved, axis=1), 1e-9)
        at = at + moved * (np.minimum(long, step) / long)[:, None]
        at -= at.mean(axis=0)
    return _lying(at)


def _pushes(at: Floats) -> Floats:
    count = len(at)
    if count <= _DENSE:
        apart = at[:, None, :] - at[None, :, :]
        return (apart / np.maximum((apart**2).sum(axis=2), 1e-4)[:, :, None]).sum(axis=1)
    from scipy.spatial import KDTree

    # Where everything is near everything, the nearest hundred or so stand for all.
    area = float(np.prod(np.maximum(np.ptp(at, axis=0), 1.0)))
    reach = min(_REACH, np.sqrt(120 * area / (np.pi * count)))
    near = KDTree(at).query_pairs(reach, output_type="ndarray")
    apart = at[near[:, 0]] - at[near[:, 1]]
    force = apart / np.maximum((apart**2).sum(axis=1), 1e-4)[:, None]
    return _summed(count, near[:, 0], force) - _summed(count, near[:, 1], force)


def _pulls(at: Floats, pull: Pull) -> Floats:
    apart = at[pull[1]] - at[pull[0]]
    force = apart * np.linalg.norm(apart, axis=1)[:, None]
    return _summed(len(at), pull[0], force) - _summed(len(at), pull[1], force)


def _summed(count: int, places: Ints, force: Floats) -> Floats:
    return np.stack([np.bincount(places, force[:, axis], count) for axis in (0, 1)], axis=1)


def _spectral(count: int, pull: Pull) -> Floats:
    """A start: the second and third eigenvector of the random walk, which unfold the graph; jittered where they agree."""
    chance = np.random.default_rng(7)
    spread = np.sqrt(count)
    jitter = chance.normal(size=(count, 2)) * 0.3
    root = 1 / np.sqrt(np.maximum(_degrees(count, pull), 1))
    walk = _matrix(count, pull).multiply(root[:, None]).multiply(root[None, :]).tocsr()
    if count <= _DENSE:
        vectors = np.linalg.eigh(walk.toarray())[1][:, -3:-1]
    else:
        from scipy.sparse.linalg import ArpackNoConvergence, eigsh

        try:
            found = eigsh(walk, k=3, which="LA", v0=np.ones(count), maxiter=60, tol=1e-2)  # pyright: ignore[reportArgumentType]
            vectors = found[1][:, np.argsort(found[0])[:2]]
        except ArpackNoConvergence:
            return jitter * spread  # a start by chance is as good a one for a graph without a shape
    vectors = vectors * root[:, None]
    scale = np.maximum(np.abs(vectors).max(axis=0), 1e-12)
    return vectors / scale * spread / 2 + jitter


def _lying(at: Floats) -> Floats:
    """The places turned so that they spread most from left to right."""
    _, _, turn = np.linalg.svd(at - at.mean(axis=0), full_matrices=False)
    return at @ turn.T


def _walk(count: int, pull: Pull, root: int) -> tuple[list[int], Ints]:
    """A depth-first order of the root's component, and each vertex's parent, -1 for none."""
    from scipy.sparse.csgraph import depth_first_order

    order, before = depth_first_order(_matrix(count, pull), root, directed=False)
    return order.tolist(), np.where(before < 0, -1, before)


def _layers(count: int, pull: Pull, root: int) -> Floats:
    """A breadth-first tree: leaves side by side, parents above the middle of their children."""
    from scipy.sparse.csgraph import breadth_first_order

    if count == 1:
        return np.zeros((1, 2))
    order, before = breadth_first_order(_matrix(count, pull), root, directed=False)
    children: list[list[int]] = [[] for _ in range(count)]
    depth = np.zeros(count)
    for vertex in order[1:].tolist():
        children[before[vertex]].append(vertex)
        depth[vertex] = depth[before[vertex]] + 1
    leaves, stack = 0, [root]
    x = np.zeros(count)
    visited: list[int] = []
    while stack:
        vertex = stack.pop()
        visited.append(vertex)
        stack += reversed(children[vertex])
        if not children[vertex]:
            x[vertex], leaves = leaves, leaves + 1
    for vertex in reversed(visited):
        if children[vertex]:
            x[vertex] = (x[children[vertex][0]] + x[children[vertex][-1]]) / 2
    # Wide trees get higher layers, so that the drawing keeps a shape to look at.
    return np.stack([x, -depth * max(1.0, leaves / (2.5 * (depth.max() + 1)))], axis=1)
