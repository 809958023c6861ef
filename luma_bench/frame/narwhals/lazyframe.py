"""Narwhals' lazy frame over a frame: each method is a node of its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow.parquet as pq
from narwhals._sql.dataframe import SQLLazyFrame
from narwhals._utils import (
    Implementation,
    Version,
    check_column_names_are_unique,
    extend_bool,
    generate_temporary_column_name,
    parse_columns_to_drop,
)
from narwhals.exceptions import ColumnNotFoundError, InvalidOperationError

from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.narwhals.group_by import LumaGroupBy, grouped
from luma_bench.frame.narwhals.joins import asof_of, join_of
from luma_bench.frame.narwhals.terms import Term, column, constant, measure, over
from luma_bench.frame.narwhals.types import narwhals_type
from luma_bench.plan.expressions import ColumnRef, Literal
from luma_bench.plan.nodes import Distinct, Explode, Filter, Limit, Node, Project, Sort, SortKey, Union
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from types import ModuleType

    from narwhals._utils import _LimitedContext
    from narwhals.dataframe import LazyFrame
    from narwhals.dtypes import DType
    from typing_extensions import TypeIs

    from luma_bench.frame.narwhals.expr import LumaExpr
    from luma_bench.frame.narwhals.namespace import LumaNamespace


class LumaLazyFrame(SQLLazyFrame["LumaExpr", DataFrame, "LazyFrame[DataFrame]"]):
    """A frame for narwhals; nothing runs before `collect` or `sink_parquet`."""

    _implementation = Implementation.UNKNOWN

    def __init__(self, frame: DataFrame, *, version: Version = Version.MAIN) -> None:
        self._native_frame = frame
        self._version = version

    # Protocol

    @staticmethod
    def _is_native(obj: object) -> TypeIs[DataFrame]:
        return isinstance(obj, DataFrame)

    @classmethod
    def from_native(cls, data: DataFrame, /, *, context: _LimitedContext) -> Self:
        """A frame as narwhals takes it."""
        return cls(data, version=context._version)

    def to_narwhals(self) -> LazyFrame[DataFrame]:
        """As the class that users see."""
        return self._version.lazyframe(self, level="lazy")

    def __narwhals_lazyframe__(self) -> Self:
        return self

    def __narwhals_namespace__(self) -> LumaNamespace:
        from luma_bench.frame.narwhals.namespace import LumaNamespace

        return LumaNamespace(version=self._version)

    def __native_namespace__(self) -> ModuleType:
        from luma_bench.frame import narwhals

        return narwhals

    def _with_version(self, version: Version) -> Self:
        return type(self)(self.native, version=version)

    def _with_native(self, df: DataFrame) -> Self:
        return type(self)(df, version=self._version)

    def with_plan(self, plan: Node) -> Self:
        """The frame of another plan."""
        return self._with_native(self.native.with_plan(plan))

    # Columns

    @property
    def columns(self) -> list[str]:
        """The names; nothing runs."""
        return self.native.columns

    @property
    def schema(self) -> dict[str, DType]:
        """Names and types, as the engine's binder says; nothing runs."""
        return {field.name: narwhals_type(field.type, self._version) for field in self.native.schema}

    def collect_schema(self) -> dict[str, DType]:
        """Names and types."""
        return self.schema

    def term(self, name: str) -> Term:
        """A column as a term.

        Raises
        ------
        ColumnNotFoundError
            There is none of this name.
        """
        kinds = kinds_of(self.native.plan)
        if name not in kinds:
            raise ColumnNotFoundError.from_missing_and_available_column_names([name], self.columns)
        return column(name, kinds[name])

    def _iter_columns(self) -> Iterator[Term]:
        return map(self.term, self.columns)

    def terms(self, exprs: Iterable[LumaExpr]) -> list[tuple[str, Term]]:
        """What expressions give of the frame, with their names."""
        pairs: list[tuple[str, Term]] = []
        for expr in exprs:
            names = expr._evaluate_aliases(self)
            pairs += zip(names, expr(self), strict=True)
        return pairs

    def project(self, terms: Iterable[tuple[str, Term]]) -> Self:
        """Terms as the columns."""
        columns = tuple((name, term.expression) for name, term in terms)
        check_column_names_are_unique([name for name, _ in columns])
        return self.with_plan(Project(self.native.plan, columns))

    def _named(self, names: Iterable[str]) -> Self:
        return self.project([(name, self.term(name)) for name in names])

    def simple_select(self, *column_names: str) -> Self:
        """Columns by name."""
        return self._named(column_names)

    def select(self, *exprs: LumaExpr) -> Self:
        """Expressions, row by row."""
        return self.project(self.terms(exprs))

    def with_columns(self, *exprs: LumaExpr) -> Self:
        """New or replaced columns."""
        made = dict(self.terms(exprs))
        kept = [(name, made.pop(name) if name in made else self.term(name)) for name in self.columns]
        return self.project([*kept, *made.items()])

    def aggregate(self, *exprs: LumaExpr) -> Self:
        """One row of aggregates."""
        return self.with_plan(grouped(self.native.plan, (), self.terms(exprs)))

    def drop(self, columns: Sequence[str], *, strict: bool) -> Self:
        """Without some columns."""
        gone = parse_columns_to_drop(self, columns, strict=strict)
        return self._named(name for name in self.columns if name not in gone)

    def rename(self, mapping: Mapping[str, str]) -> Self:
        """Columns under other names."""
        return self.project([(mapping.get(name, name), self.term(name)) for name in self.columns])

    # Rows

    def head(self, n: int) -> Self:
        """The first rows."""
        return self.with_plan(Limit(self.native.plan, n))

    def _filter(self, predicate: LumaExpr) -> Self:
        return self.with_plan(Filter(self.native.plan, predicate(self)[0].expression))

    def drop_nulls(self, subset: Sequence[str] | None) -> Self:
        """Without rows that hold NULL."""
        names = self.columns if subset is None else subset
        tests = (self.term(name).is_null(negated=True) for name in names)
        return self.with_plan(Filter(self.native.plan, reduce(and_, tests).expression))

    def sort(self, *by: str, descending: bool | Sequence[bool], nulls_last: bool) -> Self:
        """In an order."""
        self._check(by)
        keys = zip(by, extend_bool(descending, len(by)), strict=True)
        return self.with_plan(
            Sort(self.native.plan, tuple(SortKey(name, down, nulls_last) for name, down in keys))
        )

    def top_k(self, k: int, *, by: Iterable[str], reverse: bool | Sequence[bool]) -> Self:
        """The rows with the greatest values."""
        names = list(by)
        down = [not flag for flag in extend_bool(reverse, len(names))]
        return self.sort(*names, descending=down, nulls_last=True).head(k)

    def unique(
        self, subset: Sequence[str] | None, *, keep: Any, order_by: str | Sequence[str] | None
    ) -> Self:
        """One row for each combination of values, or only those that occur once."""
        names = list(subset) if subset else self.columns
        keys = _names(order_by)
        self._check([*names, *keys])
        if not subset and not keys and keep == "any":
            return self.with_plan(Distinct(self.native.plan))
        flags = [keep == "last"] * len(keys)
        number = generate_temporary_column_name(8, self.columns, prefix="number_")
        counted = (
            over(measure("size"), names)
            if keep == "none"
            else over(measure("row_number"), names, keys, descending=flags, nulls_last=flags)
        )
        terms = [(name, self.term(name)) for name in self.columns]
        numbered = self.project([*terms, (number, counted)])
        test = numbered.term(number) == constant(1)
        return numbered.with_plan(Filter(numbered.native.plan, test.expression)).simple_select(*self.columns)

    def with_row_index(self, name: str, order_by: str | Sequence[str]) -> Self:
        """With the place of each row in an order, from 0, as the first column."""
        if not order_by:
            raise TypeError("Must pass `order_by` to `with_row_index` for frames of Luma Bench")
        place = over(measure("row_number"), (), _names(order_by)) - constant(1)
        return self.project([(name, place), *((known, self.term(known)) for known in self.columns)])

    def _check(self, names: Iterable[str]) -> None:
        if error := self._check_columns_exist(list(names)):
            raise error

    # Groups, joins, shapes

    def group_by(self, keys: Sequence[str] | Sequence[LumaExpr], *, drop_null_keys: bool) -> LumaGroupBy:
        """Groups."""
        return LumaGroupBy(self, keys, drop_null_keys=drop_null_keys)

    def join(
        self,
        other: Self,
        *,
        how: Any,
        left_on: Sequence[str] | None,
        right_on: Sequence[str] | None,
        suffix: str,
    ) -> Self:
        """Rows of both whose keys are equal."""
        self.native.check_same_bench(other.native)
        plan = join_of(
            self.native.plan, other.native.plan, how=how, left_on=left_on, right_on=right_on, suffix=suffix
        )
        return self.with_plan(plan)

    def join_asof(
        self,
        other: Self,
        *,
        left_on: str,
        right_on: str,
        by_left: Sequence[str] | None,
        by_right: Sequence[str] | None,
        strategy: Any,
        suffix: str,
    ) -> Self:
        """Each row beside the nearest one of the other frame, before or after."""
        self.native.check_same_bench(other.native)
        by = tuple(zip(by_left or (), by_right or (), strict=True))
        plan = asof_of(
            self.native.plan,
            other.native.plan,
            on=(left_on, right_on),
            by=by,
            strategy=strategy,
            suffix=suffix,
        )
        return self.with_plan(plan)

    def explode(self, columns: Sequence[str]) -> Self:
        """A row for each element of lists."""
        if len(columns) != 1:
            raise NotImplementedError(
                "Exploding on multiple columns is not supported for frames of Luma Bench since "
                "we cannot guarantee that the exploded columns have matching element counts."
            )
        schema = self.schema
        for name in columns:
            if schema[name] != self._version.dtypes.List:
                raise InvalidOperationError(
                    f"`explode` operation not supported for dtype `{schema[name]}`, expected List type"
                )
        types = tuple(self.native.schema.field(name).type.value_type for name in columns)
        return self.with_plan(Explode(self.native.plan, tuple(columns), types))

    def unpivot(
        self, on: Sequence[str] | None, index: Sequence[str] | None, variable_name: str, value_name: str
    ) -> Self:
        """Columns under one another, with their names beside them."""
        if not variable_name or not value_name:
            raise NotImplementedError(
                "`variable_name` and `value_name` cannot be empty for frames of Luma Bench."
            )
        kept = tuple((name, ColumnRef(name)) for name in index or ())
        names = [name for name in self.columns if name not in (index or ())] if on is None else on
        self._check([*names, *(index or ())])
        parts = [
            Project(
                self.native.plan,
                (*kept, (variable_name, Literal(name)), (value_name, ColumnRef(name))),
            )
            for name in names
        ]
        return self.with_plan(Union(tuple(parts)))

    # Rows out

    def collect(self, backend: Any, **kwargs: Any) -> Any:
        """Run, and give an eager frame of narwhals: PyArrow by default, pandas or Polars.

        Raises
        ------
        ValueError
            Another backend.
        """
        if backend is None or backend is Implementation.PYARROW:
            from narwhals._arrow.dataframe import ArrowDataFrame

            return ArrowDataFrame(
                self.native.to_arrow(),
                validate_backend_version=True,
                version=self._version,
                validate_column_names=True,
            )
        if backend is Implementation.PANDAS:
            from narwhals._pandas_like.dataframe import PandasLikeDataFrame

            return PandasLikeDataFrame(
                self.native.to_pandas(),
                implementation=Implementation.PANDAS,
                validate_backend_version=True,
                version=self._version,
                validate_column_names=True,
            )
        if backend is Implementation.POLARS:
            from narwhals._polars.dataframe import PolarsDataFrame

            return PolarsDataFrame(
                self.native.to_polars(), validate_backend_version=True, version=self._version
            )
        raise ValueError(f"Unsupported `backend` value: {backend}")

    def sink_parquet(self, file: Any) -> None:
        """Run, and write the rows to a Parquet file as they come."""
        target = str(file) if isinstance(file, str | Path) else file
        with self.native.to_reader() as rows, pq.ParquetWriter(target, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)


def _names(given: str | Sequence[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())
