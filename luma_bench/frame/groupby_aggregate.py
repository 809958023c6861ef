"""`agg`: several reductions at once, by name, by list, by column, and as functions of the group's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.groupby_measures import named_measure
from luma_bench.frame.groupby_plan import Column
from luma_bench.frame.groupby_reduce import Reducing
from luma_bench.plan.expressions import ColumnRef

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Aggregating(Reducing):
    """Aggregates of groups of a frame."""

    __slots__ = ()

    def agg(self, func: Any = None, *args: Any, **kwargs: Any) -> DataFrame:
        """Aggregates by name: `agg(n=("id", "count"), late=("delay", "mean"))`, `agg({"delay": "mean"})` or `agg("mean")`.

        A list of aggregates gives `column_aggregate` for each. An aggregate is a name ('mean', 'first', 'nunique',
        'quantile', …), a well-known callable (`sum`, `len`, `numpy.mean`, `pandas.Series.mode`), or a function of the
        group's values such as `lambda s: s.max() - s.min()`: it is called once, with a column that stands for every
        group, and what it does with it becomes part of the query.

        Parameters
        ----------
        func
            One aggregate or a list of them for every column, or a dictionary of column to one or a list.
        *args, **kwargs
            With one aggregate by name, its options: `agg("quantile", q=0.9)`. Else name = (column, aggregate).

        Raises
        ------
        SchemaError
            A column does not exist, or holds no numbers where they are needed.
        UnsupportedError
            An aggregate does not exist, depends on an order that is not known, or has a value for each row.

        Examples
        --------
        >>> flights.groupby("origin").agg(n=("flight", "count"), late=("dep_delay", "mean")).columns
        ['origin', 'n', 'late']
        >>> flights.groupby("origin").agg({"dep_delay": ["min", lambda s: s.max() - s.min()]}).columns
        ['origin', 'dep_delay_min', 'dep_delay_<lambda>']
        """
        if args or (kwargs and func is not None and not isinstance(func, Mapping | list | tuple)):
            return self._one(func, *args, **kwargs)
        measures: list[Column] = []
        if isinstance(func, Mapping):
            for name, functions in cast("Mapping[str, object]", func).items():
                column = self._column(name)
                measures += self._several(column, functions) or [(name, self._measure(column, functions))]
        elif isinstance(func, list | tuple):
            for column in self._values:
                measures += self._several(column, cast("Sequence[object]", func)) or []
        elif func is not None:
            return self._one(func)
        measures += [(name, self._named(name, pair)) for name, pair in kwargs.items()]
        if not measures:
            raise UnsupportedError("agg() got no aggregates.", hint='Write agg(n=("id", "count")).')
        return self._one_each(measures)

    aggregate = agg

    def _column(self, name: str) -> Column:
        chosen = dict(self._chosen or ())
        if name in chosen:
            return name, chosen[name]
        self._frame.check_column(name)
        return name, ColumnRef(name)

    def _one(self, func: object, *args: Any, **kwargs: Any) -> DataFrame:
        known = named_measure(func)
        if known is None:
            options = {**kwargs, "args": args} if args else kwargs
            return self._one_each(
                [(column[0], self._measure(column, func, **options)) for column in self._values]
            )
        method = getattr(self, "_reduced" if known.name in ("mode", "list", "unique") else known.name)
        given = {**known.options, **kwargs}
        return method(known.name, *args, **given) if method.__name__ == "_reduced" else method(*args, **given)

    def _several(self, column: Column, functions: object) -> list[Column] | None:
        """A column for each of several aggregates; None when it is one."""
        if isinstance(functions, str | Mapping) or not isinstance(functions, Sequence):
            return None
        listed = cast("Sequence[object]", functions)
        return [
            (f"{column[0]}_{label}", self._measure(column, function))
            for label, function in zip(labels(listed), listed, strict=True)
        ]

    def _named(self, name: str, pair: object) -> Any:
        column = getattr(pair, "column", None)
        if isinstance(pair, tuple) and len(cast("tuple[object, ...]", pair)) == 2:
            column, function = cast("tuple[str, object]", pair)
        elif column is not None and hasattr(pair, "aggfunc"):
            function = cast("Any", pair).aggfunc
        else:
            raise UnsupportedError(
                f"agg({name}={pair!r}) is not a pair.", hint=f'Write agg({name}=("column", "mean")).'
            )
        return self._measure(self._column(column), function)


def labels(functions: Sequence[object]) -> list[str]:
    """What the aggregates of a list are called: functions without a name of their own are numbered where there are several."""
    plain: list[str] = []
    for function in functions:
        known = named_measure(function)
        name = function if isinstance(function, str) else str(getattr(function, "__name__", "function"))
        plain.append(name if known is None or isinstance(function, str) else known.name)
    repeated = {name for name in plain if plain.count(name) > 1 and name.startswith("<")}
    seen: dict[str, int] = {}
    made: list[str] = []
    for name in plain:
        if name in repeated:
            seen[name] = seen.get(name, -1) + 1
            made.append(f"{name[:-1]}_{seen[name]}>")
        else:
            made.append(name)
    return made


def named_functions(kwargs: Mapping[str, object]) -> list[tuple[str, str | Callable[..., object]]]:
    """The named aggregates of one column: `agg(low="min")`.

    Raises
    ------
    UnsupportedError
        One is neither a name nor a function.
    """
    made: list[tuple[str, str | Callable[..., object]]] = []
    for name, function in kwargs.items():
        if not isinstance(function, str) and not callable(function):
            raise UnsupportedError(
                f"agg({name}={function!r}) names no aggregate.", hint=f'Write agg({name}="mean").'
            )
        made.append((name, function))
    return made
