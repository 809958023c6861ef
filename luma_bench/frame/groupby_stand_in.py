"""What a Python function of a group is called with: a frame or column that stands for every group at once.

The function is called once, when the question is written. Operators and methods of values work as on any column;
reductions give expressions of windows over the group instead of values. What would need rows is refused, so nothing is
computed over the whole frame by mistake.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, cast

from luma_bench.errors import LumaError, UnsupportedError
from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.ewm import ExponentialMovingWindow, weights
from luma_bench.frame.expr import literal
from luma_bench.frame.groupby_measures import MEASURES, Scope, measured, named_measure
from luma_bench.frame.operators import Operand
from luma_bench.frame.rolling import Expanding, Rolling
from luma_bench.frame.series import Series
from luma_bench.frame.window_bounds import Bounds, Source, rolling_bounds
from luma_bench.frame.windows_over import (
    UP_TO_HERE,
    Over,
    changes,
    differences,
    filled,
    over,
    ranked,
    running,
    shifted,
)
from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.nodes import Node
from luma_bench.plan.render import KadeQL

_NUMPY = frozenset(("axis", "dtype", "out", "keepdims", "where", "initial"))
"""Arguments that NumPy's functions hand to a method of their name."""


def asked(
    function: Callable[..., object], subject: Group | GroupColumn, options: Mapping[str, Any]
) -> Expression:
    """What a function says of a group, as an expression over the frame's rows.

    Raises
    ------
    UnsupportedError
        It gives neither a column nor a constant.
    """
    given = dict(options)
    return expression_of(_said(function, subject, *given.pop("args", ()), **given), subject)


def expressions_of(
    function: Callable[..., object],
    subject: Group | GroupColumn,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
) -> Expression | dict[str, Expression]:
    """What a function says of a group: one expression, or one for each name of a dictionary."""
    made = _said(function, subject, *args, **options)
    if isinstance(made, Mapping):
        given = cast("Mapping[object, object]", made)
        return {str(name): expression_of(value, subject) for name, value in given.items()}
    return expression_of(made, subject)


def asked_of_group(
    function: Callable[..., object], scope: Scope, column: tuple[str, Expression] | None
) -> Expression:
    """What a function says of a group of a frame, or of one of its columns."""
    group = Group.of(scope)
    return asked(function, group if column is None else group.column(*column), {})


def expression_of(made: object, subject: Group | GroupColumn) -> Expression:
    """The expression that a function gave, over the frame's rows."""
    if isinstance(made, Operand):
        frame = made.frame
        return made.expression if isinstance(frame, Group) else made.over(_group_of(subject))
    if isinstance(made, DataFrame) or not _is_constant(made):
        raise UnsupportedError(
            f"The function gave a {type(made).__name__}, and not a column or a value.",
            hint="Give an expression of the group's columns, such as g.delay.mean().",
        )
    return literal(made)


def _is_constant(made: object) -> bool:
    return not isinstance(made, list | tuple | dict | set) and not hasattr(made, "__dataframe__")


def _group_of(subject: Group | GroupColumn) -> Group:
    return subject if isinstance(subject, Group) else cast("Group", subject.frame)


def _said(
    function: Callable[..., object], subject: Group | GroupColumn, *args: Any, **options: Any
) -> object:
    try:
        return _with_len(function)(subject, *args, **options)
    except LumaError:
        raise
    except Exception as error:
        name = getattr(function, "__name__", type(function).__name__)
        raise UnsupportedError(
            f"The function {name} failed on the stand-in for its group: {type(error).__name__}: {error}",
            hint="It is called once, with a column or frame that has no rows yet: use operators, methods and len().",
        ) from error


def _with_len(function: Callable[..., object]) -> Callable[..., object]:
    """The function with a `len` that knows groups: Python's own can give nothing but a number."""
    if not isinstance(function, FunctionType):
        return function if function is not builtins.len else _length
    names = {**function.__globals__, "len": function.__globals__.get("len", _length)}
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _length(item: Any) -> Any:
    return item.rows if isinstance(item, Group | GroupColumn) else builtins.len(item)


