"""Pivots: `frame.pivot_table`, `lb.crosstab`, `lb.get_dummies`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.expr import literal, sql_type
from luma_bench.frame.groupby_measures import Scope, measured, named_measure
from luma_bench.frame.groupby_plan import Keys, one_row_each
from luma_bench.frame.merge import as_names
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.expressions import Call, Case, Cast, ColumnRef, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Project
from luma_bench.plan.walk import kinds_of
from luma_bench.plan.window import Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series

MOST = 2_000
"""Columns that a pivot may make."""


def pivoted(
    frame: DataFrame,
    values: Any,
    index: Any,
    columns: Any,
    aggfunc: Any,
    fill_value: object,
    *,
    dropna: bool,
    sort: bool,
    among: Sequence[object] | None,
) -> DataFrame:
    """The frame of `pivot_table`."""
    rows = () if index is None else as_names(index)
    across = () if columns is None else as_names(columns)
    if not rows and not across:
        raise UnsupportedError("pivot_table() got no keys.", hint="Give index= and columns=.")
    for name in (*rows, *across):
        frame.check_column(name)
    kinds = kinds_of(frame.plan)
    wanted = _values(frame, values, (*rows, *across))
    functions = _functions(aggfunc, wanted)
    cells = (
        [((), None)] if not across else [(cell, _test(across, cell)) for cell in _cells(frame, across, among)]
    )
    scope = Scope(frame, tuple(ColumnRef(name) for name in rows))
    several_values = len(wanted) > 1 or values is None or not isinstance(values, str)
    several_functions = any(len(given) > 1 for given in functions.values()) or isinstance(
        aggfunc, list | tuple
    )
    made: list[tuple[str, Expression]] = []
    for value in wanted:
        for label, function in functions[value]:
            for cell, test in cells:
                own: Expression = ColumnRef(value)
                seen = own if test is None else Case(((test, own),), Constant(None))
                name = "_".join(
                    [
                        *([label] if several_functions else []),
                        *([value] if several_values or not cell else []),
                        *map(str, cell),
                    ]
                )
                reduced = _measured(scope, function, value, seen, kinds[value])
                if fill_value is not None:
                    reduced = Call("coalesce", (reduced, literal(fill_value)))
                made.append((_named(name), reduced))
    keys = Keys(tuple((name, ColumnRef(name)) for name in rows), dropna=dropna, sort=sort)
    return frame.with_plan(one_row_each(frame.plan, keys, made))


def _named(label: str) -> str:
    """A column's name of a value: that of an empty text is two quotes, as no column has an empty name."""
    return label or "''"


def _measured(scope: Scope, function: Any, column: str, operand: Expression, kind: Any) -> Expression:
    if function == "any_value":
        return scope.window("any_value", operand)
    if function == "size":
        return scope.window("count", operand)
    known = named_measure(function)
    if known is None:
        raise UnsupportedError(
            "pivot_table() takes names of reductions as aggfunc.",
            hint="Name them: aggfunc='mean', or a list.",
        )
    return measured(scope, known.name, column, operand, kind, **known.options)


def _values(frame: DataFrame, values: Any, keys: Sequence[str]) -> tuple[str, ...]:
    if values is not None:
        names = as_names(values)
        for name in names:
            frame.check_column(name)
        return names
    kinds = kinds_of(frame.plan)
    found = tuple(
        name
        for name in frame.columns
        if name not in keys and kinds[name] in ("int", "real", "decimal", "bool")
    )
    if not found:
        raise SchemaError("No column holds numbers to reduce.", hint="Name one: values='x'.")
    return found


def _functions(aggfunc: Any, values: Sequence[str]) -> dict[str, list[tuple[str, Any]]]:
    def named(given: Any) -> list[tuple[str, Any]]:
        listed = list(given) if isinstance(given, list | tuple) else [given]
        return [(one if isinstance(one, str) else str(getattr(one, "__name__", one)), one) for one in listed]

    if isinstance(aggfunc, Mapping):
        return {name: named(aggfunc.get(name, "mean")) for name in values}
    return {name: named(aggfunc) for name in values}


