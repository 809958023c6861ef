"""Reductions of a group by pandas' names, each written as an expression of windows over the group.

One form serves all: `transform` and `filter` take the expression as it is, row by row, and `agg` turns its windows into
aggregates (`frame.groupby_plan`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from luma_bench.errors import SchemaError, UnsupportedError, nearest
from luma_bench.frame.order import order_for
from luma_bench.plan.expressions import Call, Case, Cast, Expression, IsNull, Literal
from luma_bench.plan.functions import Kind
from luma_bench.plan.window import Between, Order, Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

WHOLE: Final = Between(None, None)
"""All rows of the group, whatever the order."""

_NUMBERS: Final = frozenset[Kind](("bool", "int", "real", "decimal", "interval", "other"))
_TIMES: Final = frozenset[Kind](("date", "timestamp", "time", "interval"))
_AVERAGED: Final = _NUMBERS | frozenset[Kind](("date", "timestamp"))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose windows they are: the frame and the keys of its groups, as expressions over it."""

    frame: DataFrame
    partition: tuple[Expression, ...]

    def window(self, function: str, *args: Expression) -> Window:
        """A function of all rows of the group."""
        return Window(function, args, self.partition)

    def order(self, what: str, by: str | Sequence[str] | None = None) -> tuple[Order, ...]:
        """The order in which the rows of a group stand."""
        return order_for(self.frame, by, what=what)


Measure = Callable[..., Expression]
"""`(scope, operand, **options)` → what it is of the group."""


def _plain(function: str) -> Measure:
    def of(scope: Scope, operand: Expression, *, skipna: bool = True) -> Expression:
        return _no_nulls(scope, operand, scope.window(function, operand), skipna)

    return of


def _no_nulls(scope: Scope, operand: Expression, value: Expression, skipna: bool) -> Expression:
    """The value; with `skipna=False`, NULL where a value of the group is NULL."""
    if skipna:
        return value
    complete = Call("eq", (scope.window("count", operand), scope.window("size")))
    return Case(((complete, value),), Literal(None))


def _total(function: str, nothing: float) -> Measure:
    def of(
        scope: Scope, operand: Expression, *, min_count: int = 1, skipna: bool = True, whole: bool = False
    ) -> Expression:
        value: Expression = scope.window(function, operand)
        if min_count <= 0:
            value = Call("coalesce", (value, Literal(int(nothing) if whole else nothing)))
        elif min_count > 1:
            value = _enough(scope, operand, value, min_count)
        return _no_nulls(scope, operand, value, skipna)

    return of


def _enough(scope: Scope, operand: Expression, value: Expression, min_count: int) -> Expression:
    enough = Call("ge", (scope.window("count", operand), Literal(min_count)))
    return Case(((enough, value),), Literal(None))


def _extreme(function: str) -> Measure:
    def of(scope: Scope, operand: Expression, *, min_count: int = -1, skipna: bool = True) -> Expression:
        value: Expression = scope.window(function, operand)
        if min_count > 1:
            value = _enough(scope, operand, value, min_count)
        return _no_nulls(scope, operand, value, skipna)

    return of


def _spread(sample: str, population: str, *, root: bool) -> Measure:
    def of(scope: Scope, operand: Expression, *, ddof: int = 1, skipna: bool = True) -> Expression:
        value: Expression
        if ddof in (0, 1):
            value = scope.window(sample if ddof else population, operand)
        else:
            count = scope.window("count", operand)
            free = Call("sub", (count, Literal(ddof)))
            scaled: Expression = Call("div", (Call("mul", (scope.window("var_pop", operand), count)), free))
            scaled = Call("sqrt", (scaled,)) if root else scaled
            value = Case(((Call("gt", (count, Literal(ddof))), scaled),), Literal(None))
        return _no_nulls(scope, operand, value, skipna)

    return of


_STD: Final = _spread("std", "std_pop", root=True)


def _sem(scope: Scope, operand: Expression, *, ddof: int = 1, skipna: bool = True) -> Expression:
    count = Call("sqrt", (scope.window("count", operand),))
    value = Call("div", (_STD(scope, operand, ddof=ddof), count))
    return _no_nulls(scope, operand, value, skipna)


def _edge(what: str) -> Measure:
    def of(
        scope: Scope,
        operand: Expression,
        *,
        min_count: int = -1,
        skipna: bool = True,
        by: str | Sequence[str] | None = None,
    ) -> Expression:
        order = scope.order(what, by)
        # `first_value` of the opposite order: `last_value` would need the same frame and say no more.
        keys = order if what == "first" else tuple(key.reversed for key in order)
        value: Expression = Window(
            "first_value", (operand,), scope.partition, keys, WHOLE, ignore_nulls=skipna
        )
        return _enough(scope, operand, value, min_count) if min_count > 1 else value

    return of


def _nunique(scope: Scope, operand: Expression, *, dropna: bool = True) -> Expression:
    values = scope.window("nunique", operand)
    if dropna:
        return values
    lacks = Call("lt", (scope.window("count", operand), scope.window("size")))
    return Call("add", (values, Case(((lacks, Literal(1)),), Literal(0))))


def _quantile(
    scope: Scope, operand: Expression, *, q: float = 0.5, interpolation: str = "linear"
) -> Expression:
    if not 0 <= q <= 1:
        raise UnsupportedError(f"A quantile of {q} does not exist.", hint="Give a fraction from 0 to 1.")
    if interpolation != "linear":
        raise UnsupportedError(
            f"quantile(interpolation={interpolation!r}) of groups is not known.", hint="It is 'linear'."
        )
    return scope.window("quantile", operand, Literal(float(q)))


def _list(scope: Scope, operand: Expression) -> Expression:
    return Window("list", (operand,), scope.partition, scope.order("list"), WHOLE)


