"""What topologies and their bases take in memory: what several of them share counts once."""

from __future__ import annotations

from collections.abc import Iterable

from luma_bench.models.graph.base import EdgeBase, VertexBase
from luma_bench.models.graph.topology import Adjacency, Csr, Topology


def unique_bytes(
    topologies: Iterable[Topology], vertices: Iterable[VertexBase], edges: Iterable[EdgeBase]
) -> int:
    """Bytes of all of them together."""
    held: dict[int, int] = {}
    for base in vertices:
        held[id(base)] = base.nbytes
    for base in edges:
        held[id(base)] = base.loose.nbytes + base.null_ids.nbytes
        held[id(base.row_ids)] = base.row_ids.nbytes
        _add(held, base.out)
        _add(held, base.into)
    for topology in topologies:
        held[id(topology.memo)] = topology.memo.nbytes
        for rows in topology.vertices:
            held[id(rows.ids)] = rows.ids.nbytes
        for rows in topology.edges:
            held[id(rows.ids)] = rows.ids.nbytes
            held[id(rows)] = rows.ends_nbytes
            _add_both(held, rows.out)
            _add_both(held, rows.into)
    return sum(held.values())


def _add_both(held: dict[int, int], adjacency: Adjacency) -> None:
    _add(held, adjacency.base)
    if adjacency.delta is not None:
        _add(held, adjacency.delta)
    if adjacency.dead is not None:
        held[id(adjacency.dead)] = adjacency.dead.nbytes


def _add(held: dict[int, int], csr: Csr) -> None:
    for array in (csr.indptr, csr.neighbours, csr.slots):
        held[id(array)] = array.nbytes
