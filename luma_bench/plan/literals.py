"""Constants and names as SQL text: exact, typed, and closed against whatever a string holds."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np

from luma_bench.errors import UnsupportedError
from luma_bench.types.sql_text import quoted, string_literal

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

# DuckDB's own key words but the unreserved ones, then the contextual words of KadeQL and of dialects close to it.
_WORD_LIST = """
    all analyse analyze and anti any array as asc asof asymmetric at authorization between bigint binary bit boolean both
    by case cast char character check coalesce collate collation column columns concurrently constraint create cross dec
    decimal default deferrable desc describe distinct do else end except exists extract false fetch float for foreign
    freeze from full generated glob grant group grouping grouping_id having ilike in initially inner inout int integer
    intersect interval into is isnull join lambda lateral leading left like limit map match_recognize national natural
    nchar none not notnull null nullif numeric offset on only or order out outer over overlaps overlay pivot
    pivot_longer pivot_wider placing position positional precision primary qualify real references replace returning
    right row select semi set setof show similar smallint some struct substring summarize symmetric table tablesample
    then time timestamp to trailing treat trim true try_cast tuple union unique unnest unpack unpivot using values
    varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    align exact fill graph_table highlight hop hybrid cumulate latest match optional partition rows range sample score
    search session tolerance tumble
    current_date current_time current_timestamp localtime localtimestamp user current_user session_user
    rowid within exclude nulls update delete insert merge call begin commit rollback drop alter force install revoke uncache
    current_catalog xor partitioned_by regexp rlike