class Group(DataFrame):
    """A frame that stands for every group: its columns are `GroupColumn`s."""

    __slots__ = ("_scope",)

    @classmethod
    def of(cls, scope: Scope) -> Group:
        """The group that a function gets."""
        made = cls(scope.frame.executor, scope.frame.plan)
        made._scope = scope
        return made

    @property
    def scope(self) -> Scope:
        """Whose windows its reductions are."""
        return self._scope

    @property
    def rows(self) -> GroupColumn:
        """The number of rows of the group; `len(group)` gives it too."""
        return GroupColumn(self, self._scope.window("size"), "size")

    @property
    def shape(self) -> Any:
        """The number of rows of the group, and of columns."""
        return self.rows, len(self._plan.names)

    def column(self, name: str, expression: Expression) -> GroupColumn:
        """An expression over the frame's rows as a column of the group."""
        return GroupColumn(self, expression, name)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            self.check_column(key)
            return self.column(key, ColumnRef(key))
        raise _refused("frames made of a group")

    def with_plan(self, plan: Node) -> Any:
        """Refused: a group has no rows of its own while the question is written."""
        raise _refused("rows of a group")

    def collect(self, *, engine: str = "auto", strict: bool = False) -> Any:
        """Refused, as `with_plan`."""
        raise _refused("rows of a group")

    def to_reader(self) -> Any:
        """Refused, as `with_plan`."""
        raise _refused("rows of a group")

    def _known_rows(self) -> int | None:
        raise _refused("the number of rows of a group, other than by len(g)")

    def _text(self) -> KadeQL:
        raise _refused("the text of a group")

    def __len__(self) -> int:
        raise _refused("len() outside of the function itself")


def _refused(what: str) -> UnsupportedError:
    return UnsupportedError(
        f"The function asks for {what}: it is called once, while the question is written, and there are no rows yet.",
        hint="Use operators, g.column.mean(), .sum(), .count(), …, and len(g); or take one group, get_group(key), to Python.",
    )


def _reduction(name: str) -> Any:
    def method(self: GroupColumn, *args: Any, **options: Any) -> GroupColumn:
        kept = {key: value for key, value in options.items() if key not in _NUMPY}
        if args and name == "quantile":
            kept["q"], args = args[0], args[1:]
        if args:
            raise UnsupportedError(
                f"{name}() of a group takes its options by name.", hint=f"Write {name}(option=…)."
            )
        made = measured(self.scope, name, self.name, self.expression, self.kind, **kept)
        return GroupColumn(self.frame, made, self.name)

    method.__name__ = name
    return method


def _in_order(name: str, form: Callable[..., Expression]) -> Any:
    def method(self: GroupColumn, *args: Any, **options: Any) -> GroupColumn:
        scope = self.scope
        if name == "rank" and options.get("method") != "first":
            place = Over(scope.frame, scope.partition)
        else:
            place = over(scope.frame, None, scope.partition, what=name)
        return GroupColumn(self.frame, form(self.expression, place, *args, **options), self.name)

    method.__name__ = name
    return method


def _shifted(value: Expression, place: Over, periods: int = 1, fill_value: object = None) -> Expression:
    return shifted(value, place, periods, fill_value)


def _source(column: GroupColumn, place: Over) -> Source[GroupColumn]:
    def made(columns: tuple[tuple[str, Expression], ...]) -> GroupColumn:
        return GroupColumn(column.frame, columns[-1][1], column.name)

    return Source(place, ((column.name, column.expression),), made)


def _rolling(
    self: GroupColumn, window: Any, min_periods: int | None = None, center: bool = False, **options: Any
) -> Rolling[GroupColumn]:
    scope, on = self.scope, options.get("on")
    place = over(scope.frame, on, scope.partition, what="rolling")
    bounds = rolling_bounds(place, window, min_periods=min_periods, center=center, **options)
    return Rolling(_source(self, place), bounds)


def _expanding(self: GroupColumn, min_periods: int = 1) -> Expanding[GroupColumn]:
    place = over(self.scope.frame, None, self.scope.partition, what="expanding")
    return Expanding(_source(self, place), Bounds(place, UP_TO_HERE, min_periods))