def _mode(scope: Scope, operand: Expression) -> Expression:
    # Of values that are equally frequent, the aggregate gives the one that it meets first: the least.
    return Window("mode", (operand,), scope.partition, (Order(operand),), WHOLE)


def _unique(scope: Scope, operand: Expression) -> Expression:
    return Window("unique", (operand,), scope.partition, (Order(operand),), WHOLE)


MEASURES: Final[Mapping[str, Measure]] = {
    "count": lambda scope, operand: scope.window("count", operand),
    "nunique": _nunique,
    "sum": _total("sum", 0.0),
    "prod": _total("prod", 1.0),
    "mean": _plain("mean"),
    "median": _plain("median"),
    "min": _extreme("min"),
    "max": _extreme("max"),
    "std": _STD,
    "var": _spread("var", "var_pop", root=False),
    "sem": _sem,
    "skew": _plain("skew"),
    "kurt": _plain("kurt"),
    "quantile": _quantile,
    "any": _plain("any"),
    "all": _plain("all"),
    "first": _edge("first"),
    "last": _edge("last"),
    "mode": _mode,
    "list": _list,
    "unique": _unique,
}
"""By pandas' name; `size` needs no column and stands beside them."""

NUMERIC: Final = frozenset(("sum", "mean", "median", "quantile", "std", "var", "sem", "prod", "skew", "kurt"))
"""Those that read numbers, truth as 0 and 1."""

_POINTS: Final = frozenset(("mean", "median", "quantile"))

_ALIASES: Final[Mapping[str, str]] = {
    "avg": "mean",
    "average": "mean",
    "len": "size",
    "amin": "min",
    "amax": "max",
    "set": "unique",
    "product": "prod",
    "kurtosis": "kurt",
    "nanmean": "mean",
    "nansum": "sum",
    "nanmin": "min",
    "nanmax": "max",
    "nanmedian": "median",
    "nanprod": "prod",
}
_KNOWN_MODULES: Final = ("builtins", "numpy", "pandas", "statistics")


@dataclass(frozen=True, slots=True)
class Named:
    """A reduction by name, with the options that the way it was given sets."""

    name: str
    options: Mapping[str, object]


def named_measure(function: object) -> Named | None:
    """The reduction that a name or a well-known callable (`sum`, `numpy.mean`, `pandas.Series.mode`) means; None for another callable.

    Raises
    ------
    UnsupportedError
        There is no reduction of this name.
    """
    module = "" if isinstance(function, str) else str(getattr(function, "__module__", None) or "builtins")
    module = module.partition(".")[0]
    if module and module not in _KNOWN_MODULES:
        return None
    name = function if isinstance(function, str) else str(getattr(function, "__name__", repr(function)))
    name = _ALIASES.get(name, name)
    if name in MEASURES or name == "size":
        # NumPy's are of the population; pandas' names of the sample.
        return Named(name, {"ddof": 0} if module == "numpy" and name in ("std", "var") else {})
    if not isinstance(function, str):
        return None
    near = nearest(name, [*MEASURES, "size"])
    raise UnsupportedError(
        f"There is no aggregate {name!r}.",
        hint=(f"Did you mean {' or '.join(near)}? " if near else "")
        + f"The aggregates are: {', '.join(sorted((*MEASURES, 'size')))}.",
    )


def fits(name: str, kind: Kind) -> bool:
    """Whether a reduction is of values of this kind."""
    if name in ("any", "all"):
        return kind not in _TIMES
    if kind == "interval" and name in NUMERIC:
        return name in ("sum", *_POINTS)
    return name not in NUMERIC or kind in (_AVERAGED if name in _POINTS else _NUMBERS)


def measured(
    scope: Scope, name: str, column: str, operand: Expression, kind: Kind, **options: Any
) -> Expression:
    """A reduction of a column of the group, as an expression of windows.

    Raises
    ------
    SchemaError
        It needs numbers, and the column has none.
    """
    if name == "size":
        return scope.window("size")
    if not fits(name, kind):
        raise SchemaError(
            f"{name} needs {'truth, numbers or text' if name in ('any', 'all') else 'numbers'}, and {column!r} holds {kind}.",
            hint=f"Choose columns, groupby(…)[[…]].{name}(), or give numeric_only=True.",
        )
    if name in NUMERIC and kind == "bool":
        operand = Cast(operand, "INTEGER")
    if name in ("median", "quantile") and kind == "decimal":
        # What lies between two values has more digits than they.
        operand = Cast(operand, "DOUBLE")
    if name in ("skew", "kurt") and kind == "real":
        return _of_finite(scope, name, operand, **options)
    if name in ("any", "all") and kind in ("int", "real", "decimal", "text"):
        operand = Call("ne", (operand, Literal("" if kind == "text" else 0)))
    if name == "sum" and kind in ("bool", "int", "decimal", "interval"):
        options["whole"] = True
    if name == "sum" and kind == "interval":
        total = MEASURES["sum"](scope, Call("epoch_us", (operand,)), **options)
        return Call("to_microseconds", (Cast(total, "BIGINT"),))
    return MEASURES[name](scope, operand, **options)


def _of_finite(scope: Scope, name: str, operand: Expression, **options: Any) -> Expression:
    """A reduction that is NaN, and no error, where a value is NaN or infinite."""
    endless = scope.window("any", Call("not", (Call("isfinite", (operand,)),)))
    finite = Case(((Call("isfinite", (operand,)), operand),), Literal(None))
    return Case(((endless, Literal(math.nan)),), MEASURES[name](scope, finite, **options))


def present(keys: Sequence[Expression]) -> list[Expression]:
    """That each key is there: the conditions of the rows that `dropna=True` groups."""
    return [IsNull(key, negated=True) for key in keys]
