"""EARLIEST_ARRIVAL: when each vertex can be reached along edges that depart and arrive."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.models.graph.algorithms.columns import edge_place, times
from luma_bench.models.graph.algorithms.spec import (
    AlgorithmResult,
    AlgorithmSpec,
    Argument,
    ResultColumn,
    Task,
)
from luma_bench.models.graph.topology import Bools, Csr, Ids, Ints

_NEVER = np.iinfo(np.int64).max
_ALWAYS = np.iinfo(np.int64).min


def compute(task: Task) -> AlgorithmResult:
    """The vertices that journeys from the source come to, the source among them."""
    (depart, departs), (arrive, arrives) = times(task, "depart"), times(task, "arrive")
    csr = _timed(task, departs, arrives)
    task.fits(csr, vertex=40, edge=16)
    leaves, comes = depart[csr.slots], arrive[csr.slots]
    early = comes < leaves
    if early.any():
        slot = int(csr.slots[int(np.argmax(early))])
        raise UnsupportedError(
            f"{task.name}: the edge of {edge_place(task, slot)} arrives before it departs.",
            hint="Correct or delete such rows, or give the columns the other way round.",
        )
    source, start = int(task.values["source"]), task.values["start"]
    arrival, parent, _ = task.engine.earliest_arrival(
        csr,
        leaves,
        comes,
        source,
        _ALWAYS if start is None else int(start),
        strict=bool(task.values["strict"]),
        check=task.control.check,
    )
    near = np.flatnonzero(arrival < _NEVER).astype(np.int32)
    found = pa.array(arrival[near], mask=(near == source) if start is None else None)
    return AlgorithmResult(near, {"arrival": found, "hops": hops(parent)[near]})


def _timed(task: Task, departs: Bools | None, arrives: Bools | None) -> Csr:
    """The edges whose times are not NULL."""
    if departs is None or arrives is None:
        valid = arrives if departs is None else departs
    else:
        valid = departs & arrives
    if valid is None:
        return task.csr()
    allowed = {
        place: valid[rows.first : rows.first + rows.count] for place, rows in enumerate(task.topology.edges)
    }
    return task.merge(task.topology, allowed=allowed)


def hops(parent: Ids) -> Ints:
    """By vertex, how many steps towards its root there are, by doubling them."""
    own = np.arange(len(parent))
    ahead = np.where(parent < 0, own, parent)
    found = (ahead != own).astype(np.int64)
    while not np.array_equal(further := ahead[ahead], ahead):
        found += found[ahead]
        ahead = further
    return found


EARLIEST_ARRIVAL = AlgorithmSpec(
    name="EARLIEST_ARRIVAL",
    help="The earliest time at which a journey from the source can be at each vertex, where each edge departs when the one before "
    "has arrived; others are not in the result. Edges without both times are not taken.",
    arguments=(
        Argument(name="source", kind="vertex", required=True, help="the key of the vertex to start at"),
        Argument(
            name="depart",
            kind="edge column",
            times=True,
            required=True,
            help="the column of the edges' departures",
        ),
        Argument(
            name="arrive",
            kind="edge column",
            times=True,
            required=True,
            help="the column of the edges' arrivals",
        ),
        Argument(
            name="start",
            kind="time",
            help="the first departure is then or later; without it at any time, and the source has no arrival",
        ),
        Argument(
            name="strict",
            kind="bool",
            default=False,
            help="whether an edge departs after the one before has arrived, not at the same time (false)",
        ),
    ),
    results=(
        ResultColumn("arrival", pa.int64(), "the earliest arrival, in the type of `arrive`", like="arrive"),
        ResultColumn("hops", pa.int64(), "edges of the journey that arrives then"),
    ),
    compute=compute,
)
"""EARLIEST_ARRIVAL(GRAPH g, source, depart, arrive, start, strict): arrival, hops."""
