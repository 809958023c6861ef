"""Groups: rows of a stretch that stand together and belong to one series and one bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.edges import Edges, Even
from luma_bench.models.series.runs import Codes, Ints, Runs

_LONG_RUN = 1_024
_LONG_GROUP = 48
"""From here on it is quicker to search the edges in the rows than to ask every row for its bucket."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows cut into groups; equal (code, start) pairs may come more than once and are merged later.

    Attributes
    ----------
    codes
        int32, one a group: the group's key as the caller numbers it.
    starts
        int64, one a group: the start of its bucket (its first time for sessions).
    cuts
        int64, one more than the groups: where each begins among the rows of the stretch, and the end. No group is empty.
    lasts
        int64, one a group: its last time; only of sessions.
    """

    codes: Codes
    starts: Ints
    cuts: Ints
    lasts: Ints | None = None

    @classmethod
    def of(cls, runs: Runs, buckets: Buckets | None, codes: Codes | None = None) -> Groups:
        """Groups by run and bucket.

        Parameters
        ----------
        buckets
            None: one group a run, with start 0.
        codes
            The key of each run where it is not the series itself: runs that share one are merged later.

        Raises
        ------
        SchemaError
            A bucket is outside of int64.
        """
        codes = runs.codes if codes is None else codes
        filled = runs.offsets[1:] > runs.offsets[:-1]
        begins, stops = runs.offsets[:-1][filled], runs.offsets[1:][filled]
        codes = codes[filled].astype(np.int32, copy=False)
        if not len(begins):
            none = np.zeros(0, np.int64)
            return cls(codes, none, np.zeros(1, np.int64))
        if buckets is None:
            return cls(codes, np.zeros(len(codes), np.int64), np.append(begins, stops[-1:]))
        firsts, lasts = runs.time[begins], runs.time[stops - 1]
        view = buckets.over(int(firsts.min()), int(lasts.max()))
        if runs.rows >= _LONG_RUN * len(begins) and runs.rows >= _LONG_GROUP * _about(view, firsts, lasts):
            cuts = _searched(runs.time, begins, stops, view)
        else:
            cuts = _compared(runs.time, begins, view)
        starts = view.starts(runs.time[cuts])
        return cls(per_group(codes, begins, cuts), starts, np.append(cuts, stops[-1:]))

    @property
    def sizes(self) -> Ints:
        """The rows of each group."""
        return np.diff(self.cuts)


def per_group(codes: Codes, begins: Ints, cuts: Ints) -> Codes:
    """The code of each group: runs begin at `begins`, groups at `cuts`."""
    return np.repeat(codes, np.diff(np.append(np.searchsorted(cuts, begins), len(cuts))))


def _about(view: Even | Edges, firsts: Ints, lasts: Ints) -> float:
    """How many groups there may be."""
    if isinstance(view, Even):
        return float(np.sum((lasts - firsts).astype(np.float64) / view.step + 1))
    return float(np.sum(view.index(lasts) - view.index(firsts) + 1))


def _searched(time: Ints, begins: Ints, stops: Ints, view: Even | Edges) -> Ints:
    found: list[Ints] = []
    for begin, stop in zip(begins.tolist(), stops.tolist(), strict=True):
        rows = time[begin:stop]
        edges = view.between(int(rows[0]), int(rows[-1]))
        cuts = np.empty(len(edges) + 1, np.int64)
        cuts[0] = begin
        np.add(np.searchsorted(rows, edges, "left"), begin, out=cuts[1:])
        found.append(cuts)
    cuts = np.concatenate(found)
    keep = np.empty(len(cuts), bool)
    keep[0] = True
    np.not_equal(cuts[1:], cuts[:-1], out=keep[1:])
    return cuts if keep.all() else cuts[keep]


def _compared(time: Ints, begins: Ints, view: Even | Edges) -> Ints:
    single = isinstance(view, Even) and len(view.since) == 1
    number = view.quotients(time) if isinstance(view, Even) and single else view.starts(time)
    differs = np.empty(len(time), bool)
    np.not_equal(number[1:], number[:-1], out=differs[1:])
    differs[begins] = True
    return np.flatnonzero(differs)