def _cells(frame: DataFrame, across: Sequence[str], among: Sequence[object] | None) -> list[tuple[Any, ...]]:
    """The combinations of values that become columns, in ascending order."""
    if among is not None:
        return [one if isinstance(one, tuple) else (one,) for one in among]
    known = frame[list(across)].dropna().drop_duplicates().sort_values(list(across)).head(MOST + 1)
    table = known.to_arrow()
    if table.num_rows > MOST:
        raise UnsupportedError(
            f"There are more than {MOST:,} values of {', '.join(across)}, and each would be a column.",
            hint="Choose some: among=[…].",
        )
    return [tuple(row.values()) for row in table.to_pylist()]


def _test(across: Sequence[str], cell: Sequence[object]) -> Expression:
    tests = tuple(
        Call("eq", (ColumnRef(name), literal(value))) for name, value in zip(across, cell, strict=True)
    )
    return tests[0] if len(tests) == 1 else Call("and", tests)


@checking_keywords
def crosstab(
    index: Series,
    columns: Series,
    values: Series | None = None,
    aggfunc: Any = None,
    *,
    normalize: bool | Literal["all", "index", "columns"] = False,
    margins: bool = False,
) -> DataFrame:
    """How often each value of one Series meets each of another, or a reduction of a third: rows of the first, columns of the second.

    Parameters
    ----------
    normalize
        Shares of all (True, 'all'), of each row ('index') or of each column ('columns') instead of counts.

    Examples
    --------
    >>> lb.crosstab(flights.month, flights.origin).columns
    ['month', 'EWR', 'JFK', 'LGA']
    """
    if margins:
        raise UnsupportedError(
            "crosstab(margins=True) is not served.", hint="Group by one of them for the totals."
        )
    if (values is None) != (aggfunc is None):
        raise UnsupportedError("crosstab() got one of values= and aggfunc=.", hint="Give both, or neither.")
    frame, own, given = index._pair(columns)
    row = index.name
    column = columns.name if columns.name.casefold() != row.casefold() else f"{columns.name}_2"
    value: Expression = Constant(1) if values is None else values.over(frame)
    name = next(f"value{n}" for n in range(9) if f"value{n}" not in (row, column))
    made = frame.with_plan(Project(frame.plan, ((row, own), (column, given), (name, value))))
    made = made[made[row].notna() & made[column].notna()]
    table = made.pivot_table(
        name, row, column, "count" if aggfunc is None else aggfunc, 0 if aggfunc is None else None
    )
    if normalize is False:
        return table
    cells = [one for one in table.columns if one != row]
    return _shares(table, row, cells, "all" if normalize is True else normalize)


def _shares(table: DataFrame, row: str, cells: Sequence[str], of: str) -> DataFrame:
    if of not in ("all", "index", "columns"):
        raise UnsupportedError(
            f"normalize={of!r} is not known.", hint="It is True, 'all', 'index' or 'columns'."
        )
    across = table[list(cells)].sum(axis=1).expression
    made: list[tuple[str, Expression]] = [(row, ColumnRef(row))]
    for name in cells:
        part = ColumnRef(name) if of == "columns" else across
        whole: Expression = across if of == "index" else Window("sum", (part,))
        made.append((name, Call("div", (ColumnRef(name), whole))))
    return table.with_plan(Project(table.plan, tuple(made)))


