"""Statistics of groups that are more than one column or more than one row a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby_measures import WHOLE, measured
from luma_bench.frame.groupby_plan import Column, Keys, fresh, one_row_each
from luma_bench.frame.order import row_order
from luma_bench.plan.expressions import Call, Case, Cast, ColumnRef, Expression, IsNull, Literal, all_of
from luma_bench.plan.functions import Kind
from luma_bench.plan.nodes import Explode, Filter, Node, Project, Sort, SortKey, Union
from luma_bench.plan.window import Order, Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.groupby_core import Groups

_DESCRIBED = frozenset[Kind](("int", "real", "decimal", "date", "timestamp"))
_SPREAD = frozenset[Kind](("int", "real", "decimal"))


def described(
    groups: Groups, columns: Sequence[Column], percentiles: Sequence[float] | None
) -> list[tuple[str, str, Expression]]:
    """Column, name and expression of each statistic, under pandas' names.

    Raises
    ------
    SchemaError
        No column holds numbers or times.
    """
    fractions = sorted({0.25, 0.5, 0.75} if percentiles is None else {float(p) for p in percentiles})
    scope = groups._scope
    made: list[tuple[str, str, Expression]] = []
    for name, operand in columns:
        kind = groups._kind(operand)
        if kind not in _DESCRIBED:
            continue
        parts: list[Column] = [("count", measured(scope, "count", name, operand, kind))]
        parts.append(("mean", measured(scope, "mean", name, operand, kind)))
        if kind in _SPREAD:
            parts.append(("std", measured(scope, "std", name, operand, kind)))
        parts.append(("min", measured(scope, "min", name, operand, kind)))
        parts += [(percent(q), measured(scope, "quantile", name, operand, kind, q=q)) for q in fractions]
        parts.append(("max", measured(scope, "max", name, operand, kind)))
        made += [(name, label, part) for label, part in parts]
    if not made:
        raise SchemaError(
            "describe() of groups needs numbers or times, and no column holds any.",
            hint="Use agg(…) with count, nunique, mode, min and max.",
        )
    return made


def percent(fraction: float) -> str:
    """The name of a fraction: 0.25 is `25%`."""
    return f"{round(fraction * 100, 10):g}%"


def quantiles(
    groups: Groups, columns: Sequence[Column], fractions: Sequence[float], interpolation: str
) -> DataFrame:
    """A row for each group and fraction."""
    scope, keys, frame = groups._scope, groups._keys, groups._frame
    for q in fractions:
        measured(scope, "quantile", "", Literal(0), "int", q=q, interpolation=interpolation)
    if not fractions:
        raise UnsupportedError("quantile() got no fractions.", hint="Give one, or a list of them.")
    listed: list[Column] = []
    for name, operand in columns:
        kind = groups._kind(operand)
        one = cast("Window", measured(scope, "quantile", name, operand, kind))
        listed.append((name, Window("quantile", (one.args[0], Literal(list(fractions))), one.partition)))
    plain = Keys(keys.columns, keys.dropna, sort=False)
    grouped = one_row_each(frame.plan, plain, listed)
    names = [name for name, _ in columns]
    at: Column = ("quantile", Literal(list(fractions)))
    columns_out: list[Column] = [(name, ColumnRef(name)) for name in keys.names]
    wide = Project(grouped, (*columns_out, at, *((name, ColumnRef(name)) for name in names)))
    types = tuple(frame.with_plan(wide).schema.field(name).type.value_type for name in ("quantile", *names))
    made: Node = Explode(wide, ("quantile", *names), types)
    if keys.sort:
        made = Sort(made, tuple(SortKey(name) for name in (*keys.names, "quantile")))
    return frame.with_plan(made)


def counted(
    groups: Groups,
    columns: Sequence[Column],
    *,
    normalize: bool,
    sort: bool,
    ascending: bool,
    dropna: bool,
) -> DataFrame:
    """How often each combination of values occurs in each group."""
    keys, frame = groups._keys, groups._frame
    values = Keys(tuple(columns), dropna=False)
    tests = [IsNull(key, negated=True) for key in keys.expressions] if keys.dropna else []
    if dropna:
        tests += [IsNull(value, negated=True) for value in values.expressions]
    both = Keys((*keys.columns, *values.columns), dropna=False, sort=False)
    plan = Filter(frame.plan, all_of(tests)) if tests else frame.plan
    name = "proportion" if normalize else "count"
    made = one_row_each(plan, both, [(name, Window("size", (), both.expressions))])
    if normalize:
        whole = Window("sum", (ColumnRef(name),), tuple(ColumnRef(key) for key in keys.names))
        share = Call("div", (ColumnRef(name), whole))
        shown = [(one, ColumnRef(one)) for one in both.names]
        made = Project(made, (*shown, (name, share)))
    order = [SortKey(key) for key in keys.names] if keys.sort else []
    order += [SortKey(name, descending=not ascending)] if sort else []
    order += [SortKey(value) for value in values.names]
    return frame.with_plan(Sort(made, tuple(order)))


def _pair(
    groups: Groups, function: str, left: Expression, right: Expression, ddof: int, least: int
) -> Expression:
    scope = groups._scope
    value: Expression = scope.window(function, left, right)
    if function == "corr" and least <= 1:
        return value
    both = all_of([IsNull(left, negated=True), IsNull(right, negated=True)])
    pairs = scope.window("count", Case(((both, Literal(1)),), Literal(None)))
    if function == "covar" and ddof != 1:
        free = Call("sub", (pairs, Literal(ddof)))
        value = Call("div", (Call("mul", (scope.window("covar_pop", left, right), pairs)), free))
        least = max(least, ddof + 1)
    if least <= 1:
        return value
    return Case(((Call("ge", (pairs, Literal(least))), value),), Literal(None))


def related(
    groups: Groups, function: str, columns: Sequence[Column], *, ddof: int = 1, least: int = 1
) -> DataFrame:
    """A row for each group and column, with its correlation or covariance with every column."""
    keys, frame = groups._keys, groups._frame
    if not columns:
        raise SchemaError("No column holds numbers.", hint="Choose columns: groupby(…)[[…]].")
    names = [name for name, _ in columns]
    columns = [(name, _number(groups, value)) for name, value in columns]
    taken = {name.casefold() for name in (*keys.names, *names, *frame.plan.names, "column")}
    cells: dict[tuple[int, int], Column] = {}
    for row, (_, left) in enumerate(columns):
        for place, (_, right) in enumerate(columns[row:], row):
            cells[row, place] = (fresh(taken, "_"), _pair(groups, function, left, right, ddof, least))
    at = fresh(taken, "_row")
    grouped = one_row_each(frame.plan, Keys(keys.columns, keys.dropna, sort=False), list(cells.values()))
    shown = [(name, ColumnRef(name)) for name in keys.names]
    parts: list[Node] = []
    for row, name in enumerate(names):
        line = [
            (other, ColumnRef(cells[min(row, place), max(row, place)][0]))
            for place, other in enumerate(names)
        ]
        parts.append(Project(grouped, (*shown, ("column", Literal(name)), *line, (at, Literal(row)))))
    rows: Node = parts[0] if len(parts) == 1 else Union(tuple(parts))
    order = Sort(rows, (*(SortKey(name) for name in keys.names), SortKey(at)))
    kept = (*shown, ("column", ColumnRef("column")), *((name, ColumnRef(name)) for name in names))
    return frame.with_plan(Project(order, tuple(kept)))


def related_pair(
    groups: Groups, function: str, column: Column, other: Expression, *, ddof: int = 1, least: int = 1
) -> Expression:
    """The correlation or covariance of two columns of the group."""
    return _pair(groups, function, _number(groups, column[1]), _number(groups, other), ddof, least)


def _number(groups: Groups, value: Expression) -> Expression:
    return Cast(value, "INTEGER") if groups._kind(value) == "bool" else value


def bars(groups: Groups, column: Column, by: str | Sequence[str] | None) -> list[Column]:
    """The first, greatest, least and last value."""
    scope, (name, operand) = groups._scope, column
    kind = groups._kind(operand)
    return [
        ("open", measured(scope, "first", name, operand, kind, by=by)),
        ("high", measured(scope, "max", name, operand, kind)),
        ("low", measured(scope, "min", name, operand, kind)),
        ("close", measured(scope, "last", name, operand, kind, by=by)),
    ]


def extreme_at(groups: Groups, column: Column, on: str | None, *, greatest: bool) -> Expression:
    """The value of the column `on` in the first row that has the extreme.

    Raises
    ------
    UnsupportedError
        There is no `on`: rows have no labels.
    """
    what = "idxmax" if greatest else "idxmin"
    frame, scope = groups._frame, groups._scope
    if on is None:
        raise UnsupportedError(
            f"{what}() gives labels of rows, and rows have none.",
            hint=f"Name the column that tells them apart, {what}(on='id'), or take the rows: "
            f"sort_values({column[0]!r}, ascending={not greatest}).groupby(…).head(1).",
        )
    frame.check_column(on)
    known = IsNull(column[1], negated=True)
    ties = row_order(frame.plan) or ()
    value = Case(((known, ColumnRef(on)),), Literal(None))
    return Window("first_value", (value,), scope.partition, (Order(column[1], greatest), *ties), WHOLE)
