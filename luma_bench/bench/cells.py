"""One value as a reader sees it: plain text, its untruncated form when it was shortened, and how it aligns.

Values come from Arrow scalars, so every type that can be stored can be shown: nanoseconds, years beyond 9999, bytes
that are not UTF-8. Control and bidirectional formatting characters are written as escapes, since data must not be able to
move a terminal's cursor or reorder the text around it.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.types.sql_text import string_literal

LONG_TEXT = 80
"""Characters of a cell before it is cut."""
LONG_TITLE = 1000
"""Characters of the untruncated form that a cell carries."""
_BOOL8 = "arrow.bool8"
_ITEMS = 5
_BYTES = 16
_DECIMALS = 6
_INT64_MAX = 2**63 - 1
_INT32_MAX = 2**31 - 1
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

# Controls, line and paragraph separators, and the characters that reorder text (Unicode's UAX 9).
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, ready to print: `full` is its longer form when `text` was shortened, else None."""

    text: str
    full: str | None = None
    null: bool = False


NULL = Cell("NULL", null=True)


def right_aligned(kind: pa.DataType) -> bool:
    """Whether values of a type line up on the right: numbers and durations."""
    kind = plain_type(kind)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(numeric or pa.types.is_duration(kind))


def type_text(kind: pa.DataType) -> str:
    """An Arrow type in a few words; long nested ones are cut."""
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name != _BOOL8:
        return kind.extension_name.removeprefix("arrow.")
    kind = plain_type(kind)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return f"timestamp[{kind.unit}{', ' + kind.tz if kind.tz else ''}]"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list[{type_text(kind.value_type)}]"
    if pa.types.is_fixed_size_list(kind):
        return f"{type_text(kind.value_type)}[{kind.list_size}]"
    if pa.types.is_struct(kind):
        return cut(f"struct{{{', '.join(kind.field(index).name for index in range(kind.num_fields))}}}", 40)
    if pa.types.is_map(kind):
        return f"map[{type_text(kind.key_type)}, {type_text(kind.item_type)}]"
    return {"float": "float32", "double": "float64", "halffloat": "float16", "date32[day]": "date"}.get(
        str(kind), cut(str(kind), 40)
    )


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type under dictionaries, run ends and extensions."""
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = pa.bool_() if kind.extension_name == _BOOL8 else kind.storage_type
        elif pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
            kind = kind.value_type
        else:
            return kind


def column_cells(column: pa.ChunkedArray, long_text: int | None = LONG_TEXT) -> list[Cell]:
    """The values of a column as cells; floating-point values of one column share their number of decimals.

    Parameters
    ----------
    column
        The values to show; take a slice first.
    long_text
        Characters before a value is cut; None never cuts and shows nested values and bytes whole.
    """
    kind = plain_type(column.type)
    whole = long_text is None
    scalars = [plain_scalar(item) for item in column]
    if pa.types.is_floating(kind):
        return _float_cells(scalars, kind, whole)
    return [NULL if item is None else _cell(item, long_text) for item in scalars]


def plain_scalar(scalar: Any) -> Any:
    """The scalar under dictionaries, run ends and extensions, and None for NULL."""
    while scalar is not None:
        if not scalar.is_valid:
            return None
        if isinstance(scalar, pa.ExtensionScalar | pa.DictionaryScalar | pa.RunEndEncodedScalar):
            name = scalar.type.extension_name if isinstance(scalar, pa.ExtensionScalar) else ""
            # A UUID reads as one, though it is stored as 16 bytes; so does a truth value of one byte.
            if name == "arrow.uuid":
                return pa.scalar(str(scalar.as_py()))
            scalar = pa.scalar(bool(scalar.value.as_py())) if name == _BOOL8 else scalar.value
        else:
            return scalar
    return None


def value_text(scalar: Any, *, whole: bool = True, quoted: bool = False) -> str:
    """One value as text; inside nested values strings are quoted and long lists cut unless `whole`."""
    item = plain_scalar(scalar)
    if item is None:
        return "NULL"
    kind = item.type
    for test, render in _RENDERERS:
        if test(kind):
            return render(item, whole, quoted)
    return visible(str(item.as_py()))


def cut(text: str, length: int) -> str:
    """The text, or its beginning and an ellipsis when it is longer than `length` characters."""
    return text if len(text) <= length else text[: max(1, length - 1)] + "…"


def _cell(item: Any, long_text: int | None) -> Cell:
    if long_text is None:
        return Cell(value_text(item))
    short = value_text(item, whole=False)
    kind = item.type
    # Half a number or half a time would be a wrong one: only what reads on is cut.
    text = cut(short, long_text) if _is_string(kind) or pa.types.is_nested(kind) or _is_bytes(kind) else short
    shortened = text != short or ("…" in short and (pa.types.is_nested(kind) or _is_bytes(kind)))
    return Cell(text, cut(value_text(item), LONG_TITLE) if shortened else None)


def _float_cells(scalars: Sequence[Any], kind: pa.DataType, whole: bool) -> list[Cell]:
    exact = [None if item is None else _float_exact(item.as_py(), kind) for item in scalars]
    if whole:
        return [NULL if text is None else Cell(text) for text in exact]
    # Points line up when every value that has a plain form shows the same number of decimals.
    plain = [text for text in exact if text is not None and re.fullmatch(r"-?\d+\.\d+", text)]
    decimals = min(_DECIMALS, max((len(text.partition(".")[2]) for text in plain), default=1))
    return [NULL if text is None else _float_cell(text, decimals) for text in exact]


def _float_cell(exact: str, decimals: int) -> Cell:
    if re.fullmatch(r"-?\d+\.\d+", exact):
        text = f"{float(exact):.{decimals}f}"
        # Few decimals would show a small value as zero.
        if float(text) == 0 != float(exact):
            text = f"{float(exact):.6g}"
    elif "e" in exact:
        text = f"{float(exact):.6g}"
    else:
        return Cell(exact)
    return Cell(text, exact if float(text) != float(exact) else None)


def _float_exact(value: float, kind: pa.DataType) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if pa.types.is_float32(kind):
        return _with_point(str(np.float32(value)))
    if pa.types.is_float16(kind):
        return _with_point(str(np.float16(value)))
    return repr(float(value))


def _with_point(text: str) -> str:
    return text if "." in text or "e" in text else f"{text}.0"


def visible(text: str) -> str:
    """The text with control and bidirectional formatting characters written as escapes."""
    return (
        _UNSAFE.sub(lambda found: _NAMED.get(found[0], f"\\u{ord(found[0]):04x}"), text)
        if not text.isalnum()
        else text
    )


def _string(item: Any, whole: bool, quoted: bool) -> str:
    buffer = item.as_buffer()
    if not whole and buffer.size > 4 * LONG_TITLE:
        buffer = buffer.slice(0, 4 * LONG_TITLE)
    text = visible(buffer.to_pybytes().decode("utf-8", "replace"))
    return string_literal(text) if quoted else text


def _binary(item: Any, whole: bool, quoted: bool) -> str:
    buffer = item.as_buffer()
    if whole or buffer.size <= _BYTES:
        return "0x" + buffer.to_pybytes().hex().upper()
    return f"0x{buffer.slice(0, _BYTES).to_pybytes().hex().upper()}… ({buffer.size} bytes)"


def _list(item: Any, whole: bool, quoted: bool) -> str:
    values = item.values
    shown = values if whole else values[:_ITEMS]
    parts = [value_text(value, whole=whole, quoted=True) for value in shown]
    more = len(values) - len(parts)
    return f"[{', '.join(parts)}{f', … {more} more' if more else ''}]"


def _map(item: Any, whole: bool, quoted: bool) -> str:
    entries = item.values
    shown = entries if whole else entries[:_ITEMS]
    keys, values = (shown.field(index) for index in (0, 1))
    parts = [
        f"{value_text(key, whole=whole, quoted=True)}: {value_text(value, whole=whole, quoted=True)}"
        for key, value in zip(keys, values, strict=True)
    ]
    more = len(entries) - len(parts)
    return f"{{{', '.join(parts)}{f', … {more} more' if more else ''}}}"


def _struct(item: Any, whole: bool, quoted: bool) -> str:
    names = [visible(item.type.field(index).name) for index in range(item.type.num_fields)]
    shown = names if whole else names[: 2 * _ITEMS]
    parts = [
        f"{name}: {value_text(item[index], whole=whole, quoted=True)}" for index, name in enumerate(shown)
    ]
    more = len(names) - len(parts)
    return f"{{{', '.join(parts)}{f', … {more} more' if more else ''}}}"


def _timestamp(item: Any, whole: bool, quoted: bool) -> str:
    return timestamp_text(item.value, item.type.unit, item.type.tz)


def timestamp_text(value: int, unit: str, tz: str | None = None, between: str = " ") -> str:
    """`2013-01-01 05:00:00-05:00`: ticks of `unit` since the epoch, in their zone; DuckDB's infinities by name."""
    if abs(value) == _INT64_MAX:
        return "infinity" if value > 0 else "-infinity"
    ticks = _TICKS[unit]
    seconds, rest = divmod(value, ticks)
    offset = ""
    if tz is not None:
        shift = _offset(seconds, tz)
        seconds += shift
        sign, size = ("-", -shift) if shift < 0 else ("+", shift)
        offset = f"{sign}{size // 3600:02}:{size % 3600 // 60:02}" + (f":{size % 60:02}" if size % 60 else "")
    whole = str(np.datetime64(seconds, "s")).replace("T", between)
    return f"{whole}{_fraction(rest, ticks)}{offset}"


