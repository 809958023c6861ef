"""The part of a large graph that a drawing shows: its most connected vertices, as many as can be told apart."""

from __future__ import annotations

import numpy as np

from luma_bench.models.graph.topology import Bools, Csr, Ints
from luma_bench.plot.graph_layout import simple_edges
from luma_bench.plot.picture import MARKS


def connected_part(count: int, source: Ints, target: Ints, limit: int) -> Bools:
    """Which vertices are drawn: those of the innermost cores, of one core those with the most neighbours.

    At most `limit` of them, and so few that they and the lines among them are no more than a drawing takes.
    """
    low, high = simple_edges(source, target)
    if count <= limit and count + len(low) <= MARKS:
        return np.ones(count, bool)
    degree = np.bincount(np.concatenate([low, high]), minlength=count)
    order = np.lexsort((np.arange(count), -degree, -_cores(count, low, high)))
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    # A line is there as soon as both of its ends are; it is drawn once for each direction at most.
    later = np.sort(np.maximum(place[low], place[high]))
    sizes = np.arange(min(limit, count), 0, -1)
    lines = np.searchsorted(later, sizes)
    fitting = sizes[sizes + 2 * lines <= MARKS]
    return place < (int(fitting[0]) if len(fitting) else 1)


def _cores(count: int, low: Ints, high: Ints) -> Ints:
    from luma_bench.models.graph.engines.choose import engine

    order = np.argsort(low, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(low, minlength=count))])
    csr = Csr(indptr.astype(np.int64), high[order].astype(np.int32), order.astype(np.int32))
    return engine("auto", edges=len(low)).core_numbers(csr)