@checking_keywords
def get_dummies(
    data: Any,
    prefix: str | Sequence[str] | Mapping[str, str] | None = None,
    prefix_sep: str = "_",
    dummy_na: bool = False,
    columns: Sequence[str] | None = None,
    drop_first: bool = False,
    dtype: Any = None,
) -> DataFrame:
    """A column of truth values for each value of each column of text, in its place; the values are asked for at once.

    Parameters
    ----------
    data
        A frame, or a Series.
    columns
        The columns to take apart; by default those of text.
    dtype
        The type of the new columns: bool by default.

    Examples
    --------
    >>> lb.get_dummies(flights[["month", "origin"]]).columns
    ['month', 'origin_EWR', 'origin_JFK', 'origin_LGA']
    """
    from luma_bench.frame.dataframe import DataFrame as Frame

    alone = not isinstance(data, Frame)
    frame: DataFrame = data.to_frame() if alone else data
    kinds = kinds_of(frame.plan)
    chosen = (
        list(columns)
        if columns is not None
        else [name for name in frame.columns if alone or kinds[name] == "text"]
    )
    for name in chosen:
        frame.check_column(name)
    prefixes = _prefixes(prefix, chosen, alone=alone)
    type_ = "BOOLEAN" if dtype is None else sql_type(dtype)
    kept: list[tuple[str, Expression]] = [
        (name, ColumnRef(name)) for name in frame.columns if name not in chosen
    ]
    made: list[tuple[str, Expression]] = []
    for name in chosen:
        found = [cell[0] for cell in _cells(frame, (name,), None)]
        tests: list[tuple[str, Expression]] = [
            (
                str(value),
                Call("coalesce", (Call("eq", (ColumnRef(name), literal(value))), Constant(value=False))),
            )
            for value in found
        ]
        if dummy_na:
            tests.append(("nan", IsNull(ColumnRef(name))))
        before = prefixes[name]
        for shown, test in tests[1 if drop_first else 0 :]:
            label = shown if before is None else f"{before}{prefix_sep}{shown}"
            made.append((_named(label), test if type_ == "BOOLEAN" else Cast(test, type_)))
    return frame.with_plan(Project(frame.plan, (*kept, *made)))


def _prefixes(prefix: Any, chosen: Sequence[str], *, alone: bool) -> dict[str, str | None]:
    if prefix is None:
        return {name: None if alone else name for name in chosen}
    if isinstance(prefix, str):
        return dict.fromkeys(chosen, prefix)
    if isinstance(prefix, Mapping):
        return {name: prefix.get(name, name) for name in chosen}
    if len(prefix) != len(chosen):
        raise UnsupportedError(
            f"There are {len(prefix)} prefixes for {len(chosen)} columns.", hint="Give one for each."
        )
    return dict(zip(chosen, prefix, strict=True))


@checking_keywords
def melt(
    frame: DataFrame,
    id_vars: Any = None,
    value_vars: Any = None,
    var_name: str | None = None,
    value_name: str = "value",
) -> DataFrame:
    """`frame.melt(…)`.

    Examples
    --------
    >>> lb.melt(flights.head(2), "origin", ["month", "day"]).columns
    ['origin', 'variable', 'value']
    """
    return frame.melt(id_vars, value_vars, var_name, value_name)


@checking_keywords
def pivot_table(
    data: DataFrame,
    values: Any = None,
    index: Any = None,
    columns: Any = None,
    aggfunc: Any = "mean",
    fill_value: object = None,
) -> DataFrame:
    """`frame.pivot_table(…)`.

    Examples
    --------
    >>> lb.pivot_table(flights, "distance", "month", "origin").columns
    ['month', 'EWR', 'JFK', 'LGA']
    """
    return data.pivot_table(values, index, columns, aggfunc, fill_value)


@checking_keywords
def pivot(data: DataFrame, *, columns: str, index: Any, values: Any = None) -> DataFrame:
    """`frame.pivot(…)`.

    Examples
    --------
    >>> lb.pivot(flights.groupby(["month", "origin"]).size(), columns="origin", index="month").columns
    ['month', 'size_EWR', 'size_JFK', 'size_LGA']
    """
    return data.pivot(columns=columns, index=index, values=values)