"""
_WORDS = frozenset(_WORD_LIST.split())


def identifier(name: str) -> str:
    """A column or table name, quoted only where it has to be.

    Raises
    ------
    UnsupportedError
        The name holds a NUL character, which SQL text cannot.
    """
    if "\0" in name:
        raise UnsupportedError(f"The name {name!r} holds a NUL character.", hint="Rename the column.")
    if _PLAIN.match(name) and name.lower() not in _WORDS:
        return name
    return quoted(name)


def constant(value: object) -> str:
    """A Python value as a constant of exactly its type.

    Numbers, text, bytes, dates and times, `Decimal`, `UUID`, lists, tuples and mappings of them, NumPy and Arrow
    scalars, and pandas' missing values. A float is always DOUBLE and never decimal; an aware datetime becomes the
    same instant in UTC.

    Raises
    ------
    UnsupportedError
        The value has no exact SQL constant.
    """
    value = _plain(value)
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return _integer(value)
        case float():
            return _double(value)
        case str():
            return text(value)
        case decimal.Decimal():
            return _decimal(value)
        case bytes() | bytearray() | memoryview():
            return "'" + "".join(f"\\x{byte:02X}" for byte in bytes(value)) + "'::BLOB"
        case dt.datetime():
            return _timestamp(value)
        case dt.date():
            return f"DATE '{value.isoformat()}'"
        case dt.time():
            return _time(value)
        case dt.timedelta():
            return f"to_microseconds({value // dt.timedelta(microseconds=1)})"
        case uuid.UUID():
            return f"'{value}'::UUID"
        case list() | tuple():
            return f"[{', '.join(constant(item) for item in value)}]"
        case Mapping():
            return "{" + ", ".join(f"{text(str(key))}: {constant(item)}" for key, item in value.items()) + "}"
        case _:
            raise UnsupportedError(
                f"A {type(value).__name__} cannot stand in an expression as a constant.",
                hint="Use a number, text, bytes, a date or time, Decimal, UUID, a list of them, or None.",
            )


def text(value: str) -> str:
    """A string constant. Quotes are doubled; a NUL character, which SQL text cannot hold, is added by `chr(0)`.

    Raises
    ------
    UnsupportedError
        The string holds half of a surrogate pair, so it is not Unicode text.
    """
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise UnsupportedError(
            f"{value!r} is not Unicode text.", hint="Repair the string: it holds a lone surrogate."
        )
    parts = [string_literal(part) for part in value.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def _plain(value: Any) -> object:
    """The standard Python value behind NumPy, Arrow and pandas scalars; nanoseconds stay in `numpy.datetime64`."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else _from_datetime64(value)
    if isinstance(value, np.timedelta64):
        return None if np.isnat(value) else _from_timedelta64(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    kind = type(value)
    home = kind.__module__.partition(".")[0]
    if home == "pandas" and kind.__name__ in ("NAType", "NaTType"):
        return None
    if home == "pandas" and kind.__name__ == "Timedelta":
        return _from_timedelta64(value.to_timedelta64())
    if home == "pyarrow" and hasattr(value, "as_py"):
        return value.as_py()
    return value


def _from_datetime64(value: np.datetime64) -> object:
    fine = value.astype("datetime64[us]")
    if fine == value:
        return fine.astype(dt.datetime)
    return _Nanoseconds(str(value.astype("datetime64[ns]")))


def _from_timedelta64(value: np.timedelta64) -> dt.timedelta:
    if value.astype("timedelta64[us]") != value:
        raise UnsupportedError(f"{value!r} is finer than a microsecond.", hint="Round it to microseconds.")
    return dt.timedelta(microseconds=int(value.astype("timedelta64[us]").astype(np.int64)))


class _Nanoseconds(dt.datetime):
    """A naive moment with nanoseconds; `iso` is its exact text."""

    iso: str

    def __new__(cls, iso: str) -> _Nanoseconds:
        moment = dt.datetime.fromisoformat(iso[:26])
        self = super().__new__(
            cls,
            moment.year,
            moment.month,
            moment.day,
            moment.hour,
            moment.minute,
            moment.second,
            moment.microsecond,
        )
        self.iso = iso
        return self


def _integer(value: int) -> str:
    if not -(1 << 127) <= value < 1 << 127:
        raise UnsupportedError(f"{value} does not fit 128 bits.", hint="Use a float, or text.")
    return str(value)


def _double(value: float) -> str:
    if math.isnan(value):
        return "'nan'::DOUBLE"
    if math.isinf(value):
        return "'inf'::DOUBLE" if value > 0 else "'-inf'::DOUBLE"
    shown = repr(value)
    # Without an exponent the text would be a DECIMAL, with other arithmetic and another rounding.
    return shown if "e" in shown else f"{shown}e0"


def _decimal(value: decimal.Decimal) -> str:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise UnsupportedError(
            f"{value} is not a number that DECIMAL holds.", hint="Use float('nan') or float('inf')."
        )
    scale = max(0, -exponent)
    width = max(len(digits) + max(0, exponent), scale, 1)
    if width > 38:
        raise UnsupportedError(
            f"{value} needs {width} digits; DECIMAL holds 38.", hint="Round it, or use a float."
        )
    return f"'{value:f}'::DECIMAL({width},{scale})"


def _timestamp(value: dt.datetime) -> str:
    if value.tzinfo is not None:
        if getattr(value, "nanosecond", 0):
            raise UnsupportedError(
                f"{value!r} has nanoseconds and a zone; SQL has no such type.",
                hint="Round it to microseconds.",
            )
        moment = value.astimezone(dt.UTC).replace(tzinfo=None)
        return f"TIMESTAMPTZ '{moment.isoformat(' ', 'microseconds')}+00:00'"
    exact = getattr(value, "iso", None)
    if exact is None and getattr(value, "nanosecond", 0):
        exact = value.isoformat(timespec="nanoseconds")
    if exact is not None:
        return f"TIMESTAMP_NS '{exact.replace('T', ' ')}'"
    return f"TIMESTAMP '{value.isoformat(' ')}'"


def _time(value: dt.time) -> str:
    if value.tzinfo is not None:
        raise UnsupportedError(f"{value!r} has a zone.", hint="Use a time without one.")
    return f"TIME '{value.isoformat()}'"
