"""A column's values out of the engine: as Arrow, pandas, Polars, NumPy and Python values, and as frames of counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, cast

import pyarrow as pa

from luma_bench.frame.operators import Operand
from luma_bench.plan.nodes import Project, SortKey

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Out(Operand):
    """Ways out of a column."""

    __slots__ = ()

    def to_frame(self, name: str | None = None) -> DataFrame:
        """A frame of this one column.

        Examples
        --------
        >>> flights.origin.to_frame("start").columns
        ['start']
        """
        columns = ((name or self.name, self.expression),)
        return self._frame.with_plan(Project(self._frame.plan, columns))

    def value_counts(
        self,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        bins: int | None = None,
        dropna: bool = True,
    ) -> DataFrame:
        """A frame of each value and its `count` (or `proportion`), most frequent first; values that tie, in their own order.

        With `bins` numbers are counted by intervals of equal width.

        Examples
        --------
        >>> flights.origin.value_counts().columns
        ['origin', 'count']
        """
        from luma_bench.frame.cutting import cut

        taken = "proportion" if normalize else "count"
        name = "value" if self.name == taken else self.name
        series: Any = self if bins is None else cut(cast("Any", self), bins, include_lowest=True)
        frame = series.to_frame(name)
        return frame.value_counts(normalize=normalize, sort=sort, ascending=ascending, dropna=dropna)

    def duplicated(self, keep: Any = "first") -> Self:
        """Whether the value stands in an earlier row (or a later one, or with `keep=False` any other) too.

        Examples
        --------
        >>> flights.origin.duplicated().sum() == len(flights) - 3
        True
        """
        frame = self.to_frame("value")
        return cast("Self", frame.duplicated("value", keep).rename(self.name))

    def drop_duplicates(self, *, keep: Any = "first") -> Self:
        """The values without those that stand in an earlier row too, in the order of the rows.

        Examples
        --------
        >>> len(flights.origin.drop_duplicates())
        3
        """
        name = self.name
        return cast("Self", self.to_frame(name).drop_duplicates(name, keep=keep)[name])

    def explode(self) -> Self:
        """A value for each element of the lists.

        Examples
        --------
        >>> len(flights.origin.head(1).str.findall(".").explode())
        3
        """
        return cast("Self", self.to_frame().explode(self.name)[self.name])

    def unique(self) -> pa.Array:
        """The distinct values in ascending order, NULL last, as an Arrow array (pandas: in order of appearance).

        Examples
        --------
        >>> flights.origin.unique().to_pylist()
        ['EWR', 'JFK', 'LGA']
        """
        frame = self.to_frame("value").drop_duplicates()
        column = frame.order_by(SortKey("value")).to_arrow().column(0)
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)

    def head(self, n: int = 5) -> Self:
        """The first `n` values in the frame's order.

        Examples
        --------
        >>> len(flights.origin.head(3))
        3
        """
        return cast("Self", self.to_frame().head(n)[self.name])

    def to_arrow(self) -> pa.ChunkedArray:
        """The values as an Arrow column; runs the query.

        Examples
        --------
        >>> len(flights.origin.head(3).to_arrow())
        3
        """
        return self.to_frame().to_arrow().column(0)

    def to_pandas(self) -> Any:
        """The values as a pandas Series; runs the query.

        Examples
        --------
        >>> flights.origin.head(3).to_pandas().name
        'origin'
        """
        return self.to_frame().to_pandas()[self.name]

    def to_polars(self) -> Any:
        """The values as a Polars Series; runs the query.

        Examples
        --------
        >>> flights.origin.head(3).to_polars().name
        'origin'
        """
        return self.to_frame().to_polars()[self.name]

    def to_list(self) -> list[Any]:
        """The values as Python objects, whole numbers of any width as int; runs the query.

        Examples
        --------
        >>> lb.from_dict({"x": [1, None]}).x.to_list()
        [1, None]
        """
        column = self.to_arrow()
        values = column.to_pylist()
        if pa.types.is_decimal(column.type) and column.type.scale == 0:
            return [None if value is None else int(value) for value in values]
        return values

    tolist = to_list

    def to_numpy(self, dtype: Any = None, copy: bool = False, na_value: Any = ...) -> Any:
        """The values as a NumPy array; runs the query.

        Examples
        --------
        >>> lb.from_dict({"x": [1, None]}).x.to_numpy(dtype=float, na_value=0.0).tolist()
        [1.0, 0.0]
        """
        named = {} if na_value is ... else {"na_value": na_value}
        return self.to_pandas().to_numpy(dtype=dtype, copy=copy, **named)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        return np.asarray(self.to_numpy(), dtype=dtype)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_list())

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        return self.to_frame()._display("lb.Series")

    def _repr_html_(self) -> str:
        return self.to_frame()._display("lb.Series", as_html=True)