def _offset(seconds: int, tz: str) -> int:
    fixed = re.fullmatch(r"([+-])(\d\d):?(\d\d)", tz)
    if fixed:
        return (1 if fixed[1] == "+" else -1) * (int(fixed[2]) * 3600 + int(fixed[3]) * 60)
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
        shift = moment.astimezone(zoneinfo.ZoneInfo(tz)).utcoffset()
    except (OverflowError, zoneinfo.ZoneInfoNotFoundError, ValueError):
        # Outside of Python's years, or a zone this machine does not know: UTC is right and says so.
        return 0
    return int(shift.total_seconds()) if shift is not None else 0


def _fraction(rest: int, ticks: int) -> str:
    return "." + str(rest).zfill(len(str(ticks)) - 1).rstrip("0") if rest else ""


def _clock(ticks_of_day: int, ticks: int) -> str:
    seconds, rest = divmod(ticks_of_day, ticks)
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}{_fraction(rest, ticks)}"


def _date(item: Any, whole: bool, quoted: bool) -> str:
    days = item.value if pa.types.is_date32(item.type) else item.value // 86_400_000
    if abs(days) == _INT32_MAX and pa.types.is_date32(item.type):
        return "infinity" if days > 0 else "-infinity"
    return str(np.datetime64(days, "D"))


