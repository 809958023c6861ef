"""Moves rows to where their keys meet, and shares the buckets among tasks by their actual sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from luma_bench.plan.cluster.pending import Pending, Together
from luma_bench.plan.cluster.stages import Hashed, StageFeed
from luma_bench.plan.cluster.work import Made, Work
from luma_bench.plan.relational.expressions import Column, Expression
from luma_bench.plan.relational.to_duck import expression_sql


@dataclass(frozen=True, slots=True)
class Shared:
    """Which task takes which buckets, and which slices of them.

    Attributes
    ----------
    groups
        For each task its buckets.
    slices
        For each task `(which, of how many)`; None where no bucket is cut.
    """

    groups: tuple[tuple[int, ...], ...]
    slices: tuple[tuple[int, int], ...] | None = None


def bucket_count(work: Work, nbytes: float) -> int:
    """How many buckets rows of so many bytes go to: whole rounds of all slots."""
    wanted = min(math.ceil(nbytes / work.settings.bucket_bytes), work.settings.most_buckets)
    wanted = max(work.slots, wanted)
    return math.ceil(wanted / work.slots) * work.slots


def moved_by(work: Work, pending: Pending, keys: Sequence[str], buckets: int) -> Made:
    """Hand a fragment over so that its rows go to buckets by keys, given as SQL over `c0`, `c1`, …."""
    return work.submit(pending, Hashed(tuple(keys), buckets))


def key_sql(keys: Sequence[Expression], width: int, kinds: Sequence[str] | None = None) -> list[str]:
    """Keys over a stage's columns as SQL; `kinds` are the types that both sides share, where theirs differ."""
    names = [f"c{at}" for at in range(width)]
    texts = [expression_sql(key, names) for key in keys]
    if kinds is None:
        return texts
    return [f"CAST({text} AS {kind})" if kind else text for text, kind in zip(texts, kinds, strict=True)]


def met(work: Work, pending: Pending, keys: Sequence[Expression]) -> Pending:
    """The rows such that those with equal keys lie with one task; all with one when they are few.

    The buckets are as many as the rows are expected to need; how many tasks share them is decided when they are there.
    """
    if pending.meets(keys):
        return pending
    buckets = bucket_count(work, work.expected_bytes(pending))
    made = moved_by(work, pending, key_sql(keys, pending.width), buckets)
    columns = tuple(key.index for key in keys if isinstance(key, Column))
    together = frozenset({columns}) if len(columns) == len(keys) else frozenset[tuple[int, ...]]()
    return bucketed(work, made, shared_out(work, made.bucket_sizes()), together)


def bucketed(work: Work, made: Made, shared: Shared, together: Together) -> Pending:
    """A stage's buckets as the start of a fragment."""
    tasks = len(shared.groups)
    feed = StageFeed(
        work.name(f"s{made.stage.number}"),
        made.stage.number,
        "bucket",
        groups=shared.groups,
        slices=shared.slices,
    )
    found = work.read(made, feed, tasks, together if shared.slices is None else frozenset())
    note = f"stage {made.stage.number}: {work.sizes(made)} in {len(made.bucket_sizes())} buckets for {tasks} task{'' if tasks == 1 else 's'}"
    if shared.slices is not None:
        note += f", {sum(of > 1 for _, of in shared.slices)} of them slices of large buckets"
    return found.noted(note)


def shared_out(work: Work, sizes: Sequence[int], cut: Sequence[int] | None = None) -> Shared:
    """Buckets for tasks: small ones together, large ones cut.

    Parameters
    ----------
    sizes
        The bytes of each bucket, of all sides.
    cut
        The bytes of each bucket of the side that may be cut in slices; None where none may.
    """
    settings = work.settings
    total = sum(sizes)
    if total <= settings.single_bytes or not sizes:
        return Shared((tuple(range(len(sizes))),))
    target = min(float(settings.bucket_bytes), total / work.slots)
    groups: list[tuple[int, ...]] = []
    slices: list[tuple[int, int]] = []
    open_group: list[int] = []
    held = 0

    def close() -> None:
        nonlocal held
        if open_group:
            groups.append(tuple(open_group))
            slices.append((0, 1))
            open_group.clear()
        held = 0

    for bucket, size in enumerate(sizes):
        pieces = _pieces(work, size, 0 if cut is None else cut[bucket], target)
        if pieces > 1:
            close()
            groups += [(bucket,)] * pieces
            slices += [(piece, pieces) for piece in range(pieces)]
            continue
        if open_group and held + size > target * 1.25:
            close()
        open_group.append(bucket)
        held += size
    close()
    is_cut = any(of > 1 for _, of in slices)
    return Shared(tuple(groups), tuple(slices) if is_cut else None)


def _pieces(work: Work, size: int, can_cut: int, target: float) -> int:
    """Into how many slices a bucket is cut: as many as make its cut side fair, when that side is most of it."""
    if size <= work.settings.skew * target or can_cut * 2 < size:
        return 1
    return min(math.ceil(can_cut / target), 4 * work.slots)
