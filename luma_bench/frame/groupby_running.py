"""A value for each row of a group: running sums, shifts, ranks, filled gaps, and aggregates beside their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.groupby_core import Groups
from luma_bench.frame.groupby_measures import MEASURES, named_measure, present
from luma_bench.frame.groupby_plan import Column
from luma_bench.frame.windows_over import (
    Method,
    NaOption,
    Over,
    changes,
    counted,
    differences,
    filled,
    over,
    ranked,
    running,
    shifted,
)
from luma_bench.plan.expressions import Call, Case, Expression, all_of
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.window import Order, Window

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

By = str | Sequence[str] | None

RUNNING = frozenset(
    ("cumsum", "cumprod", "cummax", "cummin", "shift", "diff", "pct_change", "rank", "ffill", "bfill")
)
"""Methods that `transform` takes by name, beside the aggregates and `cumcount` and `ngroup`."""


class Running[R](Groups):
    """Rows to rows, group by group: the result has the frame's rows, in its order, so that it can be assigned.

    Rows whose key is NULL are in no group and get NULL, unless the groups are made with `dropna=False`.
    """

    __slots__ = ()

    def _rows(self, columns: Sequence[Column]) -> R:
        """A value a row, of each column."""
        raise NotImplementedError

    def _over(self, by: By, what: str) -> Over:
        return over(self._frame, by, self._keys.expressions, what=what)

    def _each_row(
        self, change: Callable[[Expression], Expression], columns: Sequence[Column] | None = None
    ) -> R:
        chosen = self._values if columns is None else columns
        return self._rows([(name, change(expression)) for name, expression in chosen])

    def cumsum(self, numeric_only: bool = False, skipna: bool = True, *, by: By = None) -> R:
        """The sum up to the row. NULL stays NULL, and the sum goes on after it.

        Parameters
        ----------
        numeric_only
            Leave out columns without numbers; else one is an error.
        skipna
            With False, everything from the first NULL of a group on is NULL.
        by
            Columns to go by; by default the order of the frame.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> flights.assign(km=flights.groupby("origin")["distance"].cumsum()).columns[-1]
        'km'
        """
        return self._running("sum", by, numeric_only, skipna)

    def cumprod(self, numeric_only: bool = False, skipna: bool = True, *, by: By = None) -> R:
        """The product up to the row, as a float; parameters as of `cumsum`.

        Examples
        --------
        >>> flights.groupby("origin")["month"].cumprod().name
        'month'
        """
        return self._running("prod", by, numeric_only, skipna)

    def cummax(self, numeric_only: bool = False, skipna: bool = True, *, by: By = None) -> R:
        """The greatest value up to the row; parameters as of `cumsum`.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].cummax().name
        'dep_delay'
        """
        return self._running("max", by, numeric_only, skipna)

    def cummin(self, numeric_only: bool = False, skipna: bool = True, *, by: By = None) -> R:
        """The least value up to the row; parameters as of `cumsum`.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].cummin().name
        'dep_delay'
        """
        return self._running("min", by, numeric_only, skipna)

    def _running(
        self, function: Literal["sum", "prod", "max", "min"], by: By, numeric_only: bool, skipna: bool
    ) -> R:
        place = self._over(by, f"cum{function}")
        columns = self._numbers() if numeric_only else None
        return self._each_row(lambda value: running(value, place, function, skipna=skipna), columns)

    def shift(
        self,
        periods: int | Sequence[int] = 1,
        freq: None = None,
        fill_value: object = None,
        suffix: str | None = None,
        *,
        by: By = None,
    ) -> R:
        """The value `periods` rows before, in the same group; after, when negative.

        Parameters
        ----------
        periods
            A number of rows, or for groups of a frame a list of them: columns `name_1`, `name_2`, ….
        fill_value
            What stands where there is no such row; NULL by default.
        suffix
            With a list, what stands between the name and the number.
        by
            Columns to go by; by default the order of the frame.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> flights.assign(before=flights.groupby("tailnum")["dest"].shift()).columns[-1]
        'before'
        """
        if freq is not None:
            raise UnsupportedError(
                "shift(freq=…) moves an index, and there is none.", hint="Add a span to the column of times."
            )
        place = self._over(by, "shift")
        if isinstance(periods, int):
            return self._each_row(lambda value: shifted(value, place, periods, fill_value))
        return self._rows(
            [
                (f"{name}{suffix or ''}_{count}", shifted(value, place, count, fill_value))
                for count in periods
                for name, value in self._values
            ]
        )

    def diff(self, periods: int = 1, *, by: By = None) -> R:
        """The value less the one `periods` rows before in the same group.

        Examples
        --------
        >>> flights.groupby("tailnum")["distance"].diff().name
        'distance'
        """
        place = self._over(by, "diff")
        return self._each_row(lambda value: differences(value, place, periods))

    def pct_change(self, periods: int = 1, *, by: By = None) -> R:
        """The relative change since `periods` rows before in the same group, as a float.

        Examples
        --------
        >>> flights.groupby("tailnum")["distance"].pct_change().name
        'distance'
        """
        place = self._over(by, "pct_change")
        return self._each_row(lambda value: changes(value, place, periods))

    def ffill(self, limit: int | None = None, *, by: By = None) -> R:
        """The value, or where it is NULL, the last one before it in the group, at most `limit` rows away.

        Examples
        --------
        >>> flights.groupby("tailnum")["dep_delay"].ffill().name
        'dep_delay'
        """
        place = self._over(by, "ffill")
        return self._each_row(lambda value: filled(value, place, forward=True, limit=limit))

    def bfill(self, limit: int | None = None, *, by: By = None) -> R:
        """The value, or where it is NULL, the next one after it in the group, at most `limit` rows away.

        Examples
        --------
        >>> flights.groupby("tailnum")["dep_delay"].bfill(limit=1).name
        'dep_delay'
        """
        place = self._over(by, "bfill")
        return self._each_row(lambda value: filled(value, place, forward=False, limit=limit))

    def rank(
        self,
        method: Method = "average",
        ascending: bool = True,
        na_option: NaOption = "keep",
        pct: bool = False,
        *,
        by: By = None,
    ) -> R:
        """The place of the value in its group, from 1; equal values share the mean of their places.

        Parameters
        ----------
        method
            What equal values get: 'average', 'min' or 'max' of their places, 'first' in the order of rows, or 'dense'
            places without gaps.
        na_option
            NULL gets no place ('keep'), or the first ('top') or last ones ('bottom').
        pct
            Places as shares of the group.
        by
            For method='first': columns to go by; by default the order of the frame.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].rank(ascending=False).name
        'dep_delay'
        """
        place = (
            self._over(by, "rank(method='first')")
            if method == "first"
            else Over(self._frame, self._keys.expressions)
        )
        return self._each_row(
            lambda value: ranked(
                value, place, method=method, ascending=ascending, na_option=na_option, pct=pct
            )
        )

    def cumcount(self, ascending: bool = True, *, by: By = None) -> Series:
        """The number of rows of the group before the row, or after it with `ascending=False`.

        Examples
        --------
        >>> flights.groupby("tailnum").cumcount().name
        'cumcount'
        """
        return self._row_series("cumcount", counted(self._over(by, "cumcount"), ascending=ascending))

    def ngroup(self, ascending: bool = True) -> Series:
        """The number of the row's group, from 0, in the order of the keys; with `sort=False`, of appearance.

        Examples
        --------
        >>> flights.groupby("origin").ngroup().max()
        2
        """
        keys = self._keys.expressions
        if self._keys.sort:
            order = tuple(Order(key) for key in keys)
        else:
            place = over(self._frame, what="ngroup() of groups with sort=False")
            order = (Order(Window("min", (place.window("row_number"),), keys)),)
        if not ascending:
            order = tuple(key.reversed for key in order)
        # Rows in no group do not count: they are numbered by themselves, and get NULL.
        apart = (all_of(present(keys)),) if self._keys.dropna else ()
        number = Call("sub", (Window("dense_rank", (), apart, order), Constant(1)))
        return self._row_series("ngroup", number)

    def transform(self, func: Any, *args: Any, **kwargs: Any) -> R:
        """A value for each row: an aggregate of its group by name, a running method by name, or a function.

        Parameters
        ----------
        func
            'mean', 'sum', …; 'cumsum', 'rank', 'shift', 'ffill', …; or a function of the group's column such as
            `lambda s: (s - s.mean()) / s.std()`. It is called once, with a column that stands for every group, and what
            it does with it becomes part of the query.
        *args, **kwargs
            Options of the aggregate, the method or the function.

        Raises
        ------
        UnsupportedError
            There is no such aggregate or method, or the function reads rows beyond its group.

        Examples
        --------
        >>> late = flights.dep_delay - flights.groupby("origin")["dep_delay"].transform("mean")
        >>> flights.groupby("origin")["dep_delay"].transform(lambda s: (s - s.mean()) / s.std()).name
        'dep_delay'
        """
        if isinstance(func, str) and func in RUNNING:
            return getattr(self, func)(*args, **kwargs)
        if isinstance(func, str) and func in ("cumcount", "ngroup"):
            numbers = cast("Series", getattr(self, func)(*args, **kwargs))
            return self._rows([(func, numbers.expression)])
        if isinstance(func, str) and func == "size":
            return self._rows([("size", self._scope.window("size"))])
        known = named_measure(func)
        if known is not None and args:
            raise UnsupportedError(
                f"transform({known.name!r}, {args[0]!r}) is not known.",
                hint="Name the option: transform('quantile', q=0.9).",
            )
        if known is not None and known.name in MEASURES and kwargs.pop("numeric_only", False):
            return self._rows(
                [(column[0], self._measure(column, func, **kwargs)) for column in self._numbers()]
            )
        options = {**kwargs, "args": args} if args else kwargs
        return self._rows([(column[0], self._measure(column, func, **options)) for column in self._values])

    def _condition(self, condition: Expression) -> Expression:
        """The condition, for rows that are in a group."""
        tests = present(self._keys.expressions) if self._keys.dropna else []
        return all_of([*tests, condition]) if tests else condition

    def _kept(self, column: Expression, condition: Expression) -> Expression:
        return Case(((condition, column),), Constant(None))
