"""Narwhals' expressions over frames: functions of a frame that give terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from narwhals._sql.expr import SQLExpr
from narwhals._utils import NO_DEFAULT, Implementation

from luma_bench.frame.narwhals.expr_dt import LumaExprDateTimeNamespace
from luma_bench.frame.narwhals.expr_nested import LumaExprListNamespace, LumaExprStructNamespace
from luma_bench.frame.narwhals.expr_str import LumaExprStringNamespace
from luma_bench.frame.narwhals.functions import numeric
from luma_bench.frame.narwhals.terms import Term, constant, measure, over, scalar, when
from luma_bench.frame.narwhals.types import sql_type
from luma_bench.plan.expressions import IsIn
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.window import Between

if TYPE_CHECKING:
    from narwhals._compliant import WindowInputs
    from narwhals._compliant.typing import AliasNames, EvalNames, EvalSeries, WindowFunction
    from narwhals._utils import Version, _LimitedContext

    from luma_bench.frame.narwhals.lazyframe import LumaLazyFrame
    from luma_bench.frame.narwhals.namespace import LumaNamespace

    LumaWindow = WindowFunction[LumaLazyFrame, Term]


class LumaExpr(SQLExpr["LumaLazyFrame", Term]):
    """An expression; what most methods do is narwhals' own, in terms of `_function`, `_when` and `_window_expression`."""

    _implementation = Implementation.UNKNOWN

    def __init__(
        self,
        call: EvalSeries[LumaLazyFrame, Term],
        window_function: LumaWindow | None = None,
        *,
        evaluate_output_names: EvalNames[LumaLazyFrame],
        alias_output_names: AliasNames | None,
        version: Version,
        implementation: Implementation = Implementation.UNKNOWN,
    ) -> None:
        self._call = call
        self._window_function = window_function
        self._evaluate_output_names = evaluate_output_names
        self._alias_output_names = alias_output_names
        self._version = version

    def __narwhals_namespace__(self) -> LumaNamespace:
        from luma_bench.frame.narwhals.namespace import LumaNamespace

        return LumaNamespace(version=self._version)

    @classmethod
    def _alias_native(cls, expr: Term, name: str, /) -> Term:
        return expr.named(name)

    @classmethod
    def from_column_names(
        cls, evaluate_column_names: EvalNames[LumaLazyFrame], /, *, context: _LimitedContext
    ) -> Self:
        """Columns by name."""
        return cls(
            lambda df: [df.term(name) for name in evaluate_column_names(df)],
            evaluate_output_names=evaluate_column_names,
            alias_output_names=None,
            version=context._version,
        )

    @classmethod
    def from_column_indices(cls, *column_indices: int, context: _LimitedContext) -> Self:
        """Columns by place."""
        return cls(
            lambda df: [df.term(df.columns[place]) for place in column_indices],
            evaluate_output_names=cls._eval_names_indices(column_indices),
            alias_output_names=None,
            version=context._version,
        )

    def broadcast(self) -> Self:
        """One value for every row: over a window of all rows."""
        return self.over([], [])

    # What narwhals builds everything else of

    def _count_star(self) -> Term:
        return measure("size")

    def _window_expression(
        self,
        expr: Term,
        partition_by: Sequence[str | Term] = (),
        order_by: Sequence[str | Term] = (),
        rows_start: int | None = None,
        rows_end: int | None = None,
        *,
        descending: Sequence[bool] | None = None,
        nulls_last: Sequence[bool] | None = None,
        ignore_nulls: bool = False,
    ) -> Term:
        bounded = rows_start is not None or rows_end is not None
        return over(
            expr,
            partition_by,
            order_by,
            frame=Between(rows_start, rows_end) if bounded else None,
            descending=descending,
            nulls_last=nulls_last,
            ignore_nulls=ignore_nulls,
        )

    def _first(self, expr: Term, *order_by: str) -> Term:
        return measure("first", expr, order=order_by)

    def _last(self, expr: Term, *order_by: str) -> Term:
        return measure("last", expr, order=order_by)

    def _any_value(self, expr: Term, *, ignore_nulls: bool) -> Term:
        return measure("any_value" if ignore_nulls else "first", expr)

    def _singleton_list(self, expr: Term) -> Term:
        return scalar("list", expr)

    def _list_first(self, expr: Term) -> Term:
        return scalar("sql.list_extract", expr, constant(1))

    # Operators that it leaves to us

    def __invert__(self) -> Self:
        return self._with_elementwise(lambda expr: ~expr)

    def __neg__(self) -> Self:
        return self._with_elementwise(lambda expr: -expr)

    def __mod__(self, other: Self) -> Self:
        return self._with_binary(lambda expr, other: expr % other, other)

    def __rmod__(self, other: Self) -> Self:
        return self._with_binary(lambda expr, other: other % expr, other).alias("literal")

    # Aggregates

    def skew(self) -> Self:
        """The skewness of the population."""

        def func(expr: Term) -> Term:
            count = measure("count", expr)
            two, one = constant(2), constant(1)
            sample = measure("skew", expr) * (count - two) / scalar("sqrt", count * (count - one))
            few = when(count == one, constant(float("nan")), when(count == two, constant(0.0), sample))
            return when(count != constant(0), few)

        return self._with_callable(func)

    def kurtosis(self) -> Self:
        """The excess kurtosis of the population."""
        return self._with_callable(lambda expr: measure("kurt_pop", expr))

    def quantile(self, quantile: float, interpolation: Any) -> Self:
        """The value at a fraction of the order, linear between neighbours.

        Raises
        ------
        NotImplementedError
            Another interpolation.
        """

        def func(expr: Term) -> Term:
            if interpolation != "linear":
                raise NotImplementedError(
                    "Frames of Luma Bench have quantiles with linear interpolation only."
                )
            return measure("quantile", expr, constant(float(quantile)))

        return self._with_callable(func)

    def len(self) -> Self:
        """The number of rows."""
        return self._with_callable(lambda _expr: measure("size"))

    def null_count(self) -> Self:
        """The number of NULLs."""
        return self._with_callable(lambda expr: self._function("sum", expr.is_null()))

    # Values

    def is_nan(self) -> Self:
        """Whether it is NaN; whole numbers never are."""
        return self._with_elementwise(lambda expr: scalar("isnan", _float(expr)))

    def is_finite(self) -> Self:
        """Whether it is neither NaN nor infinite."""
        return self._with_elementwise(lambda expr: scalar("isfinite", _float(expr)))

    def is_in(self, other: Sequence[Any]) -> Self:
        """Whether it is one of some values; NULL stays NULL."""
        values = tuple(Constant(value) for value in other if value is not None)
        return self._with_elementwise(lambda expr: Term(IsIn(expr.expression, values), "bool"))

    def fill_null(self, value: Self | None, strategy: Any, limit: int | None) -> Self:
        """A value, or the nearest one before or after in an order, where it is NULL."""
        if value is not None:
            return self._with_elementwise(
                lambda expr, value: scalar("coalesce", expr, value), expression_args={"value": value}
            )
        forward = strategy == "forward"
        start, end = (None if limit is None else -limit, 0) if forward else (0, limit)

        def func(df: LumaLazyFrame, inputs: WindowInputs[Term]) -> Sequence[Term]:
            return [
                over(
                    measure("last_value" if forward else "first_value", expr),
                    inputs.partition_by,
                    inputs.order_by,
                    frame=Between(start, end),
                    ignore_nulls=True,
                )
                for expr in self(df)
            ]

        return self._with_window_function(func)

    def cast(self, dtype: Any) -> Self:
        """As another type."""
        return self._with_elementwise(lambda expr: expr.cast(sql_type(dtype, self._version)))

    def replace_strict(
        self, default: Any, old: Sequence[Any], new: Sequence[Any], *, return_dtype: Any
    ) -> Self:
        """What a list gives for each value of another list.

        Raises
        ------
        ValueError
            There is no `default`: whether a value is missing shows only when it runs.
        """
        if default is NO_DEFAULT:
            raise ValueError(
                "`replace_strict` requires an explicit value for `default` for frames of Luma Bench."
            )

        def func(expr: Term, default: Term) -> Term:
            made = default
            for was, becomes in zip(reversed(old), reversed(new), strict=True):
                same = expr.is_null() if was is None else expr == constant(was)
                made = when(same, constant(becomes), made)
            return made if return_dtype is None else made.cast(sql_type(return_dtype, self._version))

        return self._with_elementwise(func, expression_args={"default": default})

    # Namespaces

    @property
    def str(self) -> LumaExprStringNamespace:
        """On text."""
        return LumaExprStringNamespace(self)

    @property
    def dt(self) -> LumaExprDateTimeNamespace:
        """On dates and times."""
        return LumaExprDateTimeNamespace(self)

    @property
    def list(self) -> LumaExprListNamespace:
        """On lists."""
        return LumaExprListNamespace(self)

    @property
    def struct(self) -> LumaExprStructNamespace:
        """On structs."""
        return LumaExprStructNamespace(self)


def _float(term: Term) -> Term:
    return numeric(term).cast("DOUBLE") if term.kind in ("int", "bool", "decimal") else term
