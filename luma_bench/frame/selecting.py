"""Columns and rows of a frame by name, by condition, and by expression: `frame["x"]`, `frame[mask]`, `assign`, `drop`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.frame.expr import literal
from luma_bench.frame.locating import Located, Placed, check_names
from luma_bench.frame.merge import as_names
from luma_bench.frame.series import Series
from luma_bench.plan.condition import condition
from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.nodes import Filter, Project

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Selecting(Frame):
    """Which columns and rows, and columns made of others."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            self.check_column(key)
            return Series(cast("DataFrame", self), ColumnRef(key), key)
        if isinstance(key, Series):
            return self.with_plan(Filter(self._plan, self._value(key)))
        if isinstance(key, slice):
            return cast("DataFrame", self).iloc[key]
        if callable(key):
            return self[key(self)]
        if hasattr(key, "__array__") and getattr(key, "ndim", 0) == 1:
            key = list(key)
        if isinstance(key, list | tuple):
            check_names(key, "frame[…]")
            for name in key:
                self.check_column(name)
            return self.with_plan(Project(self._plan, tuple((name, ColumnRef(name)) for name in key)))
        raise UnsupportedError(
            f"A frame cannot be read by {key!r}: it has no index.",
            hint="Use a column name, a list of names, a condition, or head(n).",
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._plan.names if name.isidentifier())]

    def _ipython_key_completions_(self) -> list[str]:
        return self.columns

    @property
    def loc(self) -> Located:
        """Rows by condition and columns by name: `loc[condition]`, `loc[condition, columns]`, `loc[:, columns]`.

        Examples
        --------
        >>> flights.loc[flights.origin == "JFK", ["origin", "dest"]].columns
        ['origin', 'dest']
        """
        return Located(cast("DataFrame", self))

    @property
    def iloc(self) -> Placed:
        """Rows by their place in the frame's order, columns by theirs: `iloc[10:20]`, `iloc[0]`, `iloc[:, :3]`.

        One row is a dict of its values.

        Examples
        --------
        >>> len(flights.iloc[10:20])
        10
        >>> flights.iloc[0]["origin"] in ("EWR", "JFK", "LGA")
        True
        """
        return Placed(cast("DataFrame", self))

    def filter(
        self,
        items: Series | Sequence[str] | None = None,
        like: str | None = None,
        regex: str | None = None,
        axis: str | int | None = None,
    ) -> Self:
        """The columns of a list, whose names hold a text, or match a pattern; or the rows where a condition is TRUE.

        Parameters
        ----------
        items
            Column names, of which those that exist are taken; or a condition, as in `frame[condition]`.
        like, regex
            A part of names; a regular expression that is searched in them.

        Examples
        --------
        >>> flights.filter(like="delay").columns
        ['dep_delay', 'arr_delay']
        """
        if isinstance(items, Series):
            return self[items]
        if sum(given is not None for given in (items, like, regex)) != 1:
            raise UnsupportedError(
                "filter() takes one of items=, like= and regex=.", hint="Rows: frame[condition]."
            )
        if axis not in (None, 1, "columns"):
            raise UnsupportedError(
                "filter() chooses columns: rows have no labels.", hint="Rows: frame[condition]."
            )
        if items is not None:
            return self[[name for name in items if name in self._plan.names]]
        search = re.compile(re.escape(like) if like is not None else regex or "").search
        return self[[name for name in self._plan.names if search(name)]]

    def query(self, expr: str, params: Mapping[str, object] | None = None) -> Self:
        """The rows where a condition, written as KadeQL text, is TRUE.

        Parameters
        ----------
        expr
            One expression, such as `dep_delay > $late AND origin IN ('JFK', 'EWR')`.
        params
            Values of its `$name` parameters.

        Raises
        ------
        KadeQLError
            The text is no expression, or names a column or parameter that does not exist; it points into the text.

        Examples
        --------
        >>> late = flights.query("dep_delay > $low AND origin = 'JFK'", {"low": 60})
        >>> late.origin.unique().to_pylist()
        ['JFK']
        """
        return self.with_plan(Filter(self._plan, condition(expr, self._plan.names, params)))

    def assign(self, **columns: object) -> Self:
        """New or replaced columns: a Series, a constant, or a function of the frame.

        As in pandas, a Series reads the columns as they were before, and a function gets the frame with those that
        stand left of it.

        Examples
        --------
        >>> made = flights.assign(km=flights.distance * 1.609, fast=lambda f: f.km > 1000)
        >>> made.columns[-2:]
        ['km', 'fast']
        """
        frame = self
        made: dict[str, Expression] = {}
        for name, value in columns.items():
            if callable(value) and not isinstance(value, Series):
                frame, made = frame._with_columns(made), {}
                value = value(frame)
            made[name] = frame._value(value)
        return frame._with_columns(made)

    def _with_columns(self, made: Mapping[str, Expression]) -> Self:
        if not made:
            return self
        columns = [(name, made.get(name, ColumnRef(name))) for name in self._plan.names]
        columns += [(name, value) for name, value in made.items() if name not in self._plan.names]
        return self.with_plan(Project(self._plan, tuple(columns)))

    def _value(self, value: object) -> Expression:
        if isinstance(value, Series):
            return value.over(cast("DataFrame", self))
        if isinstance(value, list | tuple) or (hasattr(value, "__array__") and getattr(value, "ndim", 0)):
            raise UnsupportedError(
                f"A {type(value).__name__} is no column: rows of a lazy frame have no positions to match its items to.",
                hint="Give a Series of this frame, a constant, or merge the values in by a key.",
            )
        return literal(value)

    def rename(
        self,
        mapper: Mapping[str, str] | Callable[[str], str] | None = None,
        *,
        columns: Mapping[str, str] | Callable[[str], str] | None = None,
        axis: str | int | None = None,
        errors: Literal["ignore", "raise"] = "raise",
    ) -> Self:
        """Columns under other names: a dictionary of old to new, or a function of the old name.

        A name that does not exist is an error, unless `errors='ignore'` (pandas' default).

        Examples
        --------
        >>> flights.rename(columns={"dest": "to"}).columns.count("to")
        1
        """
        names = columns if columns is not None else mapper
        if names is None or axis in (0, "index"):
            raise UnsupportedError("rename() names columns.", hint="Write rename(columns={'old': 'new'}).")
        if not isinstance(names, Mapping):
            names = {name: names(name) for name in self._plan.names}
        if errors == "raise":
            for name in names:
                self.check_column(name)
        return self._renamed([names.get(name, name) for name in self._plan.names])

    def _renamed(self, names: Sequence[str]) -> Self:
        pairs = zip(names, self._plan.names, strict=True)
        return self.with_plan(Project(self._plan, tuple((new, ColumnRef(old)) for new, old in pairs)))

    def drop(
        self,
        labels: str | Sequence[str] | None = None,
        *,
        columns: str | Sequence[str] | None = None,
        axis: str | int = 1,
        errors: Literal["ignore", "raise"] = "raise",
    ) -> Self:
        """Without these columns.

        Examples
        --------
        >>> "year" in flights.drop(columns=["year", "month"])
        False
        """
        wanted = columns if columns is not None else labels
        if wanted is None or axis not in (1, "columns"):
            raise UnsupportedError("drop() leaves out columns.", hint="Rows: frame[~condition].")
        check_names(wanted if isinstance(wanted, list | tuple) else (wanted,), "drop()")
        gone = as_names(wanted)
        for name in gone:
            if errors == "raise":
                self.check_column(name)
        return self[[name for name in self._plan.names if name not in gone]]

    def _each(self, changed: Mapping[str, Series]) -> Self:
        names = self._plan.names
        plans = {id(one.frame.plan): one.frame.plan for one in changed.values()}
        if len(plans) == 1 and changed.keys() >= set(names):
            # All are new, and all of one frame: it need not be this one.
            columns = tuple((name, changed[name].expression) for name in names)
            return self.with_plan(Project(next(iter(plans.values())), columns))
        frame = cast("DataFrame", self)
        return self.with_plan(
            Project(
                self._plan,
                tuple(
                    (name, changed[name].over(frame) if name in changed else ColumnRef(name))
                    for name in names
                ),
            )
        )
