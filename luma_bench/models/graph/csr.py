"""Building adjacency: three counting sorts, so that neighbours ascend in both directions and parallel edges keep their order."""

from __future__ import annotations

import numpy as np

from luma_bench.errors import ResourceError
from luma_bench.models.graph.topology import Csr, Ids, Ints

_MOST = 2**31 - 1
_FEW = 1 << 15
"""Edges that are sorted sooner than SciPy is loaded."""


def adjacency(
    source: Ids, destination: Ids, sources: int, destinations: int, slots: Ids | Ints | None = None
) -> tuple[Csr, Csr]:
    """Adjacency of edges from source to destination, and back.

    Parameters
    ----------
    source, destination
        int32, the ends of each edge, below `sources` and `destinations`.
    slots
        int32, ascending, the number of each edge; None for 0, 1, 2, ….

    Raises
    ------
    ResourceError
        There are more edges than slots.
    """
    count = len(source)
    if count > _MOST:
        raise ResourceError(
            f"{count:,} edges in one table are more than the {_MOST:,} that a graph may have there.",
            hint="Divide the edges between several tables.",
        )
    if count <= _FEW:
        numbers = np.arange(count, dtype=np.int32) if slots is None else slots
        return (
            _sorted(source, destination, sources, numbers),
            _sorted(destination, source, destinations, numbers),
        )
    from scipy.sparse import csr_array

    # By destination, each one's edges in their order; then by source, where destinations now come in order; and back.
    edges = csr_array(
        (np.empty(count, np.int8), destination, np.arange(count + 1, dtype=np.int32)),
        shape=(count, max(1, destinations)),
    ).tocsc()
    places = edges.indices
    shape = (max(1, destinations), max(1, sources))
    numbers = places if slots is None else slots[places]
    out = csr_array((numbers, source[places], edges.indptr), shape=shape).tocsc()
    del edges, places, numbers
    into = csr_array((out.data, out.indices, out.indptr), shape=shape[::-1]).tocsc()
    return _csr(out, sources), _csr(into, destinations)


def shifted(csr: Csr, first: int, neighbours: int, rows: int) -> Csr:
    """The same rows from vertex `first` on, of at least `rows`, with every neighbour moved up by `neighbours`."""
    indptr = np.concatenate((np.zeros(first, np.int64), csr.indptr)) if first else csr.indptr
    indptr = padded(indptr, rows)
    if indptr is csr.indptr and not neighbours:
        return csr
    moved = csr.neighbours + np.int32(neighbours) if neighbours else csr.neighbours
    return Csr(indptr, moved, csr.slots)


def padded(indptr: Ints, vertices: int) -> Ints:
    """Row bounds for more vertices, which have no edges."""
    more = vertices + 1 - len(indptr)
    return indptr if more <= 0 else np.concatenate((indptr, np.full(more, indptr[-1], np.int64)))


def edges_of(csr: Csr, vertices: Ints | Ids) -> Ids:
    """The slots of all edges of some vertices; those that the rows do not reach have none."""
    return csr.slots[row_places(csr, vertices[vertices < csr.vertices])]


def row_places(csr: Csr, vertices: Ints | Ids) -> Ints:
    """The positions of all edges of some vertices, row by row."""
    starts, counts = csr.indptr[vertices], csr.indptr[vertices + 1] - csr.indptr[vertices]
    offsets = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(starts - offsets, counts)


def _sorted(source: Ids, destination: Ids, vertices: int, slots: Ids | Ints) -> Csr:
    order = np.argsort(source.astype(np.int64) << 32 | destination, kind="stable")
    indptr = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=vertices), out=indptr[1:])
    return Csr(indptr, destination[order], slots[order])  # type: ignore[arg-type]


def _csr(built: object, vertices: int) -> Csr:
    indptr = np.asarray(built.indptr, np.int64)[: vertices + 1]  # type: ignore[attr-defined]
    return Csr(indptr, built.indices, built.data)  # type: ignore[attr-defined]
