"""Leaves away the columns that nobody reads, so that stages do not hand them on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from luma_bench.plan.relational.expressions import Column, Expression, columns_of, moved
from luma_bench.plan.relational.nodes import (
    Aggregate,
    Filter,
    Join,
    Limit,
    Measure,
    Node,
    Project,
    Scan,
    Sort,
    SortKey,
    Union,
    Values,
    Window,
    WindowCall,
)


def narrowed(node: Node, needed: Sequence[int] | None = None) -> Node:
    """The same rows with only the columns at the positions `needed`, in that order; None for all of them."""
    wanted = tuple(range(node.width)) if needed is None else tuple(needed)
    match node:
        case Scan():
            kept = _sorted(wanted)
            return _picked(Scan(node.name, tuple(node.columns[at] for at in kept), node.shared), kept, wanted)
        case Values():
            rows = tuple(tuple(row[at] for at in wanted) for row in node.rows)
            return Values(rows, len(wanted))
        case Filter():
            kept = _sorted(wanted, columns_of(node.condition))
            child = narrowed(node.child, kept)
            return _picked(Filter(child, moved(node.condition, _places(kept))), kept, wanted)
        case Project():
            expressions = [node.expressions[at] for at in wanted]
            kept = _sorted((), *(columns_of(part) for part in expressions))
            places = _places(kept)
            child = narrowed(node.child, kept)
            return projected(child, tuple(moved(part, places) for part in expressions))
        case Aggregate():
            return _aggregate(node, wanted)
        case Join():
            return _join(node, wanted)
        case Sort():
            kept = _sorted(wanted, *(columns_of(key.expression) for key in node.keys))
            keys = moved_keys(node.keys, _places(kept))
            return _picked(Sort(narrowed(node.child, kept), keys), kept, wanted)
        case Limit():
            return Limit(narrowed(node.child, wanted), node.count, node.offset)
        case Window():
            return _window(node, wanted)
        case Union():
            return Union(tuple(narrowed(part, wanted) for part in node.parts))


def projected(child: Node, expressions: tuple[Expression, ...]) -> Node:
    """The child with these columns: itself where they are its own, in order."""
    if expressions == tuple(Column(at) for at in range(child.width)):
        return child
    return Project(child, expressions)


def moved_keys(keys: Iterable[SortKey], places: dict[int, int]) -> tuple[SortKey, ...]:
    """Sort keys over columns that stand elsewhere."""
    return tuple(SortKey(moved(key.expression, places), key.descending, key.nulls_first) for key in keys)


def moved_measure(measure: Measure, places: dict[int, int]) -> Measure:
    """An aggregate over columns that stand elsewhere."""
    return Measure(
        measure.function,
        tuple(moved(part, places) for part in measure.args),
        measure.distinct,
        None if measure.filter is None else moved(measure.filter, places),
        moved_keys(measure.order, places),
    )


def moved_call(call: WindowCall, places: dict[int, int]) -> WindowCall:
    """A window function over columns that stand elsewhere."""
    return WindowCall(
        call.function,
        tuple(moved(part, places) for part in call.args),
        tuple(moved(part, places) for part in call.partition),
        moved_keys(call.order, places),
        call.frame,
        call.distinct,
        call.ignore_nulls,
        None if call.filter is None else moved(call.filter, places),
    )


def measure_columns(measure: Measure) -> frozenset[int]:
    """The positions that an aggregate reads."""
    parts = [*measure.args, *(key.expression for key in measure.order)]
    if measure.filter is not None:
        parts.append(measure.filter)
    return frozenset[int]().union(*(columns_of(part) for part in parts))


def call_columns(call: WindowCall) -> frozenset[int]:
    """The positions that a window function reads."""
    parts = [*call.args, *call.partition, *(key.expression for key in call.order)]
    if call.filter is not None:
        parts.append(call.filter)
    return frozenset[int]().union(*(columns_of(part) for part in parts))


def _aggregate(node: Aggregate, wanted: tuple[int, ...]) -> Node:
    first = len(node.keys)
    last = first + len(node.measures)
    measures = [at for at in range(first, last) if at in wanted]
    if not measures and not node.keys and node.measures:
        measures = [first]  # without any it would have no row
    chosen = [node.measures[at - first] for at in measures]
    kept = _sorted(
        (), *(columns_of(key) for key in node.keys), *(measure_columns(measure) for measure in chosen)
    )
    places = _places(kept)
    made = Aggregate(
        narrowed(node.child, kept),
        tuple(moved(key, places) for key in node.keys),
        tuple(moved_measure(measure, places) for measure in chosen),
        node.sets,
    )
    have = [*range(first), *measures, *([last] if node.sets is not None else [])]
    return _picked(made, have, wanted)


def _join(node: Join, wanted: tuple[int, ...]) -> Node:
    if node.kind == "mark" and node.left.width not in wanted:
        return narrowed(node.left, wanted)
    split = node.left.width
    both = columns_of(node.condition) if node.condition is not None else frozenset[int]()
    shown = {at for at in wanted if node.kind != "mark" or at != split}
    left_kept = _sorted(
        (at for at in {*shown, *both} if at < split), *(columns_of(mine) for mine, _ in node.on)
    )
    right_kept = _sorted(
        (at - split for at in {*shown, *both} if at >= split), *(columns_of(theirs) for _, theirs in node.on)
    )
    left_places, right_places = _places(left_kept), _places(right_kept)
    places = left_places | {split + at: len(left_kept) + to for at, to in right_places.items()}
    made = Join(
        narrowed(node.left, left_kept),
        narrowed(node.right, right_kept),
        node.kind,
        tuple((moved(mine, left_places), moved(theirs, right_places)) for mine, theirs in node.on),
        None if node.condition is None else moved(node.condition, places),
        node.null_safe,
    )
    have = list(left_kept)
    if node.kind == "mark":
        have.append(split)
    elif node.kind not in ("semi", "anti"):
        have += [split + at for at in right_kept]
    return _picked(made, have, wanted)


def _window(node: Window, wanted: tuple[int, ...]) -> Node:
    split = node.child.width
    calls = [at for at in range(len(node.calls)) if split + at in wanted]
    kept = _sorted((at for at in wanted if at < split), *(call_columns(node.calls[at]) for at in calls))
    child = narrowed(node.child, kept)
    places = _places(kept)
    made = Window(child, tuple(moved_call(node.calls[at], places) for at in calls)) if calls else child
    return _picked(made, [*kept, *(split + at for at in calls)], wanted)


def _picked(node: Node, have: Sequence[int], wanted: Sequence[int]) -> Node:
    """`node`, whose columns are those at the old positions `have`, with the columns `wanted`."""
    places = _places(have)
    return projected(node, tuple(Column(places[at]) for at in wanted))


def _sorted(first: Iterable[int], *more: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(first).union(*more)))


def _places(kept: Sequence[int]) -> dict[int, int]:
    return {at: place for place, at in enumerate(kept)}
