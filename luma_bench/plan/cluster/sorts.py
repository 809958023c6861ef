"""Orders and limits over several tasks: one task for few rows, ranges by borders of a sample for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from luma_bench.plan.cluster.exchange import bucket_count, bucketed, shared_out
from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.stages import Ranged
from luma_bench.plan.cluster.work import Made, Work
from luma_bench.plan.relational.expressions import Column, Compare, Expression, Sql
from luma_bench.plan.relational.nodes import Filter, Limit, Project, Sort, SortKey, Window, WindowCall


def ordered(work: Work, child: Pending, keys: Sequence[SortKey]) -> Pending:
    """All rows in an order: those of a task in order, and those of one task before those of the next."""
    if child.tasks == 1:
        return _sorted(child, keys)
    wide, over = with_keys(child, keys)
    made = work.submit(wide)
    if made.nbytes <= work.settings.sort_bytes:
        found = _sorted(work.whole(made).noted(f"one task sorts {work.sizes(made)}"), over)
    else:
        edges = borders(work, made, over, bucket_count(work, made.nbytes))
        columns = tuple(
            (key.expression.index, key.descending, key.nulls_first)
            for key in over
            if isinstance(key.expression, Column)
        )
        moved = work.submit(work.parts(made).doing("move by range"), Ranged(columns, edges))
        ranges = bucketed(work, moved, shared_out(work, moved.bucket_sizes()), frozenset())
        found = _sorted(ranges.noted(f"{edges.num_rows + 1} ranges"), over)
    return found.projected(Column(at) for at in range(child.width))


def top(work: Work, child: Pending, keys: Sequence[SortKey], count: int, offset: int) -> Pending:
    """The first rows of an order: those of each task, then of these."""
    if child.tasks > 1:
        few = replace(
            child,
            body=Limit(Sort(child.body, tuple(keys)), count + offset),
            rows=min(child.rows, float((count + offset) * child.tasks)),
            rowwise=False,
        ).doing(f"top {count + offset:,}")
        child = work.whole(work.submit(few))
    return _limited(_sorted(child, keys), count, offset)


def limited(work: Work, child: Pending, count: int | None, offset: int) -> Pending:
    """Some rows from the start, in the order of the tasks."""
    if child.tasks > 1:
        if count is not None:
            child = replace(
                child,
                body=Limit(child.body, count + offset),
                rows=min(child.rows, float((count + offset) * child.tasks)),
                rowwise=False,
            ).doing(f"first {count + offset:,}")
        child = work.whole(work.submit(child))
    return _limited(child, count, offset)


def with_keys(child: Pending, keys: Sequence[SortKey]) -> tuple[Pending, tuple[SortKey, ...]]:
    """The rows with the sort keys as columns, computed ones behind the others, and the keys over these."""
    extra = [key.expression for key in keys if not isinstance(key.expression, Column)]
    columns: list[Expression] = [Column(at) for at in range(child.width)]
    wide = child.projected([*columns, *extra])
    places = iter(range(child.width, child.width + len(extra)))
    over = tuple(
        key
        if isinstance(key.expression, Column)
        else SortKey(Column(next(places)), key.descending, key.nulls_first)
        for key in keys
    )
    return wide, over


def borders(work: Work, made: Made, keys: Sequence[SortKey], buckets: int) -> pa.Table:
    """The keys of rows that cut a stage's rows in about equal ranges: every n-th row is looked at, so that it is repeatable."""
    step = max(1, round(made.rows) // work.settings.sample_rows)
    rows = work.parts(made)
    numbered = Window(rows.body, (WindowCall("row_number"),))
    every = Compare("=", Sql(("", f" % {step}"), (Column(rows.width),)), Sql((str(1 % step),)))
    sampled = Project(Filter(numbered, every), tuple(key.expression for key in keys))
    sample = work.submit(
        replace(rows, body=sampled, rows=made.rows / step, rowwise=False).doing("sample of sort keys")
    )
    over = tuple(SortKey(Column(at), key.descending, key.nulls_first) for at, key in enumerate(keys))
    in_order = work.submit(_sorted(work.whole(sample), over).doing("borders of ranges"))
    found = pa.concat_tables(list(work.runner.fetch(in_order.handle)))
    places = [found.num_rows * at // buckets for at in range(1, buckets)]
    chosen = sorted({place for place in places if place < found.num_rows})
    return found.take(chosen)


def _sorted(child: Pending, keys: Sequence[SortKey]) -> Pending:
    return replace(child, body=Sort(child.body, tuple(keys)), rowwise=False).doing("sort")


def _limited(child: Pending, count: int | None, offset: int) -> Pending:
    """A limit of rows that are with one task."""
    rows = max(0.0, child.rows - offset) if count is None else min(child.rows, float(count))
    return replace(child, body=Limit(child.body, count, offset), rows=rows, rowwise=False).doing("limit")
