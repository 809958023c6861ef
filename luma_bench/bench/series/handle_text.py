"""What a series is asked from Python, as KadeQL text: lengths, moments, aggregates, fills."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError, choices
from luma_bench.plan.literals import constant, text
from luma_bench.types.sql_text import quoted

Length = str | dt.timedelta
"""A length of time: `"1h"`, `"15 minutes"`, pandas' `"5min"` and `"MS"`, or a timedelta."""
Moment = str | dt.datetime | dt.date | int | pa.Scalar
"""A moment: text that casts to the time column, a datetime, or for a column of whole numbers a number."""
Aggregates = str | Sequence[str] | Mapping[str, str | Sequence[str]]
"""One function for every number, several, or for each column its own; a text with brackets is SQL."""
Fills = str | float | None
"""What stands where nothing is: `"prev"`, `"ffill"`, `"linear"`, `"null"`, `"none"`, or a value."""

_PANDAS: Final = re.compile(r"(\d+(?:\.\d+)?)?\s*([A-Za-z]+(?:-[A-Za-z]+)?)")
_UNITS: Final = {
    "min": "m", "t": "m", "MS": "mo", "ME": "mo", "BM": "mo", "YS": "y", "YE": "y", "Y": "y", "A": "y",
    "D": "d", "H": "h", "S": "s", "W": "w", "L": "ms", "U": "us", "N": "ns", "W-MON": "w",
}  # fmt: skip
_FUNCTIONS: Final = {
    "mean": "avg", "average": "avg", "std": "stddev_samp", "var": "var_samp", "prod": "product", "size": "count(*)",
    "nunique": "count(DISTINCT {})", "first": "first({}, {time})", "last": "last({}, {time})",
    "ohlc": "ohlc({}, {time})", "rate": "rate({}, {time})", "increase": "increase({}, {time})",
    "delta": "delta({}, {time})", "derivative": "derivative({}, {time})", "integral": "integral({}, {time})",
    "time_weight": "time_weight({}, {time})", "twap": "twap({}, {time})",
}  # fmt: skip
_FILLS: Final = {
    "prev": "PREV", "ffill": "PREV IGNORE NULLS", "pad": "PREV IGNORE NULLS", "locf": "PREV IGNORE NULLS",
    "linear": "LINEAR", "interpolate": "LINEAR", "null": "NULL", "none": "NONE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """An aggregate of an answer: its column's name, the column that it is of (None: an expression), and its SQL."""

    name: str
    column: str | None
    sql: str


def length_text(length: Length) -> str:
    """A length as a literal of KadeQL.

    Raises
    ------
    UnsupportedError
        It is neither text nor a timedelta.
    """
    if isinstance(length, dt.timedelta):
        return text(f"{length // dt.timedelta(microseconds=1)}us")
    if not isinstance(length, str):  # pyright: ignore[reportUnnecessaryIsInstance] (callers need not be typed)
        raise UnsupportedError(
            f"{length!r} is no length of time.",
            hint="Give text such as '1h', '15m', '1 day', or a timedelta.",
        )
    found = _PANDAS.fullmatch(length.strip())
    if found is not None and found[2] in _UNITS:
        return text(f"{found[1] or '1'}{_UNITS[found[2]]}")
    if found is not None and found[1] is None:
        return text(f"1{found[2]}")
    return text(length)


def moment_text(moment: Moment) -> str:
    """A moment as SQL that compares with a time column."""
    return text(moment) if isinstance(moment, str) else constant(moment)


def names_of(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names, one or several; None is none."""
    return () if given is None else (given,) if isinstance(given, str) else tuple(given)


def listed(names: Sequence[str], prefix: str = "") -> str:
    """Columns, quoted, with commas."""
    return ", ".join(f"{prefix}{quoted(name)}" for name in names)


def aggregates(given: Aggregates, numbers: Sequence[str], columns: Sequence[str], time: str) -> list[Made]:
    """The aggregates that are asked for.

    Parameters
    ----------
    numbers
        The columns that a function alone is meant for.
    columns
        All that there are.

    Raises
    ------
    SchemaError
        There is no such column, or no number that a function could be of; or two columns would have one name.
    UnsupportedError
        What is given names no function.
    """
    made: list[Made] = []
    if isinstance(given, Mapping):
        for name, functions in given.items():
            if isinstance(functions, str) and "(" in functions:
                made.append(Made(name, None, functions))
                continue
            if name not in columns and functions != "size":
                raise SchemaError.unknown_column(name, columns, "the series")
            several = not isinstance(functions, str)
            made += [
                Made(f"{name}_{function}" if several else name, name, _call(function, name, time))
                for function in names_of(functions)
            ]
    else:
        several = not isinstance(given, str)
        for function in names_of(given):
            if function == "size":
                made.append(Made("size", None, "count(*)"))
                continue
            if not numbers:
                raise SchemaError(
                    f"The series has no numbers to take {function!r} of.",
                    hint="Say what to compute: agg={'rows': 'count(*)'} or agg={'column': 'count'}.",
                )
            made += [
                Made(f"{name}_{function}" if several else name, name, _call(function, name, time))
                for name in numbers
            ]
    if not made:
        raise UnsupportedError("agg names no function.", hint="Give agg='mean' or agg={'temp': 'mean'}.")
    twice = {item.name for item in made if sum(other.name == item.name for other in made) > 1}
    if twice:
        raise SchemaError(
            f"Two columns would be named {min(twice)!r}.", hint="Name them with agg={'name': 'sum(x)'}."
        )
    return made


def _call(function: str, column: str, time: str) -> str:
    known = _FUNCTIONS.get(function, function)
    if "{" in known or known.endswith(")"):
        return known.format(quoted(column), time=quoted(time))
    if not known.isidentifier():
        raise UnsupportedError(
            f"{function!r} is no function.",
            hint="Give a name such as 'mean', or SQL with brackets: 'max(temp) - min(temp)'.",
        )
    return f"{known}({quoted(column)})"


def fills(given: Fills | Mapping[str, Fills], made: Sequence[Made]) -> str:
    """The FILL clause; empty when nothing is filled.

    Raises
    ------
    UnsupportedError
        A way to fill that there is not, or one for a column that is not in the answer.
    """
    if given is None:
        return ""
    if not isinstance(given, Mapping):
        return f" FILL({_fill(given)})"
    known = {item.name for item in made} | {item.column for item in made if item.column}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UnsupportedError(
            f"fill names {unknown[0]!r}, which is not in the answer.",
            hint=choices(unknown[0], sorted(known), "columns"),
        )
    ways = [given.get(item.name, given.get(item.column or "", "null")) for item in made]
    return f" FILL({', '.join(_fill('null' if way is None else way) for way in ways)})"


def _fill(way: Any) -> str:
    if isinstance(way, str):
        found = _FILLS.get(way.casefold())
        if found is None:
            raise UnsupportedError(f"{way!r} is no way to fill.", hint=choices(way, sorted(_FILLS), "ways"))
        return found
    return constant(way)


def filled(column: str, way: Fills, time: str, kind: pa.DataType, over: str) -> str:
    """The expression of a column whose NULLs are filled along its series.

    Parameters
    ----------
    kind
        The time column's type.
    over
        `PARTITION BY … ORDER BY …`.
    """
    name = quoted(column)
    before = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    behind = "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
    previous = f"last_value({name} IGNORE NULLS) OVER ({over} {before})"
    following = f"first_value({name} IGNORE NULLS) OVER ({over} {behind})"
    match way.casefold() if isinstance(way, str) else way:
        case "prev" | "ffill" | "pad" | "locf":
            return previous
        case "next" | "bfill" | "nocb":
            return following
        case "linear" | "interpolate":
            at = quoted(time) if pa.types.is_integer(kind) else f"epoch_ns({quoted(time)}::TIMESTAMP_NS)"
            known = f"CASE WHEN {name} IS NOT NULL THEN {at} END"
            start = f"last_value({known} IGNORE NULLS) OVER ({over} {before})"
            stop = f"first_value({known} IGNORE NULLS) OVER ({over} {behind})"
            share = f"({at} - {start})::DOUBLE / nullif({stop} - {start}, 0)"
            return f"coalesce({name}, {previous} + ({following} - {previous}) * ({share}))"
        case str():
            raise UnsupportedError(
                f"{way!r} is no way to fill.", hint="The ways are: 'prev', 'next', 'linear', or a value."
            )
        case _:
            return f"coalesce({name}, {constant(way)})"
