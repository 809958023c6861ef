"""Rows of several fragments, side by side: task `i` makes its share of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.stages import Feed, RowsFeed, StageFeed
from luma_bench.plan.cluster.work import Work
from luma_bench.plan.relational.nodes import Union


def united(work: Work, parts: Sequence[Pending]) -> Pending:
    """The rows of all fragments, as often as they come."""
    if any(part.tasks > 1 for part in parts):
        parts = [part if _can_widen(part) else work.parts(work.submit(part)) for part in parts]
    tasks = max(part.tasks for part in parts)
    parts = [_widened(part, tasks) for part in parts]
    scans = {name: types for part in parts for name, types in part.scans.items()}
    return Pending(
        body=Union(tuple(part.body for part in parts)),
        feeds=tuple(feed for part in parts for feed in part.feeds),
        tasks=tasks,
        scans=scans,
        rows=sum(part.rows for part in parts),
        rowwise=tasks > 1 and all(part.rowwise for part in parts),
        purpose=tuple(dict.fromkeys(what for part in parts for what in part.purpose)),
        notes=tuple(note for part in parts for note in part.notes),
    ).doing("union")


def _can_widen(part: Pending) -> bool:
    """Whether more tasks may share it: each row comes from one row of a feed that is cut."""
    cut = [feed for feed in part.feeds if _is_cut(feed)]
    return part.rowwise and len(cut) >= 1


def _is_cut(feed: Feed) -> bool:
    match feed:
        case StageFeed():
            return feed.take == "part"
        case _:
            return not feed.whole


def _widened(part: Pending, tasks: int) -> Pending:
    """The same for `tasks` tasks, of which the last ones have nothing to read."""
    if part.tasks == tasks:
        return part
    feeds: list[Feed] = []
    for feed in part.feeds:
        if not _is_cut(feed) or isinstance(feed, RowsFeed):
            feeds.append(feed)
            continue
        groups = feed.groups or tuple((at,) for at in range(part.tasks))
        feeds.append(replace(feed, groups=(*groups, *((),) * (tasks - part.tasks))))
    return replace(part, feeds=tuple(feeds), tasks=tasks)
