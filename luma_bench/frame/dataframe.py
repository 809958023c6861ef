"""`lb.DataFrame`: a lazy, pandas-style frame over the tables of a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError, nearest
from luma_bench.frame.base import Frame
from luma_bench.frame.expr import MissingAttributeError, literal
from luma_bench.frame.groupby import GroupBy
from luma_bench.frame.merge import as_names, join_of
from luma_bench.frame.series import Series
from luma_bench.plan.condition import condition
from luma_bench.plan.expressions import Call, ColumnRef, Expression, IsNull, all_of
from luma_bench.plan.kinds import kind_of_value
from luma_bench.plan.nodes import Distinct, Filter, Limit, Project, Relation, Sort, SortKey, Table
from luma_bench.plan.walk import kinds_of, order_of
from luma_bench.types.executor import Executor


class DataFrame(Frame):
    """A lazy frame: `bench.table("flights")`, and whatever its methods make of it.

    It has pandas' names and no index. Every method gives a new frame at once; column names are checked when it is
    built, and nothing runs until rows or a count are asked for. Rows are in stored order, then in the order of the
    last `sort_values`; after joins and groupings they are in none until sorted.
    """

    __slots__ = ()

    @classmethod
    def scan(cls, executor: Executor, table: str) -> DataFrame:
        """The whole stored table at the executor's snapshot.

        Raises
        ------
        CatalogError
            There is no such table.
        """
        return cls(executor, Table(table, executor.snapshot, executor.schema(table)))

    # Columns and rows

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            self.check_column(key)
            return Series(self, ColumnRef(key), key)
        if isinstance(key, Series):
            return self.filter(key)
        if isinstance(key, list | tuple):
            for name in key:
                self.check_column(name)
            return self.with_plan(Project(self._plan, tuple((name, ColumnRef(name)) for name in key)))
        raise UnsupportedError(
            f"A frame cannot be read by {key!r}: it has no index.",
            hint="Use a column name, a list of names, a condition, or head(n).",
        )

    def __setitem__(self, key: object, value: object) -> None:
        raise UnsupportedError(
            "A frame does not change in place.", hint=f"Write frame = frame.assign({key}=…) for a new one."
        )

    def __getattr__(self, name: str) -> Any:
        # The plan is unset while a copy or a pickle is being built.
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._plan.names:
            return self[name]
        known = [item for item in dir(type(self)) if not item.startswith("_")]
        near = nearest(name, [*known, *self._plan.names])
        raise MissingAttributeError(
            f"A frame has no column or method {name!r}.",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "")
            + "All of pandas is behind .to_pandas().",
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._plan.names if name.isidentifier())]

    def _ipython_key_completions_(self) -> list[str]:
        return self.columns

    def filter(self, mask: Series) -> DataFrame:
        """The rows where the condition is TRUE; also `frame[mask]`. A NULL condition leaves the row out."""
        return self.with_plan(Filter(self._plan, self._value(mask)))

    def query(self, text: str, params: Mapping[str, object] | None = None) -> DataFrame:
        """The rows where a condition, written as KadeQL text, is TRUE.

        Parameters
        ----------
        text
            One expression, such as `dep_delay > $late AND origin IN ('JFK', 'EWR')`.
        params
            Values of its `$name` parameters.

        Raises
        ------
        KadeQLError
            The text is no expression, or names a column or parameter that does not exist; it points into the text.
        """
        return self.with_plan(Filter(self._plan, condition(text, self._plan.names, params)))

    def assign(self, **columns: object) -> DataFrame:
        """New or replaced columns: a Series, a constant, or a function of the frame.

        As in pandas, a Series reads the columns as they were before, and a function gets the frame with those that
        stand left of it.
        """
        frame = self
        made: dict[str, Expression] = {}
        for name, value in columns.items():
            if callable(value) and not isinstance(value, Series):
                frame, made = frame._with_columns(made), {}
                value = value(frame)
            made[name] = frame._value(value)
        return frame._with_columns(made)

    def _with_columns(self, made: Mapping[str, Expression]) -> DataFrame:
        if not made:
            return self
        columns = [(name, made.get(name, ColumnRef(name))) for name in self._plan.names]
        columns += [(name, value) for name, value in made.items() if name not in self._plan.names]
        return self.with_plan(Project(self._plan, tuple(columns)))

    def _value(self, value: object) -> Expression:
        if isinstance(value, Series):
            return value.over(self)
        if isinstance(value, list | tuple) or (hasattr(value, "__array__") and getattr(value, "ndim", 0)):
            raise UnsupportedError(
                f"A {type(value).__name__} is no column: rows of a lazy frame have no positions to match its items to.",
                hint="Give a Series of this frame, a constant, or merge the values in by a key.",
            )
        return literal(value)

    def rename(self, columns: Mapping[str, str] | Callable[[str], str]) -> DataFrame:
        """Columns under other names: a dictionary of old to new, or a function of the old name."""
        names = columns
        if not isinstance(names, Mapping):
            names = {name: names(name) for name in self._plan.names}
        for name in names:
            self.check_column(name)
        return self.with_plan(
            Project(self._plan, tuple((names.get(name, name), ColumnRef(name)) for name in self._plan.names))
        )

    def drop(self, columns: str | Sequence[str]) -> DataFrame:
        """Without these columns."""
        gone = as_names(columns)
        for name in gone:
            self.check_column(name)
        return self[[name for name in self._plan.names if name not in gone]]

    def astype(self, dtype: Any) -> DataFrame:
        """Columns as other types: a dictionary of column to type, or one type for all."""
        types = dtype if isinstance(dtype, Mapping) else dict.fromkeys(self._plan.names, dtype)
        return self._each({name: self[name].astype(type_) for name, type_ in types.items()})

    def fillna(self, value: object) -> DataFrame:
        """NULLs replaced: a dictionary of column to value, or one value for every column of its kind."""
        if isinstance(value, Mapping):
            return self._each({name: self[name].fillna(item) for name, item in value.items()})
        numbers = {"int", "real", "decimal"}
        kind = kind_of_value(value)
        fits = numbers if kind in numbers else {kind}
        kinds = kinds_of(self._plan)
        return self._each(
            {name: self[name].fillna(value) for name in self._plan.names if kinds[name] in fits}
        )

    def _each(self, changed: Mapping[str, Series]) -> DataFrame:
        columns = tuple(
            (name, changed[name].expression if name in changed else ColumnRef(name))
            for name in self._plan.names
        )
        return self.with_plan(Project(self._plan, columns))

    def dropna(
        self, subset: str | Sequence[str] | None = None, *, how: Literal["any", "all"] = "any"
    ) -> DataFrame:
        """Without rows where any (or all) of the columns are NULL."""
        names = self._plan.names if subset is None else as_names(subset)
        tests = [IsNull(ColumnRef(name), negated=True) for name in names]
        if how not in ("any", "all"):
            raise UnsupportedError(f"how={how!r} is not known.", hint="It is 'any' or 'all'.")
        return self.with_plan(Filter(self._plan, all_of(tests) if how == "any" else Call("or", tuple(tests))))

    # Order

    def sort_values(
        self,
        by: str | Sequence[str],
        *,
        ascending: bool | Sequence[bool] = True,
        na_position: Literal["first", "last"] = "last",
    ) -> DataFrame:
        """The rows in the order of columns. Rows that tie are in no order; NaN is above every number."""
        names = as_names(by)
        directions = [ascending] * len(names) if isinstance(ascending, bool) else list(ascending)
        if len(directions) != len(names):
            raise UnsupportedError(
                f"ascending has {len(directions)} values for {len(names)} columns.",
                hint="Give one, or one for each.",
            )
        if na_position not in ("first", "last"):
            raise UnsupportedError(
                f"na_position={na_position!r} is not known.", hint="It is 'first' or 'last'."
            )
        last = na_position == "last"
        return self.order_by(
            *(SortKey(name, not up, last) for name, up in zip(names, directions, strict=True))
        )

    def order_by(self, *keys: SortKey) -> DataFrame:
        """The rows in the order of keys."""
        return self.with_plan(Sort(self._plan, keys))

    def head(self, n: int = 5) -> DataFrame:
        """The first `n` rows in the frame's order."""
        return self.with_plan(Limit(self._plan, n))

    def tail(self, n: int = 5) -> DataFrame:
        """The last `n` rows of a sorted frame or of a stored table.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.
        """
        keys = order_of(self._plan)
        if keys:
            back = Limit(Sort(self._plan, tuple(key.reversed for key in keys)), n)
            return self.with_plan(Sort(back, keys))
        rows = self._known_rows()
        if rows is None:
            raise UnsupportedError(
                "This frame has no known order, so it has no last rows.",
                hint="Sort it first: sort_values(…).tail(n).",
            )
        return self.with_plan(Limit(self._plan, n, max(0, rows - n)))

    def nlargest(self, n: int, columns: str | Sequence[str]) -> DataFrame:
        """The `n` rows with the largest values, largest first."""
        return self.sort_values(columns, ascending=False).head(n)

    def nsmallest(self, n: int, columns: str | Sequence[str]) -> DataFrame:
        """The `n` rows with the smallest values, smallest first."""
        return self.sort_values(columns).head(n)

    # Groups, sets, joins

    def groupby(
        self, by: str | Series | Sequence[str | Series], *, dropna: bool = True, sort: bool = True
    ) -> GroupBy:
        """Groups by columns, or by Series that have names of their own: `groupby(df.dep.dt.hour.rename("hour"))`."""
        frame = self
        keys: list[str] = []
        for key in [by] if isinstance(by, str | Series) else by:
            if isinstance(key, Series):
                frame = frame._with_key(key)
                key = key.name
            frame.check_column(key)
            keys.append(key)
        if not keys:
            raise UnsupportedError(
                "groupby() got no keys.", hint="Name a column, or use frame.agg(…) without groups."
            )
        return GroupBy(frame, tuple(keys), dropna=dropna, sort=sort)

    def _with_key(self, key: Series) -> DataFrame:
        made = key.over(self)
        if made == ColumnRef(key.name):
            return self
        if key.name in self._plan.names:
            raise SchemaError(
                f"The key is computed, but named {key.name!r} like a column of the frame.",
                hint="Give it a name of its own: groupby(series.rename('name')).",
            )
        return self._with_columns({key.name: made})

    def agg(self, **named: tuple[str, Any]) -> DataFrame:
        """One row of aggregates over the whole frame: `agg(n=("id", "count"), late=("delay", "mean"))`."""
        return GroupBy(self, (), dropna=False, sort=False).agg(None, **named)

    def drop_duplicates(
        self, subset: str | Sequence[str] | None = None, *, by: str | Sequence[str] | None = None
    ) -> DataFrame:
        """One row for each combination of values, in no order.

        Parameters
        ----------
        subset
            The columns that have to differ; all of them by default.
        by
            With `subset`: the order in which the first row of each combination stays; by default that of the frame.

        Raises
        ------
        UnsupportedError
            Which row stays is not decided: the frame is in no known order.
        """
        if subset is None:
            return self.with_plan(Distinct(self._plan))
        keys = order_of(self._plan) if by is None else tuple(SortKey(name) for name in as_names(by))
        return self.with_plan(Distinct(self._plan, as_names(subset), keys))

    def value_counts(self, subset: str | Sequence[str] | None = None, *, dropna: bool = True) -> DataFrame:
        """How often each combination of values occurs, in a column `count`; most frequent first."""
        names = self._plan.names if subset is None else as_names(subset)
        counted = GroupBy(self, names, dropna=dropna, sort=False).size("count")
        return counted.order_by(SortKey("count", descending=True), *(SortKey(name) for name in names))

    def merge(
        self,
        right: Any,
        how: str = "inner",
        on: str | Sequence[str] | None = None,
        *,
        left_on: str | Sequence[str] | None = None,
        right_on: str | Sequence[str] | None = None,
        suffixes: tuple[str | None, str | None] = ("_x", "_y"),
    ) -> DataFrame:
        """Rows of both frames whose keys are equal; NULL equals nothing.

        Parameters
        ----------
        right
            A frame of the same bench and snapshot, or data: Arrow, pandas, Polars, or a dict of lists.
        how
            'inner', 'left', 'right', 'outer', 'cross', 'semi' (left rows that have a match) or 'anti' (that have none).
        on, left_on, right_on
            Key columns; by default those whose names both frames have.
        suffixes
            Added to other columns that both frames have.
        """
        other = right if isinstance(right, DataFrame) else self.with_plan(Relation(_arrow(right)))
        self.check_same_bench(other)
        joined = join_of(
            self._plan, other.plan, how=how, on=on, left_on=left_on, right_on=right_on, suffixes=suffixes
        )
        return self.with_plan(joined)


def _arrow(data: Any) -> pa.Table:
    """Data in memory as an Arrow table."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, Mapping):
        return pa.table(dict(data))
    if type(data).__module__.partition(".")[0] == "pandas":
        return pa.Table.from_pandas(data, preserve_index=False).replace_schema_metadata(None)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return pa.table(data)
    raise UnsupportedError(
        f"merge() cannot read a {type(data).__name__}.",
        hint="Give a frame of this bench, or Arrow, pandas or Polars data, or a dict of lists.",
    )
