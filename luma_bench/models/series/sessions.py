"""SESSION: rows of a series that follow one another by no more than a gap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luma_bench.models.series.groups import Groups, per_group
from luma_bench.models.series.partials import Aggregation, Partial
from luma_bench.models.series.runs import Bools, Codes, Ints, Runs


def cut(runs: Runs, gap: int, codes: Codes | None = None) -> Groups:
    """Groups of rows no more than `gap` units apart; `starts` are their first times, `lasts` their last ones.

    Parameters
    ----------
    codes
        The key of each run where it is not the series itself.
    """
    codes = runs.codes if codes is None else codes
    filled = runs.offsets[1:] > runs.offsets[:-1]
    firsts, stops = runs.offsets[:-1][filled], runs.offsets[1:][filled]
    codes = codes[filled].astype(np.int32, copy=False)
    none = np.zeros(0, np.int64)
    if not len(firsts):
        return Groups(codes, none, np.zeros(1, np.int64), none)
    differs = np.empty(runs.rows, bool)
    differs[1:] = _apart(runs.time[:-1], runs.time[1:], gap)
    differs[firsts] = True
    cuts = np.append(np.flatnonzero(differs), stops[-1:])
    each = per_group(codes, firsts, cuts[:-1])
    return Groups(each, runs.time[cuts[:-1]], cuts, runs.time[cuts[1:] - 1])


def merged(partials: Sequence[Partial], gap: int, aggregation: Aggregation) -> Partial:
    """The sessions of all stretches, ordered by (code, start): those of a code that overlap or are within the gap are one.

    The end of a session is `lasts + gap`.

    Raises
    ------
    Interleaved
        Two stretches have rows of one session among each other, and an aggregate needs them in order.
    """
    whole = aggregation.together(partials)
    assert whole.lasts is not None
    if not len(whole.codes):
        return whole
    order = np.lexsort((whole.starts, whole.codes))
    codes, starts, lasts = whole.codes[order], whole.starts[order], whole.lasts[order]
    differs, reached = begins(codes, starts, lasts, gap)
    joined = aggregation.joined(whole, order, differs)
    firsts = np.flatnonzero(differs)
    stops = np.append(firsts[1:], len(codes)) - 1
    return Partial(codes[firsts], starts[firsts], joined, lasts=reached[stops])


def begins(codes: Codes, starts: Ints, lasts: Ints, gap: int) -> tuple[Bools, Ints]:
    """Which parts of sessions begin one, of parts ordered by (code, start), and the greatest last time up to each in its code.

    There must be one part at least.
    """
    differs = np.empty(len(codes), bool)
    differs[0] = True
    np.not_equal(codes[1:], codes[:-1], out=differs[1:])
    reached = _reached(lasts, np.cumsum(differs))
    differs[1:] |= _apart(reached[:-1], starts[1:], gap) & (starts[1:] > reached[:-1])
    return differs, reached


def assigned(runs: Runs, sessions: Partial, codes: Codes | None = None) -> Ints:
    """Row by row: which of the merged sessions each row of the runs belongs to, as its position there."""
    groups = Groups.of(runs, None, codes)
    found = np.empty(runs.rows, np.int64)
    for code, begin, stop in zip(
        groups.codes.tolist(), groups.cuts[:-1].tolist(), groups.cuts[1:].tolist(), strict=True
    ):
        low, high = (int(place) for place in np.searchsorted(sessions.codes, [code, code + 1]))
        places = np.searchsorted(sessions.starts[low:high], runs.time[begin:stop], "right")
        np.add(places, low - 1, out=found[begin:stop])
    return found


def _apart(before: Ints, after: Ints, gap: int) -> Bools:
    """Whether more than the gap lies between; a difference beyond int64 is read as what it is, being positive."""
    return (after - before).view(np.uint64) > np.uint64(gap)


def _reached(lasts: Ints, groups: Ints) -> Ints:
    """The greatest last time up to each place, in its group (numbers ascend)."""
    ranked = np.sort(lasts)
    rank = np.searchsorted(ranked, lasts) + groups * len(lasts)
    return ranked[np.maximum.accumulate(rank) - groups * len(lasts)]
