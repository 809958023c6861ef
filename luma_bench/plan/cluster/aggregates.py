"""Aggregates over several tasks: partial states first, moved by group, merged; or all rows of a group to one task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from luma_bench.plan.cluster.decompose import Halves, halves, undistinct
from luma_bench.plan.cluster.exchange import bucket_count, bucketed, key_sql, met, moved_by, shared_out
from luma_bench.plan.cluster.narrow import measure_columns, moved_measure
from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.quantiles import quantiles
from luma_bench.plan.cluster.stages import StageFeed
from luma_bench.plan.cluster.work import Work
from luma_bench.plan.relational.expressions import Column, Expression, columns_of, moved
from luma_bench.plan.relational.nodes import Aggregate, Measure
from luma_bench.plan.relational.to_duck import expression_sql, measure_sql

_GROUPS = 0.8
"""Groups are guessed to be the rows to this power: a quarter million of six million."""


def aggregated(work: Work, child: Pending, node: Aggregate) -> Pending:
    """The groups of a fragment's rows; `node`'s expressions are over its columns."""
    node = replace(node, measures=tuple(undistinct(measure) for measure in node.measures))
    if child.tasks == 1 or (node.sets is None and node.keys and child.meets(node.keys)):
        return _at_once(child, node)
    parts = _halves(work, child, node.measures)
    known = [part for part in parts if part is not None]
    if len(known) == len(parts):
        return in_halves(work, child, node.keys, known, node.sets)
    if node.sets is None:
        found = _distinct(work, child, node, parts) or quantiles(work, child, node, parts)
        if found is not None:
            return found
    if node.keys and node.sets is None:
        slim, over = _slim(child, node)
        why = "every row moves to its group: " + ", ".join(
            measure.function for measure, part in zip(node.measures, parts, strict=True) if part is None
        )
        return _at_once(met(work, slim.doing("move by group").noted(why), over.keys), over)
    slim, over = _slim(child, node)
    whole = work.gathered(slim, "an aggregate of all rows that has no partial form")
    return _at_once(whole, over)


def in_halves(
    work: Work,
    child: Pending,
    keys: Sequence[Expression],
    parts: Sequence[Halves],
    sets: tuple[tuple[int, ...], ...] | None = None,
) -> Pending:
    """Groups by partial states: keys, what the halves give, and the set's number where there are several."""
    states = tuple(state for part in parts for state in part.states)
    first = len(keys)
    partial = replace(
        child,
        body=Aggregate(child.body, tuple(keys), states, sets),
        rows=max(1.0, child.rows**_GROUPS) if keys else float(child.tasks),
        rowwise=False,
        together=frozenset(),
        kept=1.0,
    ).doing("partial aggregate" if states else "distinct")
    grouping = tuple(Column(at) for at in range(first))
    if sets is not None:
        grouping += (Column(first + len(states)),)
    if child.tasks == 1 or (keys and sets is None and child.meets(keys)):
        moved_here = partial
    elif grouping:
        moved_here = _by_group(work, partial, grouping)
    else:
        moved_here = _all_states(work, partial, parts)
    return _merged(moved_here, grouping, parts, first)


def _merged(rows: Pending, grouping: tuple[Column, ...], parts: Sequence[Halves], keys: int) -> Pending:
    """The merged states of each group, and what is made of them."""
    merges: list[Measure] = []
    finals: list[Expression] = []
    first = keys
    for part in parts:
        places = {at: first + at for at in range(len(part.states))}
        after = len(grouping) + len(merges)
        merges += [moved_measure(merge, places) for merge in part.merges]
        finals.append(moved(part.final, {at: after + at for at in range(len(part.merges))}))
        first += len(part.states)
    body = Aggregate(rows.body, grouping, tuple(merges))
    together = (
        frozenset({tuple(range(len(grouping)))})
        if grouping and rows.together
        else frozenset[tuple[int, ...]]()
    )
    groups = replace(rows, body=body, rowwise=False, together=together, kept=1.0)
    shown: list[Expression] = [*grouping[:keys], *finals]
    if len(grouping) > keys:
        shown.append(Column(keys))
    shown = [Column(at) for at in range(keys)] + shown[keys:]
    return groups.projected(shown).doing("final aggregate" if parts else "distinct")


def _by_group(work: Work, partial: Pending, grouping: tuple[Column, ...]) -> Pending:
    """Partial states where their groups meet; with one task when they are few."""
    buckets = bucket_count(work, work.expected_bytes(partial))
    made = moved_by(work, partial, key_sql(grouping, partial.width), buckets)
    together = frozenset({tuple(column.index for column in grouping)})
    return bucketed(work, made, shared_out(work, made.bucket_sizes()), together)


