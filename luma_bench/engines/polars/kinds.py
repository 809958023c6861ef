"""SQL types as Polars holds them, and the ranges of whole numbers that prove that nothing overflows.

Decimals are whole numbers of their last digit (Int64, or Int128): Polars' own decimals round where DuckDB's do not. Text of
a dictionary is an Enum whose categories are in byte order, so that it compares and sorts as the text does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_INTEGERS: dict[str, tuple[pl.DataType, int, int]] = {
    "TINYINT": (pl.Int8(), -(1 << 7), (1 << 7) - 1),
    "SMALLINT": (pl.Int16(), -(1 << 15), (1 << 15) - 1),
    "INTEGER": (pl.Int32(), -(1 << 31), (1 << 31) - 1),
    "BIGINT": (pl.Int64(), -(1 << 63), (1 << 63) - 1),
    "UTINYINT": (pl.UInt8(), 0, (1 << 8) - 1),
    "USMALLINT": (pl.UInt16(), 0, (1 << 16) - 1),
    "UINTEGER": (pl.UInt32(), 0, (1 << 32) - 1),
    "UBIGINT": (pl.UInt64(), 0, (1 << 64) - 1),
    # More digits than these cannot be delivered.
    "HUGEINT": (pl.Int128(), -(10**38) + 1, 10**38 - 1),
}
_OTHERS: dict[str, tuple[str, pl.DataType]] = {
    "BOOLEAN": ("boolean", pl.Boolean()),
    "FLOAT": ("float", pl.Float32()),
    "DOUBLE": ("float", pl.Float64()),
    "VARCHAR": ("text", pl.String()),
    "BLOB": ("blob", pl.Binary()),
    "DATE": ("date", pl.Date()),
    "TIMESTAMP": ("timestamp", pl.Datetime("us")),
    "TIMESTAMP WITH TIME ZONE": ("zoned", pl.Datetime("us", "UTC")),
    '"NULL"': ("null", pl.Null()),
}
INT64 = pl.Int64()
INT128 = pl.Int128()
FLOAT64 = pl.Float64()
STRING = pl.String()
_LEAST, _GREATEST = -(1 << 63), (1 << 63) - 1


class Refused(Exception):
    """What is asked is not proven to come out as DuckDB has it; the message is the reason, for users to read."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A SQL type that is known here.

    Attributes
    ----------
    text
        As DuckDB writes it.
    family
        `integer`, `decimal`, `float`, `boolean`, `text`, `blob`, `date`, `timestamp`, `zoned`, `struct` or `null`.
    dtype
        How Polars holds it where nothing else is said.
    low, high
        The whole numbers that it can hold; of dates and timestamps those that calendars of both engines agree about.
    """

    text: str
    family: str
    dtype: pl.DataType
    low: int = 0
    high: int = 0
    width: int = 0
    scale: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether it is held as a whole number."""
        return self.family in ("integer", "decimal")

    @property
    def is_number(self) -> bool:
        """Whether it is one."""
        return self.family in ("integer", "decimal", "float")

    @property
    def range(self) -> Range:
        """Everything that it can hold."""
        return Range(self.low, self.high)


def kind_of(text: str) -> Kind:
    """The type that DuckDB calls this.

    Raises
    ------
    Refused
        It is none that is known here.
    """
    if text in _INTEGERS:
        dtype, low, high = _INTEGERS[text]
        return Kind(text, "integer", dtype, low, high)
    if text in _OTHERS:
        family, dtype = _OTHERS[text]
        low, high = {"date": (-(1 << 31), (1 << 31) - 1), "boolean": (0, 1)}.get(family, (_LEAST, _GREATEST))
        return Kind(text, family, dtype, low, high)
    if (found := _DECIMAL.fullmatch(text)) is not None:
        width, scale = int(found[1]), int(found[2])
        most = 10**width - 1
        return Kind(text, "decimal", INT64 if width <= 18 else INT128, -most, most, width, scale)
    if text.startswith("STRUCT("):
        # Only what is packed and unpacked by the plan itself: its fields are known by where it was packed.
        return Kind(text, "struct", pl.Null())
    raise Refused(f"the type {text}")


@dataclass(slots=True)
class Range:
    """The least and greatest whole number that a column can hold; where that is too much, the data are looked at.

    Attributes
    ----------
    low, high
        What the types alone say.
    measure
        What the data say, asked at most once; None where they cannot be asked.
    """

    low: int
    high: int
    measure: Callable[[], tuple[int, int]] | None = None
    _measured: tuple[int, int] | None = None

    def fits(self, low: int, high: int) -> bool:
        """Whether every value is within these bounds."""
        if self.low >= low and self.high <= high:
            return True
        if self.measure is None:
            return False
        least, greatest = self.measured()
        return least >= low and greatest <= high

    def measured(self) -> tuple[int, int]:
        """What the data say, else what the types say."""
        if self._measured is None:
            if self.measure is None:
                self._measured = (self.low, self.high)
            else:
                least, greatest = self.measure()
                self._measured = (max(least, self.low), min(greatest, self.high))
        return self._measured

    def dtype(self) -> pl.DataType:
        """The narrowest of Int64 and Int128 that holds it.

        Raises
        ------
        Refused
            Neither does.
        """
        if self.fits(_LEAST, _GREATEST):
            return INT64
        if self.fits(-(10**38) + 1, 10**38 - 1):
            return INT128
        raise Refused("an overflow that cannot be excluded")


def combined(rule: Callable[..., tuple[int, int]], *ranges: Range, measures: bool = True) -> Range:
    """What a rule over pairs of bounds makes of ranges."""
    low, high = rule(*((part.low, part.high) for part in ranges))
    if not measures or all(part.measure is None for part in ranges):
        return Range(low, high)
    return Range(low, high, lambda: rule(*(part.measured() for part in ranges)))


def added(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Bounds of a sum."""
    return a[0] + b[0], a[1] + b[1]


def subtracted(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Bounds of a difference."""
    return a[0] - b[1], a[1] - b[0]


def multiplied(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Bounds of a product."""
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


def united(*parts: tuple[int, int]) -> tuple[int, int]:
    """Bounds of whichever."""
    return min(low for low, _ in parts), max(high for _, high in parts)
