"""One operation on every column of a frame: operators, bounds, conditions, replacements; and columns by type or name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.frame_operators import Operated
from luma_bench.frame.series import Series
from luma_bench.plan.functions import NUMBERS, Kind
from luma_bench.plan.walk import kinds_of

_SELECT: dict[str, frozenset[Kind]] = {
    "number": NUMBERS,
    "int": frozenset(("int",)),
    "integer": frozenset(("int",)),
    "int64": frozenset(("int",)),
    "float": frozenset(("real",)),
    "floating": frozenset(("real",)),
    "float64": frozenset(("real",)),
    "bool": frozenset(("bool",)),
    "object": frozenset(("text", "other", "decimal", "bytes", "date", "time")),
    "str": frozenset(("text",)),
    "string": frozenset(("text",)),
    "datetime": frozenset(("timestamp",)),
    "datetime64": frozenset(("timestamp",)),
    "datetimetz": frozenset(("timestamp",)),
    "timedelta": frozenset(("interval",)),
    "timedelta64": frozenset(("interval",)),
    "category": frozenset(),
}


class Columnwise(Operated):
    """Every column at once."""

    __slots__ = ()

    def __invert__(self) -> Self:
        return self._every("__invert__")

    def __neg__(self) -> Self:
        return self._every("__neg__")

    def __abs__(self) -> Self:
        return self.abs()

    def _every(self, method: str, *args: Any, kinds: Collection[Kind] | None = None, **named: Any) -> Self:
        """Every column (of some kinds) under a method of Series; the others stay."""
        found = kinds_of(self._plan)
        chosen = [name for name in self._plan.names if kinds is None or found[name] in kinds]
        return self._each({name: getattr(self[name], method)(*args, **named) for name in chosen})

    def abs(self) -> Self:
        """The magnitude of every number; other columns stay.

        Examples
        --------
        >>> flights[["dep_delay", "arr_delay"]].abs().columns
        ['dep_delay', 'arr_delay']
        """
        return self._every("abs", kinds=NUMBERS)

    def round(self, decimals: int | Mapping[str, int] = 0) -> Self:
        """Every number rounded, halves to even; a dictionary gives the places by column.

        Examples
        --------
        >>> (flights[["distance"]] / 7).round({"distance": 1}).columns
        ['distance']
        """
        if isinstance(decimals, Mapping):
            return self._each({name: self[name].round(places) for name, places in decimals.items()})
        return self._every("round", decimals, kinds=NUMBERS)

    def clip(self, lower: object = None, upper: object = None) -> Self:
        """Every number between two bounds.

        Examples
        --------
        >>> flights[["dep_delay"]].clip(0, 60).dep_delay.max()
        60
        """
        return self._every("clip", lower, upper, kinds=NUMBERS)

    def isna(self) -> Self:
        """Where values are NULL, for every column.

        Examples
        --------
        >>> flights[["origin"]].isna().origin.any()
        False
        """
        return self._every("isna")

    def notna(self) -> Self:
        """Where values are not NULL, for every column.

        Examples
        --------
        >>> flights[["origin"]].notna().origin.all()
        True
        """
        return self._every("notna")

    isnull = isna
    notnull = notna

    def isin(self, values: Any) -> Self:
        """Where values are among a list, for every column; a dictionary gives the lists by column, others are FALSE.

        Examples
        --------
        >>> flights[["origin", "dest"]].isin(["JFK"]).columns
        ['origin', 'dest']
        """
        if isinstance(values, Mapping):
            return self._each({name: self[name].isin(values.get(name, ())) for name in self._plan.names})
        return self._every("isin", values)

    def where(self, cond: Any, other: object = None) -> Self:
        """Values where a condition is TRUE, else `other`: a Series for all columns, or a frame of conditions.

        Examples
        --------
        >>> pair = flights[["dep_delay", "arr_delay"]]
        >>> pair.where(pair > 0).dep_delay.min()
        1
        """
        return self._conditional("where", cond, other)

    def mask(self, cond: Any, other: object = None) -> Self:
        """`other` where a condition is TRUE, else the value: a Series for all columns, or a frame of conditions.

        Examples
        --------
        >>> pair = flights[["dep_delay", "arr_delay"]]
        >>> pair.mask(pair < 0, 0).dep_delay.min()
        0
        """
        return self._conditional("mask", cond, other)

    def _conditional(self, method: str, cond: Any, other: object) -> Self:
        if callable(cond) and not isinstance(cond, Series | Operated):
            cond = cond(self)
        made: dict[str, Series] = {}
        for name in self._plan.names:
            test = cond[name] if isinstance(cond, Operated) else cond
            instead = cast("Any", other)[name] if isinstance(other, Operated | Mapping) else other
            made[name] = getattr(self[name], method)(test, instead)
        return self._each(made)

    def replace(self, to_replace: Any, value: Any = ..., *, regex: bool = False) -> Self:
        """Values replaced in every column whose type has them, or by column: `{"column": {old: new}}`.

        Examples
        --------
        >>> flights[["origin"]].replace("JFK", "New York").origin.isin(["JFK"]).any()
        False
        """
        given: tuple[Any, ...] = (to_replace,) if value is ... else (to_replace, value)
        by_column = isinstance(to_replace, Mapping) and all(
            isinstance(item, Mapping) and key in self._plan.names for key, item in to_replace.items()
        )
        if by_column:
            return self._each(
                {name: self[name].replace(pairs, regex=regex) for name, pairs in to_replace.items()}
            )
        kinds = kinds_of(self._plan)
        wanted = _kinds_of(to_replace, given, regex=regex)
        chosen = [name for name in self._plan.names if wanted is None or kinds[name] in wanted]
        return self._each({name: self[name].replace(*given, regex=regex) for name in chosen})

    def select_dtypes(self, include: Any = None, exclude: Any = None) -> Self:
        """The columns of some types: 'number', 'int', 'float', 'bool', 'object', 'str', 'datetime', 'timedelta'.

        Examples
        --------
        >>> "origin" in flights.select_dtypes("number")
        False
        """
        if include is None and exclude is None:
            raise UnsupportedError("select_dtypes() got no types.", hint="Give include= or exclude=.")
        kinds = kinds_of(self._plan)
        wanted = None if include is None else _selected(include)
        left_out: frozenset[Kind] = frozenset() if exclude is None else _selected(exclude)
        return self[
            [
                name
                for name in self._plan.names
                if (wanted is None or kinds[name] in wanted) and kinds[name] not in left_out
            ]
        ]

    def add_prefix(self, prefix: str, axis: str | int | None = None) -> Self:
        """Every column with a text before its name.

        Examples
        --------
        >>> flights[["origin"]].add_prefix("my_").columns
        ['my_origin']
        """
        _check_columns(axis, "add_prefix")
        return self._renamed([f"{prefix}{name}" for name in self._plan.names])

    def add_suffix(self, suffix: str, axis: str | int | None = None) -> Self:
        """Every column with a text behind its name.

        Examples
        --------
        >>> flights[["origin"]].add_suffix("_code").columns
        ['origin_code']
        """
        _check_columns(axis, "add_suffix")
        return self._renamed([f"{name}{suffix}" for name in self._plan.names])

    def set_axis(self, labels: Sequence[str], *, axis: str | int = 1) -> Self:
        """The columns under these names, in order.

        Examples
        --------
        >>> flights[["origin", "dest"]].set_axis(["a", "b"], axis=1).columns
        ['a', 'b']
        """
        _check_columns(axis, "set_axis")
        if len(labels) != len(self._plan.names):
            raise SchemaError(
                f"There are {len(labels)} names for {len(self._plan.names)} columns.",
                hint="Give one for each.",
            )
        return self._renamed(list(labels))

    def insert(self, loc: int, column: str, value: object) -> Self:
        """A new frame with a column at a place; pandas changes the frame instead.

        Examples
        --------
        >>> flights.insert(0, "one", 1).columns[0]
        'one'
        """
        if column in self._plan.names:
            raise SchemaError(f"There is a column {column!r} already.", hint="Use assign() to replace it.")
        made = self.assign(**{column: value})
        names = list(self._plan.names)
        names.insert(loc, column)
        return made[names]

    def get(self, key: str, default: object = None) -> Any:
        """The column of this name, or `default` when there is none.

        Examples
        --------
        >>> flights.get("nothing", 0)
        0
        """
        return self[key] if key in self._plan.names else default

    def reindex(self, *, columns: Sequence[str]) -> Self:
        """These columns in this order; one that the frame does not have holds NULLs.

        Examples
        --------
        >>> flights.reindex(columns=["origin", "new"]).columns
        ['origin', 'new']
        """
        missing = {name: None for name in columns if name not in self._plan.names}
        return self.assign(**missing)[list(columns)]

    def reset_index(self, *, drop: bool = False) -> Self:
        """The frame itself: it has no index, and what pandas puts into one are columns here.

        Examples
        --------
        >>> flights.groupby("origin").size().reset_index().columns[0]
        'origin'
        """
        return self

    def convert_dtypes(self) -> Self:
        """The frame itself: its types hold missing values as they are.

        Examples
        --------
        >>> flights.convert_dtypes().columns == flights.columns
        True
        """
        return self

    infer_objects = convert_dtypes


def _kinds_of(to_replace: Any, given: tuple[Any, ...], *, regex: bool) -> Collection[Kind] | None:
    """The kinds of columns that could hold what is replaced; None for any."""
    from luma_bench.frame.expr import is_missing
    from luma_bench.plan.kinds import kind_of_value

    if regex:
        return ("text",)
    values = list(to_replace) if isinstance(to_replace, Mapping | list | tuple) else [to_replace]
    instead: list[Any] = list(to_replace.values()) if isinstance(to_replace, Mapping) else []
    found: set[Kind] = {kind_of_value(value) for value in values if not is_missing(value)}
    if any(is_missing(value) for value in values):
        found |= {kind_of_value(value) for value in (instead or list(given[1:])) if not is_missing(value)}
    return found | NUMBERS if found & NUMBERS else found


def _selected(given: Any) -> frozenset[Kind]:
    found: set[Kind] = set()
    for one in [given] if isinstance(given, str | type) else list(given):
        name = one.__name__ if isinstance(one, type) else str(one)
        known = _SELECT.get(name.partition("[")[0].lower())
        if known is None:
            raise UnsupportedError(
                f"select_dtypes() knows no {name!r}.", hint=f"It knows {', '.join(_SELECT)}."
            )
        found |= known
    return frozenset(found)


def _check_columns(axis: Any, what: str) -> None:
    if axis not in (None, 1, "columns"):
        raise UnsupportedError(f"{what}() names columns: rows have no labels.", hint="Leave axis= out.")
