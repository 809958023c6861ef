"""What a merge is asked beside its rows: `validate=`, `indicator=`, `sort=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from luma_bench.errors import ConstraintError, SchemaError, UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.plan.expressions import AggregateCall, Call, Case, ColumnRef, Expression, IsNull, Literal
from luma_bench.plan.nodes import Aggregate, Filter, Join, JoinColumn, Limit, Node, Project, Sort, SortKey

_VALIDATE = {
    "one_to_one": (True, True),
    "1:1": (True, True),
    "one_to_many": (True, False),
    "1:m": (True, False),
    "many_to_one": (False, True),
    "m:1": (False, True),
    "many_to_many": (False, False),
    "m:m": (False, False),
}


def check_unique(left: Frame, right: Frame, pairs: Sequence[tuple[str, str]], validate: str | None) -> None:
    """Look for keys that stand more than once where `validate` says they do not: a query a side, at once.

    A frame's rows never change, so what holds now holds whenever it is run.

    Raises
    ------
    UnsupportedError
        There is no such rule.
    ConstraintError
        A key stands more than once; it is named.
    """
    if validate is None:
        return
    sides = _VALIDATE.get(validate)
    if sides is None:
        raise UnsupportedError(
            f"merge(validate={validate!r}) is not known.",
            hint=f"It is one of {', '.join(map(repr, _VALIDATE))}.",
        )
    for frame, side, unique, place in zip((left, right), ("left", "right"), sides, (0, 1), strict=True):
        if unique and pairs:
            _check_side(frame, side, tuple(dict.fromkeys(pair[place] for pair in pairs)), validate)


def _check_side(frame: Frame, side: str, keys: tuple[str, ...], validate: str) -> None:
    taken = {name.casefold() for name in keys}
    count = _fresh("rows", taken)
    counted = Aggregate(frame.plan, keys, ((count, AggregateCall("size")),))
    twice = Filter(counted, Call("gt", (ColumnRef(count), Literal(1))))
    found = frame.with_plan(Limit(twice, 1)).to_arrow().to_pylist()
    if found:
        rows = found[0].pop(count)
        raise ConstraintError(
            f"merge(validate={validate!r}): the keys of the {side} frame are not unique: {found[0]} stands in {rows} rows.",
            hint="Drop the duplicates first, or leave validate= out.",
        )


def with_indicator(joined: Join, indicator: bool | str) -> Node:
    """The join with a column that says where each row is from: 'left_only', 'right_only' or 'both'.

    Raises
    ------
    SchemaError
        There is a column of that name.
    UnsupportedError
        The join has rows of the left frame alone.
    """
    name = indicator if isinstance(indicator, str) else "_merge"
    if joined.how in ("semi", "anti"):
        raise UnsupportedError(
            f"merge(how={joined.how!r}) has no column that says where rows are from.",
            hint="Leave indicator= out: all rows are the left frame's.",
        )
    if name.casefold() in {item.casefold() for item in joined.names}:
        raise SchemaError(
            f"There is a column {name!r} already.", hint="Give the indicator another name: indicator='from'."
        )
    taken = {item.casefold() for item in (*joined.names, *joined.left.names, *joined.right.names)}
    one, two = _fresh("in_left", taken), _fresh("in_right", taken)
    marked = Join(
        _marked(joined.left, one),
        _marked(joined.right, two),
        joined.how,
        joined.on,
        (*joined.columns, JoinColumn(one, one, None), JoinColumn(two, None, two)),
    )
    where = Case(
        (
            (IsNull(ColumnRef(two)), Literal("left_only")),
            (IsNull(ColumnRef(one)), Literal("right_only")),
        ),
        Literal("both"),
    )
    kept = tuple((item, ColumnRef(item)) for item in joined.names)
    return Project(marked, (*kept, (name, where)))


def _marked(node: Node, name: str) -> Node:
    marked: tuple[tuple[str, Expression], ...] = ((name, Literal(True)),)
    return Project(node, (*((item, ColumnRef(item)) for item in node.names), *marked))


def sorted_by_keys(joined: Node, columns: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> Node:
    """The rows in the order of the keys, as far as these come out; `columns` are their names there by left name."""
    keys = tuple(SortKey(columns[left]) for left, _ in pairs if left in columns)
    return Sort(joined, keys) if keys else joined


def _fresh(stem: str, taken: set[str]) -> str:
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name)
    return name
