"""What the planner of a cluster goes by: sizes in bytes, decoded, as tasks hold them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """Limits between one way to run a plan and another. The defaults suit workers with a few gigabytes a task.

    Attributes
    ----------
    inline_bytes
        A side of a join that reads no more than this is read by every task itself, instead of once by a stage of its own:
        a stage costs as long as it takes to read so much.
    broadcast_bytes
        A side of a join that is no larger goes to every task whole.
    broadcast_most
        So does a larger one, up to this, when moving both sides by their keys would move more.
    part_bytes
        A stored table is cut into parts of at most about this size, and into no fewer parts than there are slots.
    least_part_bytes
        No cut makes smaller parts, so that a small table has one task.
    bucket_bytes
        Rows that move by keys go into buckets of about this size, and into no fewer than there are slots.
    most_buckets
        The most buckets, whatever their size: each task of the stage makes a piece for each.
    single_bytes
        Rows that moved by keys and are no more share one task.
    sort_bytes
        Rows that are no more are sorted by one task: to sort in ranges takes four more stages.
    fan_in
        How many tasks' partial results one task takes together, where there are more than twice as many.
    skew
        A bucket this many times larger than a task's fair share is cut into slices.
    sample_rows
        How many rows of a stage are looked at to find the borders of a sort or a quantile.
    """

    inline_bytes: int = 8 << 20
    broadcast_bytes: int = 64 << 20
    broadcast_most: int = 1 << 30
    part_bytes: int = 1 << 30
    least_part_bytes: int = 4 << 20
    bucket_bytes: int = 128 << 20
    most_buckets: int = 2_000
    single_bytes: int = 8 << 20
    sort_bytes: int = 64 << 20
    fan_in: int = 32
    skew: float = 1.5
    sample_rows: int = 20_000
