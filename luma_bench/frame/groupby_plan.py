"""From expressions of windows over a group to one row a group: the grouping, and what is computed of its aggregates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby_measures import present
from luma_bench.plan.expressions import (
    AggregateCall,
    ColumnRef,
    Expression,
    IsNull,
    Literal,
    all_of,
    columns_of,
)
from luma_bench.plan.functions import AGGREGATES
from luma_bench.plan.nodes import Aggregate, Filter, Node, Project, Sort, SortKey
from luma_bench.plan.window import Order, Origin, Window

Column = tuple[str, Expression]
"""A name and what it is."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What rows are grouped by.

    Attributes
    ----------
    columns
        Name and expression of each.
    dropna
        Leave out the rows where a key is NULL.
    sort
        Put the groups in the order of the keys.
    single
        One key that was not in a list: what iteration gives and `get_group` takes is a value and no tuple.
    spans
        The keys that are spans of a column of time: the column is no value of the groups.
    """

    columns: tuple[Column, ...]
    dropna: bool = True
    sort: bool = True
    single: bool = False
    spans: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the key columns."""
        return tuple(name for name, _ in self.columns)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The keys over the frame."""
        return tuple(expression for _, expression in self.columns)

    @property
    def plain(self) -> frozenset[str]:
        """The columns of the frame that are keys as they are."""
        return frozenset(name for name, expression in self.columns if expression == ColumnRef(name))


def one_row_each(plan: Node, keys: Keys, measures: Sequence[Column]) -> Node:
    """The groups, a row each: keys, then measures, which are expressions of windows over the whole group.

    Raises
    ------
    SchemaError
        A key and a measure have one name.
    UnsupportedError
        A measure has a value for each row.
    """
    taken = {name.casefold() for name in (*keys.names, *plan.names)}
    for name, _ in measures:
        if name.casefold() in {key.casefold() for key in keys.names}:
            raise SchemaError(
                f"The groups would have two columns {name!r}: a key and a value.",
                hint="Give the key a name of its own, groupby(series.rename('name')), or choose columns.",
            )
    taken |= {name.casefold() for name, _ in measures}
    below, inner = _with_keys(plan, keys, taken)
    if keys.dropna and inner:
        below = Filter(below, all_of(present([ColumnRef(name) for name in inner])))
    calls: list[tuple[str, AggregateCall]] = []
    outputs: list[Column] = [
        (name, ColumnRef(inside)) for name, inside in zip(keys.names, inner, strict=True)
    ]
    for name, expression in measures:
        if isinstance(expression, Window):
            calls.append((name, aggregate_of(expression, keys.expressions)))
            outputs.append((name, ColumnRef(name)))
        else:
            outputs.append((name, _finished(name, expression, keys, calls, taken)))
    made: Node = Aggregate(below, inner, tuple(calls))
    if made.names != tuple(name for name, _ in outputs) or any(
        expression != ColumnRef(name) for name, expression in outputs
    ):
        made = Project(made, tuple(outputs))
    return Sort(made, tuple(SortKey(name) for name in keys.names)) if keys.sort and inner else made


def _with_keys(plan: Node, keys: Keys, taken: set[str]) -> tuple[Node, tuple[str, ...]]:
    """The plan with a column for each key, and their names: a computed key never hides a column that is read."""
    inner: list[str] = []
    computed: list[Column] = []
    own = {name.casefold() for name in plan.names}
    for name, expression in keys.columns:
        if expression == ColumnRef(name):
            inner.append(name)
            continue
        inside = fresh(taken, "_key") if name.casefold() in own else name
        computed.append((inside, expression))
        inner.append(inside)
    if computed:
        plan = Project(plan, (*((name, ColumnRef(name)) for name in plan.names), *computed))
    return plan, tuple(inner)


def fresh(taken: set[str], stem: str) -> str:
    """A name that is not taken, and is from now on."""
    number = 1
    while (name := f"{stem}{number}") in taken:
        number += 1
    taken.add(name)
    return name


def _finished(
    name: str, expression: Expression, keys: Keys, calls: list[tuple[str, AggregateCall]], taken: set[str]
) -> Expression:
    """The expression over the grouping, with an aggregate of its own for each window in it."""
    made: dict[object, str] = {}

    def column(window: Window) -> Expression:
        # The same aggregate once: by identity, as comparing large operands could cost more than it saves.
        same = (window.function, tuple(map(id, window.args)), tuple(map(id, window.order)))
        if same not in made:
            made[same] = fresh(taken, "_")
            calls.append((made[same], aggregate_of(window, keys.expressions)))
        return ColumnRef(made[same])

    finished = _outermost(expression, column)
    rows = columns_of(finished) - set(made.values())
    if rows:
        raise UnsupportedError(
            f"{name!r} has a value for each row of a group, and a group is to be one row: it reads {min(rows)!r} as it is.",
            hint="Reduce it, as in s.max() - s.min(), or use transform() for a value a row.",
        )
    return finished


def _outermost(expression: Expression, change: Callable[[Window], Expression]) -> Expression:
    """The tree with every window replaced that stands in no other window."""
    if isinstance(expression, Window):
        return change(expression)
    children = expression.children
    changed = [_outermost(child, change) for child in children]
    same = all(new is old for new, old in zip(changed, children, strict=True))
    return expression if same else expression.with_children(changed)


def aggregate_of(window: Window, partition: tuple[Expression, ...]) -> AggregateCall:
    """The aggregate that gives what a window over the whole group gives.

    Raises
    ------
    UnsupportedError
        The window is no reduction of the group.
    """
    whole = not window.order if window.frame is None else window.frame.start is window.frame.end is None
    if window.partition != partition or not whole:
        raise UnsupportedError(
            f"{window.function} gives a value for each row of a group, and a group is to be one row.",
            hint="Reduce it, or use transform() for a value a row.",
        )
    operand = window.args[0] if window.args else None
    if window.function == "first_value":
        return _first(window, operand)
    more = window.args[1] if len(window.args) > 1 else None
    if isinstance(more, Literal) and not AGGREGATES[window.function].pair:
        return AggregateCall(window.function, operand, more.value, order=window.order)
    return AggregateCall(window.function, operand, other=more, order=window.order)


def _first(window: Window, operand: Expression | None) -> AggregateCall:
    if not window.ignore_nulls:
        return AggregateCall("first", operand, order=window.order)
    if window.order in ((Order(Origin()),), (Order(Origin()).reversed,)):
        # One pass without sorting; NULLs are passed over.
        function = "arg_max" if window.order[0].descending else "arg_min"
        return AggregateCall(function, operand, other=Origin())
    assert operand is not None
    return AggregateCall("first", operand, order=window.order, where=IsNull(operand, negated=True))


def is_reduction(expression: Expression, partition: tuple[Expression, ...]) -> bool:
    """Whether it has one value a group."""
    pending: list[Expression] = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, Window):
            whole = not node.order if node.frame is None else node.frame.start is node.frame.end is None
            if node.partition != partition or not whole:
                return False
        elif isinstance(node, ColumnRef | Origin):
            return False
        else:
            pending += node.children
    return True


def check_of_group(expression: Expression, partition: tuple[Expression, ...], name: str) -> None:
    """Refuse windows that look beyond the group.

    Raises
    ------
    UnsupportedError
        A window in it has other partitions.
    """
    for window in _windows(expression):
        if window.partition[: len(partition)] != partition:
            raise UnsupportedError(
                f"{window.function} in {name!r} would read rows beyond the group.",
                hint="Compute it as a column first, or use the method of the groups: groupby(…).shift(), .cumsum(), ….",
            )


def _windows(expression: Expression) -> Iterable[Window]:
    pending: list[Expression] = [expression]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Window):
            yield node
        pending += node.children
