"""What somebody typed into a filter, read as a value of a column: the very one, or its nearest neighbour that the column holds.

A cast would round: `3.5` to 4 for whole numbers, a time to its date. Here the text is read exactly first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Literal

import numpy as np

from luma_bench.bench.cells import cut
from luma_bench.errors import UnsupportedError
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.requests import Scalar

LONGEST = 60
"""Characters of a value that a message repeats."""
_NUMBER = re.compile(r"[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,5})?", re.ASCII)
_INFINITE = {"inf": 1, "infinity": 1, "+inf": 1, "+infinity": 1, "-inf": -1, "-infinity": -1}
_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_FLOATS: dict[int, type[np.floating[Any]]] = {16: np.float16, 32: np.float32, 64: np.float64}
_TRUTHS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), "true"),
    **dict.fromkeys(("false", "f", "no", "n", "0"), "false"),
}
_MEMBER = re.compile(r"'((?:[^']|'')*)'")
_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?")
_UNIT = r"(?:years?|months?|weeks?|days?|hours?|minutes?|mins?|seconds?|secs?|milliseconds?|microseconds?)"
_INTERVAL = re.compile(
    rf"(?:[+-]?\d+(?:\.\d{{1,6}}0*)?\s*{_UNIT}\b[\s,]*)*(?:[+-]?\d+:\d\d(?::\d\d(?:\.\d{{1,6}}0*)?)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a column can hold, and where what was typed stands to it.

    Attributes
    ----------
    text
        The value, for a cast.
    type
        The SQL type to cast it to; `HEX` for bytes in hexadecimal; None for plain text.
    place
        `at`: it is the value. `after`, `before`: the column holds nothing between the two.
    zone
        The time zone that the text is a local time of.
    """

    text: str
    type: str | None
    place: Literal["at", "after", "before"] = "at"
    zone: str | None = None


def read_value(column: GridColumn, given: Scalar, *, exact_text: bool = False) -> Value:
    """The value.

    Parameters
    ----------
    exact_text
        Whether only equality is asked, so that a text that no value of the column has is an answer, and no mistake.

    Raises
    ------
    UnsupportedError
        It is nothing that the column could be compared with; the hint has an example.
    """
    from luma_bench.notebook.grid.typed_times import read_date, read_time, read_timestamp

    text = str(given).lower() if isinstance(given, bool) else str(given)
    readers: dict[str, Callable[[GridColumn, str], Value]] = {
        "int": _fixed,
        "decimal": _fixed,
        "float": _floating,
        "bool": _truth,
        "date": read_date,
        "time": read_time,
        "timestamp": read_timestamp,
        "interval": _interval,
    }
    if column.kind in readers and column.sql is not None:
        return readers[column.kind](column, text.strip())
    return _text(column, text, exact_text)


def refused(column: GridColumn, text: str, what: str, example: str) -> UnsupportedError:
    """A text that is no value to compare a column with."""
    return UnsupportedError(
        f"{cut(text, LONGEST)!r} is no {what}, and {column.name!r} is {column.type}.",
        hint=f"Type one like {example}.",
    )


def _number(column: GridColumn, text: str, what: str, example: str) -> Decimal:
    if text.lower() in _INFINITE:
        return Decimal("Infinity") * _INFINITE[text.lower()]
    if _NUMBER.fullmatch(text) is None:
        raise refused(column, text, what, example)
    return Decimal(text)


def _fixed(column: GridColumn, text: str) -> Value:
    """Among numbers of a fixed number of decimals, none for whole ones."""
    number = _number(column, text, "number", "42" if column.kind == "int" else "12.50")
    assert column.sql is not None
    low, high, scale = _range(column.sql)
    if low is not None and number < low:
        return Value(format(low, "f"), column.sql, "before")
    if high is not None and number > high:
        return Value(format(high, "f"), column.sql, "after")
    if number.is_infinite():
        raise refused(column, text, "number that it could hold", "42")
    # By its digits: what multiplies a Decimal rounds it to the context's precision.
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    floor = Decimal((sign, digits, exponent + scale)).to_integral_value(ROUND_FLOOR)
    sign, digits, exponent = floor.as_tuple()
    assert isinstance(exponent, int)
    held = Decimal((sign, digits, exponent - scale))
    return Value(format(held, "f"), column.sql, "at" if held == number else "after")


def _range(sql: str) -> tuple[Decimal | None, Decimal | None, int]:
    """The least and the greatest number of a type, and its decimals."""
    parts = _DECIMAL.fullmatch(sql)
    if parts is not None:
        precision, scale = int(parts[1]), int(parts[2])
        most = Decimal((0, (9,) * precision, -scale))
        return most.copy_negate(), most, scale
    bits = _BITS.get(sql.removeprefix("U"))
    if bits is None:
        return None, None, 0
    if sql.startswith("U"):
        return Decimal(0), Decimal(2**bits - 1), 0
    return Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1), 0


def _floating(column: GridColumn, text: str) -> Value:
    """Among binary floating-point numbers; each is what it is shown as, and what it exactly is, and all between the two."""
    if text.lower() == "nan":
        return Value("NaN", column.sql)
    number = _number(column, text, "number", "0.25")
    kind = _FLOATS[column.bits or 64]
    with np.errstate(over="ignore"):
        near = kind(float(number))
        around = (np.nextafter(near, kind(-np.inf)), near, np.nextafter(near, kind(np.inf)))
    below = kind(-np.inf)
    for item in around:
        least, most = sorted((Decimal(str(item)), Decimal(float(item))))
        if least <= number <= most:
            return Value(_exactly(item), column.sql)
        if most < number:
            below = item
    return Value(_exactly(below), column.sql, "after")


def _exactly(number: np.floating[Any]) -> str:
    # A 16-bit number is a 32-bit one for the engine: all of its digits are the same in both.
    return repr(float(number)) if number.itemsize == 2 else str(number)


def _truth(column: GridColumn, text: str) -> Value:
    if text.lower() not in _TRUTHS:
        raise refused(column, text, "truth value", "true")
    return Value(_TRUTHS[text.lower()], column.sql)


def _interval(column: GridColumn, text: str) -> Value:
    if not text or _INTERVAL.fullmatch(text) is None:
        raise refused(column, text, "interval of microseconds or more", "2 hours, or 1 day 02:30:00")
    return Value(text, column.sql)


def _text(column: GridColumn, text: str, exact_text: bool) -> Value:
    sql = column.sql
    if column.kind == "binary" and _BYTES.fullmatch(text):
        return Value(text[2:], "HEX")
    if sql == "UUID" and _UUID.fullmatch(text.strip()) is None:
        raise refused(column, text, "UUID", "6f1c2f4e-8a7b-4f5d-9c3e-2b1a0d9e8f7c")
    if sql == "BIT" and re.fullmatch("[01]+", text.strip()) is None:
        raise refused(column, text, "bit string", "10110")
    if sql is not None and sql.startswith("ENUM("):
        members = [member.replace("''", "'") for member in _MEMBER.findall(sql)]
        if text not in members:
            if exact_text:
                return Value(text, None, "after")
            raise UnsupportedError(
                f"{cut(text, LONGEST)!r} is none of the values of {column.name!r}, which have an order of their own.",
                hint=f"They are: {', '.join(members[:8])}{', …' if len(members) > 8 else ''}.",
            )
    return Value(text, sql)
