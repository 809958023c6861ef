"""Two frames in one query: which executor can run both."""

from __future__ import annotations

from typing import Any

from luma_bench.frame.base import Frame
from luma_bench.frame.data import arrow_of
from luma_bench.plan.nodes import Relation, Table
from luma_bench.plan.walk import bottom_up
from luma_bench.types.executor import Executor


def other_of(frame: Frame, other: Any) -> Frame:
    """What a frame is brought together with: a frame, a Series as a frame of one column, or data in memory."""
    if isinstance(other, Frame):
        return other
    if hasattr(other, "frame") and hasattr(other, "expression"):
        return other.to_frame()
    return frame.with_plan(Relation(arrow_of(other)))


def meeting(first: Frame, *others: Frame) -> Executor:
    """The executor that can run all of them: frames of data and of files go to where the tables of another are.

    Raises
    ------
    UnsupportedError
        Two read tables, of different benches or snapshots.
    """
    base = first
    for other in others:
        if not has_tables(base):
            # A bench is preferred to none: it may be asked to store what comes out.
            base = other if has_tables(other) or base.executor.loose else base
        elif has_tables(other):
            base.check_same_bench(other)
    return base.executor


def has_tables(frame: Frame) -> bool:
    """Whether the frame reads stored tables or views."""
    return any(isinstance(node, Table) for node in bottom_up(frame.plan))