def _all_states(work: Work, partial: Pending, parts: Sequence[Halves]) -> Pending:
    """The partial states of all rows with one task, merged in a tree where there are many."""
    made = work.submit(partial)
    fan_in = work.settings.fan_in
    closed = all(part.closed for part in parts)
    while closed and made.stage.tasks > 2 * fan_in:
        tasks = made.stage.tasks
        groups = tuple(tuple(range(at, min(at + fan_in, tasks))) for at in range(0, tasks, fan_in))
        number = made.stage.number
        feed = StageFeed(work.name(f"s{number}"), number, "part", groups=groups)
        rows = work.read(made, feed, len(groups))
        merges: list[Measure] = []
        first = 0
        for part in parts:
            places = {at: first + at for at in range(len(part.states))}
            merges += [moved_measure(merge, places) for merge in part.merges]
            first += len(part.states)
        level = replace(rows, body=Aggregate(rows.body, (), tuple(merges)), rows=float(len(groups)))
        made = work.submit(level.doing("merge partial aggregates"))
    return work.whole(made)


def _at_once(rows: Pending, node: Aggregate) -> Pending:
    """Groups whose rows are with one task each."""
    places: dict[int, int] = {}
    for place, key in enumerate(node.keys):
        if isinstance(key, Column):
            places.setdefault(key.index, place)
    together = frozenset(
        tuple(places[at] for at in columns)
        for columns in rows.together
        if all(at in places for at in columns)
    )
    return replace(
        rows,
        body=Aggregate(rows.body, node.keys, node.measures, node.sets),
        rows=max(1.0, rows.rows**_GROUPS) if node.keys else 1.0,
        rowwise=False,
        together=together,
        kept=1.0,
    ).doing("aggregate" if node.measures else "distinct")


def _distinct(work: Work, child: Pending, node: Aggregate, parts: Sequence[Halves | None]) -> Pending | None:
    """Aggregates of distinct values: these are found first, by group and value; None where several are mixed."""
    chosen = [measure for measure, part in zip(node.measures, parts, strict=True) if part is None]
    args = {measure.args for measure in chosen}
    if len(args) != 1 or any(not one.distinct or one.filter or one.order for one in chosen):
        return None
    if any(part is not None and not part.closed for part in parts):
        return None
    (values,) = args
    plain = _halves(work, child, [replace(one, distinct=False) for one in chosen])
    if any(part is None for part in plain):
        return None
    keys = (*node.keys, *values)
    known = [part for part in parts if part is not None]
    states = tuple(state for part in known for state in part.states)
    partial = replace(
        child,
        body=Aggregate(child.body, keys, states),
        rows=max(1.0, child.rows * 0.5),
        rowwise=False,
        together=frozenset(),
        kept=1.0,
    ).doing("distinct values")
    grouping = tuple(Column(at) for at in range(len(keys)))
    rows = partial if child.meets(keys) else _by_group(work, partial, grouping)
    merges: list[Measure] = []
    first = len(keys)
    again: list[Halves] = []
    for part in known:
        places = {at: first + at for at in range(len(part.states))}
        merges += [moved_measure(merge, places) for merge in part.merges]
        again.append(part.again(first))
        first += len(part.states)
    rows = replace(rows, body=Aggregate(rows.body, grouping, tuple(merges)), rowwise=False)
    over = tuple(Column(len(node.keys) + at) for at in range(len(values)))
    fresh = [replace(one, distinct=False, args=over) for one in chosen]
    whole = iter(_halves(work, rows, fresh))
    states_again = iter(again)
    mixed = [next(whole) if part is None else next(states_again) for part in parts]
    ready = [part for part in mixed if part is not None]
    return in_halves(work, rows, tuple(Column(at) for at in range(len(node.keys))), ready)


def _halves(work: Work, child: Pending, measures: Sequence[Measure]) -> list[Halves | None]:
    """How each measure is computed in halves."""
    if not measures:
        return []
    types = work.types(child)
    names = [f"c{at}" for at in range(child.width)]
    texts = [expression_sql(arg, names) for measure in measures for arg in measure.args]
    results = [measure_sql(measure, names) for measure in measures]
    kinds = work.typer.types([*texts, *results], list(zip(names, types, strict=True)))
    found: list[Halves | None] = []
    at = 0
    for place, measure in enumerate(measures):
        mine = tuple(kinds[at : at + len(measure.args)])
        at += len(measure.args)
        found.append(halves(measure, mine, kinds[len(texts) + place]))
    return found


def _slim(child: Pending, node: Aggregate) -> tuple[Pending, Aggregate]:
    """The rows with only the columns that the aggregate reads, and the aggregate over these."""
    read: frozenset[int] = frozenset[int]().union(
        *(columns_of(key) for key in node.keys), *(measure_columns(one) for one in node.measures)
    )
    kept = sorted(read)
    places = {at: place for place, at in enumerate(kept)}
    over = Aggregate(
        node.child,
        tuple(moved(key, places) for key in node.keys),
        tuple(moved_measure(one, places) for one in node.measures),
        node.sets,
    )
    return child.projected(Column(at) for at in kept), over