def _ewm(
    self: GroupColumn,
    com: float | None = None,
    span: float | None = None,
    halflife: Any = None,
    alpha: float | None = None,
    min_periods: int | None = 0,
    adjust: bool = True,
    ignore_na: bool = False,
    times: str | None = None,
) -> ExponentialMovingWindow[GroupColumn]:
    place = over(self.scope.frame, times, self.scope.partition, what="ewm")
    how = weights(
        place,
        com=com,
        span=span,
        halflife=halflife,
        alpha=alpha,
        min_periods=min_periods,
        adjust=adjust,
        ignore_na=ignore_na,
        times=times,
    )
    return ExponentialMovingWindow(_source(self, place), how)


class GroupColumn(Series):
    """A column that stands for its values in every group."""

    __slots__ = ()

    @property
    def scope(self) -> Scope:
        """Whose windows its reductions are."""
        if not isinstance(self._frame, Group):
            raise _refused(f"values of {self.name!r} beyond the group")
        return self._frame.scope

    @property
    def rows(self) -> GroupColumn:
        """The number of rows of the group; `len(column)` gives it too."""
        return GroupColumn(self._frame, self.scope.window("size"), "size")

    @property
    def size(self) -> Any:
        """The number of rows of the group."""
        return self.rows

    @property
    def shape(self) -> Any:
        """The number of rows of the group."""
        return (self.rows,)

    def __len__(self) -> int:
        raise _refused("len() outside of the function itself")

    def __getitem__(self, key: object) -> Any:
        raise _refused("some values of a group")

    def _pair(self, other: object) -> tuple[DataFrame, Expression, Expression]:
        given = other.over(self._frame) if isinstance(other, Operand) else literal(other)
        return self._frame, self.expression, given

    def __array_function__(
        self, func: Any, types: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        """NumPy's reductions, such as `numpy.mean(s)`."""
        known = named_measure(func)
        if known is None or known.name not in MEASURES or len(args) != 1 or args[0] is not self:
            raise _refused(f"numpy.{getattr(func, '__name__', func)}")
        return getattr(self, known.name)(**{**known.options, **kwargs})

    def agg(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """A reduction of the group by its name."""
        if not isinstance(func, str) or func not in MEASURES:
            raise UnsupportedError(f"agg({func!r}) of a group is not known.", hint="Name one reduction.")
        return getattr(self, func)(*args, **kwargs)

    @property
    def is_monotonic_increasing(self) -> bool:
        """Refused: `shift()` says how each row follows the one before it."""
        raise _refused("is_monotonic_increasing")

    @property
    def is_monotonic_decreasing(self) -> bool:
        """Refused: `shift()` says how each row follows the one before it."""
        raise _refused("is_monotonic_decreasing")

    def equals(self, other: object) -> bool:
        """Refused: there are no values to compare."""
        raise _refused("equals()")

    count: Any = _reduction("count")
    nunique: Any = _reduction("nunique")
    sum: Any = _reduction("sum")
    prod: Any = _reduction("prod")
    mean: Any = _reduction("mean")
    median: Any = _reduction("median")
    min: Any = _reduction("min")
    max: Any = _reduction("max")
    std: Any = _reduction("std")
    var: Any = _reduction("var")
    sem: Any = _reduction("sem")
    skew: Any = _reduction("skew")
    kurt: Any = _reduction("kurt")
    quantile: Any = _reduction("quantile")
    any: Any = _reduction("any")
    all: Any = _reduction("all")
    first: Any = _reduction("first")
    last: Any = _reduction("last")
    mode: Any = _reduction("mode")

    cumsum: Any = _in_order("cumsum", lambda value, place, **o: running(value, place, "sum", **o))
    cumprod: Any = _in_order("cumprod", lambda value, place, **o: running(value, place, "prod", **o))
    cummax: Any = _in_order("cummax", lambda value, place, **o: running(value, place, "max", **o))
    cummin: Any = _in_order("cummin", lambda value, place, **o: running(value, place, "min", **o))
    shift: Any = _in_order("shift", _shifted)
    diff: Any = _in_order("diff", differences)
    pct_change: Any = _in_order("pct_change", changes)
    ffill: Any = _in_order("ffill", lambda value, place, **o: filled(value, place, forward=True, **o))
    bfill: Any = _in_order("bfill", lambda value, place, **o: filled(value, place, forward=False, **o))
    rank: Any = _in_order("rank", ranked)
    rolling: Any = _rolling
    expanding: Any = _expanding
    ewm: Any = _ewm
