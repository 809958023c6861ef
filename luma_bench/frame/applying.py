"""Python functions of columns: `frame.apply`, `series.map` and their like call a function once, with whole lazy columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from luma_bench.errors import LumaError, UnsupportedError
from luma_bench.frame.measuring import finished
from luma_bench.frame.operators import Operand
from luma_bench.frame.selecting import Selecting
from luma_bench.frame.series_applying import applied
from luma_bench.frame.unchanging import Reaching
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.nodes import Project
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    import pandas as pd

    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series

_TURNED = 1_000
_ACROSS = frozenset(
    ("sum", "mean", "median", "prod", "min", "max", "std", "var", "sem", "count", "nunique", "any", "all")
)


class Applying(Selecting):
    """Functions of columns and of rows, and what is turned on its side."""

    __slots__ = ()

    def apply(self, func: Any, axis: int | str = 0, *, args: tuple[Any, ...] = (), **kwargs: Any) -> Any:
        """A function of every column, or with `axis=1` of a row's columns; it is called with whole lazy Series.

        Parameters
        ----------
        func
            Down columns: a function that gives a Series (then the result is a frame) or a value (then a pandas Series
            indexed by column); a method's name, a NumPy function, or what `agg` takes. Across columns: a function of a
            row, `lambda row: row.a + row.b`, which is called once, with a stand-in for every row.
        args, kwargs
            Handed to the function.

        Raises
        ------
        UnsupportedError
            The function needs Python values, as in `if value > 3`.

        Examples
        --------
        >>> flights[["month", "day"]].apply(lambda s: s.max() - s.min()).tolist()
        [11, 30]
        >>> flights.apply(lambda row: row.dep_delay - row.arr_delay, axis=1).name
        'apply'
        """
        frame = cast("DataFrame", self)
        if axis in (1, "columns"):
            return _across(frame, func, args, kwargs)
        if axis not in (0, "index"):
            raise UnsupportedError(f"axis={axis!r} is not known.", hint="It is 0 or 1.")
        if isinstance(func, str) and not args:
            return getattr(frame, func)(**kwargs)
        if isinstance(func, list | Mapping):
            return frame.agg(func)
        made = {name: applied(self[name], func, args, kwargs, scalar=True) for name in self._plan.names}
        series = [isinstance(one, Operand) for one in made.values()]
        if all(series):
            return self._each(made)
        if any(series):
            raise UnsupportedError(
                "The function gives a column for some columns and a value for others.",
                hint="Choose columns first: frame[[…]].apply(…).",
            )
        return finished(made, kinds_of(self._plan))

    def map(self, func: Any, na_action: Literal["ignore"] | None = None, **kwargs: Any) -> Self:
        """A function of every value; it is called once for each column, with the whole Series.

        Examples
        --------
        >>> flights[["month", "day"]].map(lambda x: x * 10).month.max()
        120
        """
        return self._each(
            {name: applied(self[name], func, (), kwargs, what="map") for name in self._plan.names}
        )

    def transform(self, func: Any, axis: int | str = 0, *args: Any, **kwargs: Any) -> Self:
        """A function of every column that gives as many values: called with the whole Series, or a method's name.

        Examples
        --------
        >>> flights[["month"]].transform(lambda s: s - s.min()).month.min()
        0
        """
        if axis not in (0, "index"):
            raise UnsupportedError("transform() goes down columns.", hint="Leave axis= out.")
        functions = func if isinstance(func, Mapping) else dict.fromkeys(self._plan.names, func)
        made = {
            name: applied(self[name], one, args, kwargs, what="transform")
            for name, one in cast("Mapping[str, Any]", functions).items()
        }
        changed = self._each(made)
        return changed[list(made)] if isinstance(func, Mapping) else changed

    def combine(self, other: DataFrame, func: Callable[[Any, Any], Any], fill_value: object = None) -> Self:
        """A function of each column and the other frame's column of that name: both frames are of the same rows.

        Examples
        --------
        >>> pair = flights[["month", "day"]]
        >>> pair.combine(pair * 2, lambda a, b: a + b).month.max()
        36
        """
        return self._each(
            {name: self[name].combine(other[name], func, fill_value) for name in self._plan.names}
        )

    def select(self, *args: Any, **kwargs: object) -> Self:
        """Columns by name, and columns made of others, in that order.

        Examples
        --------
        >>> flights.select("origin", hours=flights.air_time / 60).columns
        ['origin', 'hours']
        """
        names = list(args[0]) if len(args) == 1 and isinstance(args[0], list | tuple) else list(args)
        made: dict[str, Any] = {}
        for one in names:
            if isinstance(one, Operand):
                made[one.name] = self._value(one)
            else:
                self.check_column(one)
                made[one] = ColumnRef(one)
        for name, value in kwargs.items():
            given = value(self) if callable(value) and not isinstance(value, Operand) else value
            made[name] = self._value(given)
        return self.with_plan(Project(self._plan, tuple(made.items())))

    @property
    def T(self) -> pd.DataFrame:  # noqa: N802 (pandas' name)
        """The rows as columns: a pandas frame; at most 1,000 rows.

        Examples
        --------
        >>> flights.head(2)[["origin", "dest"]].T.shape
        (2, 2)
        """
        return self.transpose()

    def transpose(self) -> pd.DataFrame:
        """The rows as columns: a pandas frame; at most 1,000 rows.

        Raises
        ------
        UnsupportedError
            There are more.

        Examples
        --------
        >>> flights.head(3)[["origin"]].transpose().index.tolist()
        ['origin']
        """
        table = cast("DataFrame", self).head(_TURNED + 1).to_arrow()
        if table.num_rows > _TURNED:
            raise UnsupportedError(
                f"The frame has more than {_TURNED:,} rows, and each would be a column.",
                hint="Take fewer: head(n), or reduce it first.",
            )
        return table.to_pandas().T

    @property
    def axes(self) -> list[Any]:
        """The row numbers and the column names; counts the rows.

        Examples
        --------
        >>> flights[["origin"]].axes[1]
        ['origin']
        """
        return [range(len(self)), self.columns]

    @property
    def iat(self) -> ValueAt:
        """One value by the places of its row and its column: `iat[0, 2]`.

        Examples
        --------
        >>> flights.iat[0, 0] == flights.iloc[0, 0]
        True
        """
        return ValueAt(cast("DataFrame", self))


class ValueAt(Reaching):
    """`frame.iat[row, column]`."""

    __slots__ = ("_frame",)

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame

    def __getitem__(self, key: Any) -> Any:
        if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(one, int) for one in key)):
            raise UnsupportedError(f"iat[{key!r}] names no value.", hint="Write iat[row, column], in places.")
        return self._frame.iloc[key]


class Row:
    """The stand-in for every row of a frame: its columns, and reductions across them."""

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame

    def __getitem__(self, key: Any) -> Any:
        return Row(self._frame[key]) if isinstance(key, list) else self._frame[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._frame.columns:
            return self._frame[name]
        if name in _ACROSS:
            return lambda **options: getattr(self._frame, name)(axis=1, **options)
        raise UnsupportedError(
            f"A row has no column {name!r}, and no such reduction.",
            hint=f"Reductions across columns: {', '.join(sorted(_ACROSS))}.",
        )

    def __iter__(self) -> Iterable[Any]:
        raise UnsupportedError(
            "The function reads a row value by value, and it stands for every row.",
            hint="Name the columns: lambda row: row.a + row.b.",
        )


def _across(frame: DataFrame, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Series:
    if isinstance(func, str) or getattr(func, "__name__", None) in _ACROSS:
        name = func if isinstance(func, str) else func.__name__
        if name in _ACROSS:
            return getattr(frame, name)(axis=1, **kwargs)
    if not callable(func):
        raise UnsupportedError(
            f"apply(axis=1) takes a function of a row, not {func!r}.", hint="Or sum(axis=1) and its like."
        )
    try:
        made = func(Row(frame), *args, **kwargs)
    except LumaError as error:
        raise UnsupportedError(
            f"apply() calls the function once, with a stand-in for every row: {error.message}",
            hint=error.hint,
        ) from error
    except (TypeError, ValueError) as error:
        raise UnsupportedError(
            f"apply() calls the function once, with a stand-in for every row, and it failed: {error}",
            hint="Write it with operators and numpy.where, or use frame.map_batches(…) for Python.",
        ) from error
    if not isinstance(made, Operand):
        raise UnsupportedError(
            f"The function gave a {type(made).__name__} for every row, and no column.",
            hint="Give an expression of the row's columns; several columns are assign(a=…, b=…).",
        )
    return cast("Series", made).rename("apply")