def _time(item: Any, whole: bool, quoted: bool) -> str:
    return _clock(item.value, _TICKS[item.type.unit])


def _duration(item: Any, whole: bool, quoted: bool) -> str:
    return _signed_span(item.value, _TICKS[item.type.unit])


def _signed_span(value: int, ticks: int) -> str:
    days, rest = divmod(abs(value), 86_400 * ticks)
    words = f"{days} day{'' if days == 1 else 's'} " if days else ""
    return f"{'-' if value < 0 else ''}{words}{_clock(rest, ticks)}"


def _interval(item: Any, whole: bool, quoted: bool) -> str:
    months, days, nanos = item.as_py()
    years, months = (int(months / 12), months - 12 * int(months / 12))
    counts = ((years, "year"), (months, "month"), (days, "day"))
    parts = [f"{count} {word}{'' if abs(count) == 1 else 's'}" for count, word in counts if count]
    if nanos or not parts:
        parts.append(_signed_span(nanos, _TICKS["ns"]))
    return " ".join(parts)


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
    )  # fmt: skip


_RENDERERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[Any, bool, bool], str]], ...] = (
    (pa.types.is_integer, lambda item, _whole, _quoted: str(item.as_py())),
    (pa.types.is_boolean, lambda item, _whole, _quoted: "true" if item.as_py() else "false"),
    (_is_string, _string),
    (pa.types.is_floating, lambda item, _whole, _quoted: _float_exact(item.as_py(), item.type)),
    (pa.types.is_decimal, lambda item, _whole, _quoted: format(item.as_py(), "f")),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_date, _date),
    (pa.types.is_time, _time),
    (pa.types.is_duration, _duration),
    (pa.types.is_interval, _interval),
    (_is_bytes, _binary),
    (pa.types.is_map, _map),
    (_is_list, _list),
    (pa.types.is_struct, _struct),
)
