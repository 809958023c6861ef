"""What narwhals dispatches to: functions that are no methods."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING, Any

from narwhals._expression_parsing import combine_alias_output_names, combine_evaluate_output_names
from narwhals._sql.namespace import SQLNamespace
from narwhals._utils import Implementation, check_column_names_are_unique, validate_separators

from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.narwhals.expr import LumaExpr
from luma_bench.frame.narwhals.functions import function
from luma_bench.frame.narwhals.lazyframe import LumaLazyFrame
from luma_bench.frame.narwhals.selectors import LumaSelectorNamespace
from luma_bench.frame.narwhals.terms import NULL, Term, constant, measure, scalar, when
from luma_bench.frame.narwhals.types import sql_type
from luma_bench.frame.read_csv import read_csv
from luma_bench.frame.sources import read_parquet
from luma_bench.plan.nodes import Project, Union
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from narwhals._utils import Version


class LumaNamespace(SQLNamespace[LumaLazyFrame, LumaExpr, DataFrame, Term]):
    """Functions over frames and expressions."""

    _implementation = Implementation.UNKNOWN

    def __init__(self, *, version: Version) -> None:
        self._version = version

    @property
    def selectors(self) -> LumaSelectorNamespace:
        """Selectors of columns."""
        return LumaSelectorNamespace.from_namespace(self)

    @property
    def _expr(self) -> type[LumaExpr]:
        return LumaExpr

    @property
    def _lazyframe(self) -> type[LumaLazyFrame]:
        return LumaLazyFrame

    def _function(self, name: str, *args: Any) -> Term:
        return function(name, *args)

    def _lit(self, value: Any) -> Term:
        return NULL if value is None else constant(value)

    def _when(self, condition: Term, value: Term, otherwise: Term | None = None) -> Term:
        return when(condition, value, otherwise)

    def _coalesce(self, *exprs: Term) -> Term:
        return scalar("coalesce", *exprs)

    def concat(self, items: Iterable[LumaLazyFrame], *, how: Any) -> LumaLazyFrame:
        """Rows of frames after one another.

        Raises
        ------
        TypeError
            `how` is 'vertical' and they have not the same columns and types.
        """
        frames = list(items)
        first = frames[0]
        for frame in frames[1:]:
            first.native.check_same_bench(frame.native)
        if how == "vertical" and any(frame.schema != first.schema for frame in frames[1:]):
            raise TypeError("inputs should all have the same schema")
        names = tuple(dict.fromkeys(chain.from_iterable(frame.columns for frame in frames)))
        parts = [frame.native.plan for frame in frames]
        if how == "diagonal":
            parts = [
                Project(
                    frame.native.plan,
                    tuple(
                        (name, (frame.term(name) if name in frame.columns else NULL).expression)
                        for name in names
                    ),
                )
                for frame in frames
            ]
        return first.with_plan(Union(tuple(parts)))

    def concat_str(self, *exprs: LumaExpr, separator: str, ignore_nulls: bool) -> LumaExpr:
        """Texts joined."""

        def func(terms: Sequence[Term]) -> Term:
            joined = scalar("sql.concat_ws", constant(separator), *(term.cast("VARCHAR") for term in terms))
            if ignore_nulls:
                return joined
            return when(reduce(operator.and_, (term.is_null(negated=True) for term in terms)), joined)

        return self._expr._from_elementwise_horizontal_op(func, *exprs)

    def mean_horizontal(self, *exprs: LumaExpr) -> LumaExpr:
        """The mean of each row's values."""

        def func(terms: Iterable[Term]) -> Term:
            values = list(terms)
            total = reduce(operator.add, (scalar("coalesce", term, constant(0)) for term in values))
            count = reduce(operator.add, (term.is_null(negated=True).cast("BIGINT") for term in values))
            return total / count

        return self._expr._from_elementwise_horizontal_op(func, *exprs)

    def lit(self, value: Any, dtype: Any) -> LumaExpr:
        """A constant."""

        def func(_df: LumaLazyFrame) -> list[Term]:
            made = self._lit(value)
            return [made if dtype is None else made.cast(sql_type(dtype, self._version))]

        return self._expr(
            func,
            lambda df, _inputs: func(df),
            evaluate_output_names=lambda _df: ["literal"],
            alias_output_names=None,
            version=self._version,
        )

    def len(self) -> LumaExpr:
        """The number of rows."""
        return self._expr(
            lambda _df: [measure("size")],
            evaluate_output_names=lambda _df: ["len"],
            alias_output_names=None,
            version=self._version,
        )

    def _of_two(self, a: LumaExpr, b: LumaExpr, make: Callable[[Term, Term], Term]) -> LumaExpr:
        return self._expr(
            lambda df: [make(df._evaluate_single_output_expr(a), df._evaluate_single_output_expr(b))],
            evaluate_output_names=combine_evaluate_output_names(a, b),
            alias_output_names=combine_alias_output_names(a, b),
            version=self._version,
        )

    def corr(self, a: LumaExpr, b: LumaExpr, *, method: Any) -> LumaExpr:
        """Pearson's correlation of two columns.

        Raises
        ------
        NotImplementedError
            Another method.
        """
        if method != "pearson":
            raise NotImplementedError("Only 'pearson' correlation is supported for frames of Luma Bench.")
        return self._of_two(a, b, lambda x, y: measure("corr", x, y))

    def cov(self, a: LumaExpr, b: LumaExpr, *, ddof: int) -> LumaExpr:
        """The covariance of two columns."""

        def func(x: Term, y: Term) -> Term:
            if ddof == 0:
                return measure("covar_pop", x, y)
            if ddof == 1:
                return measure("covar", x, y)
            both = x.is_null(negated=True) & y.is_null(negated=True)
            count = function("sum", both)
            rest = count - constant(ddof)
            return when(rest > constant(0), measure("covar", x, y) * ((count - constant(1)) / rest))

        return self._of_two(a, b, func)

    def list(self, *exprs: LumaExpr) -> LumaExpr:
        """Columns side by side as one of lists."""
        return self._expr(
            lambda df: [scalar("list", *chain.from_iterable(expr(df) for expr in exprs))],
            evaluate_output_names=combine_evaluate_output_names(*exprs),
            alias_output_names=combine_alias_output_names(*exprs),
            version=self._version,
        )

    def struct(self, *exprs: LumaExpr) -> LumaExpr:
        """Columns side by side as one of structs."""

        def func(df: LumaLazyFrame) -> Sequence[Term]:
            terms = df.terms(exprs)
            check_column_names_are_unique([name for name, _ in terms])
            # The names of fields are part of a type, so the engine's binder is asked for those of the values.
            types = df.project(terms).schema
            fields = (f"{quoted(name)} {sql_type(dtype, self._version)}" for name, dtype in types.items())
            packed = scalar("sql.row", *(term for _, term in terms))
            return [packed.cast(f"STRUCT({', '.join(fields)})")]

        return self._expr(
            func,
            evaluate_output_names=combine_evaluate_output_names(*exprs),
            alias_output_names=combine_alias_output_names(*exprs),
            version=self._version,
        )

    def scan_csv(self, source: Any, *, separator: str = ",", **kwds: Any) -> LumaLazyFrame:
        """A frame of CSV files that belongs to no bench; `kwds` are those of `lb.read_csv`."""
        validate_separators(separator, ("sep", "delimiter"), kwds)
        options: dict[str, Any] = {"sep": separator, **kwds}
        return LumaLazyFrame.from_native(read_csv(source, **options), context=self)

    def scan_parquet(self, source: Any, **kwds: Any) -> LumaLazyFrame:
        """A frame of Parquet files that belongs to no bench; `kwds` are those of `lb.read_parquet`."""
        return LumaLazyFrame.from_native(read_parquet(source, **kwds), context=self)
