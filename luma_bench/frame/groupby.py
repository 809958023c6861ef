"""Grouped frames: keys, then aggregates; one row for each combination of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from luma_bench.errors import SchemaError, UnsupportedError, nearest
from luma_bench.frame.expr import MissingAttributeError
from luma_bench.frame.reductions import aggregate, aggregate_name
from luma_bench.plan.expressions import AggregateCall, ColumnRef, IsNull, all_of
from luma_bench.plan.nodes import Aggregate, Filter, Sort, SortKey
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

_NUMBERS = frozenset(("bool", "int", "real", "decimal", "interval", "other"))


class GroupBy:
    """`frame.groupby(keys)`: keys come out as columns (there is no index), sorted unless `sort=False`.

    Groups whose key is NULL are left out, as in pandas; `dropna=False` keeps them as one group.
    """

    __slots__ = ("_columns", "_dropna", "_frame", "_keys", "_sort")

    def __init__(
        self,
        frame: DataFrame,
        keys: tuple[str, ...],
        *,
        dropna: bool,
        sort: bool,
        columns: tuple[str, ...] | None = None,
    ) -> None:
        self._frame = frame
        self._keys = keys
        self._dropna = dropna
        self._sort = sort
        self._columns = columns

    def __getitem__(self, columns: str | Sequence[str]) -> GroupBy:
        chosen = (columns,) if isinstance(columns, str) else tuple(columns)
        for name in chosen:
            self._frame.check_column(name)
        return GroupBy(self._frame, self._keys, dropna=self._dropna, sort=self._sort, columns=chosen)

    def agg(self, spec: Mapping[str, Any] | str | None = None, /, **named: tuple[str, Any]) -> DataFrame:
        """Aggregates by name: `agg(n=("id", "count"), late=("delay", "mean"))`, `agg({"delay": "mean"})` or `agg("mean")`.

        In a dictionary, a list of aggregates gives `column_aggregate` for each.

        Raises
        ------
        SchemaError
            A column does not exist.
        UnsupportedError
            An aggregate does not exist or depends on the order of rows.
        """
        if isinstance(spec, str):
            return self._each(aggregate_name(spec))
        measures: list[tuple[str, AggregateCall]] = []
        for column, functions in (spec or {}).items():
            if isinstance(functions, str) or callable(functions):
                measures.append((column, self._call(column, functions)))
            else:
                measures += [
                    (f"{column}_{aggregate_name(one)}", self._call(column, one)) for one in functions
                ]
        for name, pair in named.items():
            column, function = _pair(name, pair)
            measures.append((name, self._call(column, function)))
        if not measures:
            raise UnsupportedError("agg() got no aggregates.", hint='Write agg(n=("id", "count")).')
        return self._result(measures)

    aggregate = agg

    def size(self, name: str = "size") -> DataFrame:
        """The number of rows of each group."""
        return self._result([(name, AggregateCall("size"))])

    def count(self) -> DataFrame:
        """The number of values that are not NULL."""
        return self._each("count")

    def nunique(self) -> DataFrame:
        """The number of distinct values that are not NULL."""
        return self._each("nunique")

    def sum(self) -> DataFrame:
        """The sum; NULL for a group without values."""
        return self._each("sum")

    def mean(self) -> DataFrame:
        """The arithmetic mean."""
        return self._each("mean")

    def median(self) -> DataFrame:
        """The middle value."""
        return self._each("median")

    def min(self) -> DataFrame:
        """The least value."""
        return self._each("min")

    def max(self) -> DataFrame:
        """The greatest value."""
        return self._each("max")

    def std(self) -> DataFrame:
        """The standard deviation of a sample."""
        return self._each("std")

    def var(self) -> DataFrame:
        """The variance of a sample."""
        return self._each("var")

    def prod(self) -> DataFrame:
        """The product, as a float."""
        return self._each("prod")

    def any(self) -> DataFrame:
        """Whether a value is TRUE."""
        return self._each("any")

    def all(self) -> DataFrame:
        """Whether every value that is not NULL is TRUE."""
        return self._each("all")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._frame.columns:
            return self[name]
        near = nearest(
            name, [*(item for item in dir(type(self)) if not item.startswith("_")), *self._frame.columns]
        )
        raise MissingAttributeError(
            f"A grouped frame has no column or method {name!r}.",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "")
            + "All of pandas is behind .to_pandas().",
        )

    def _call(self, column: str, function: object) -> AggregateCall:
        self._frame.check_column(column)
        return aggregate(function, ColumnRef(column), kinds_of(self._frame.plan)[column])

    def _each(self, function: str) -> DataFrame:
        names = self._columns or tuple(name for name in self._frame.columns if name not in self._keys)
        kinds = kinds_of(self._frame.plan)
        if function in ("sum", "mean", "median", "std", "var", "prod"):
            wrong = [name for name in names if kinds[name] not in _NUMBERS]
            if wrong:
                raise SchemaError(
                    f"{function} needs numbers, and {wrong[0]!r} holds {kinds[wrong[0]]}.",
                    hint=f'Choose columns: groupby(…)[["{names[0]}", …]].{function}().',
                )
        if function == "size":
            return self.size()
        return self._result([(name, self._call(name, function)) for name in names])

    def _result(self, measures: list[tuple[str, AggregateCall]]) -> DataFrame:
        plan = self._frame.plan
        if self._dropna:
            plan = Filter(plan, all_of([IsNull(ColumnRef(key), negated=True) for key in self._keys]))
        grouped = Aggregate(plan, self._keys, tuple(measures))
        keys = tuple(SortKey(key) for key in self._keys)
        return self._frame.with_plan(Sort(grouped, keys) if self._sort else grouped)


def _pair(name: str, pair: object) -> tuple[str, object]:
    if isinstance(pair, tuple) and len(pair) == 2:
        return pair[0], pair[1]
    raise UnsupportedError(
        f"agg({name}={pair!r}) is not a pair.", hint=f'Write agg({name}=("column", "mean")).'
    )
