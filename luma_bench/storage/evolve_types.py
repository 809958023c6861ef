"""Which types a column may be widened to: every value of the old type is, exactly, a value of the new one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.storage.columns import is_text, is_unicode

_UNITS = ("s", "ms", "us", "ns")


def widens(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether every value of `old` is a value of `new`, but for times so far off that a finer unit cannot count them.

    Whole numbers widen to whole numbers, floats and decimals that hold all of them; floats and decimals to longer ones;
    dates, times, timestamps (of one zone) and durations to finer units; a date to a timestamp; text and bytes to every
    layout of the same; fixed-size bytes to bytes; a dictionary to more codes, to its values, and to what these widen to;
    a column of NULLs to anything.
    """
    types = pa.types
    if old == new or isinstance(old, pa.BaseExtensionType) or isinstance(new, pa.BaseExtensionType):
        return False
    if types.is_null(old):
        return True
    if types.is_dictionary(old):
        if types.is_dictionary(new):
            same = old.value_type == new.value_type and old.ordered == new.ordered
            return same and _integer_fits(old.index_type, new.index_type)
        return old.value_type == new or widens(old.value_type, new)
    if types.is_integer(old):
        return _number_fits(old, new)
    if types.is_float32(old):
        return types.is_float64(new)
    if types.is_decimal(old):
        return types.is_decimal(new) and new.scale >= old.scale and _whole(new) >= _whole(old)
    if is_text(old):
        return is_text(new) and is_unicode(old) == is_unicode(new)
    if types.is_fixed_size_binary(old):
        return is_text(new) and not is_unicode(new)
    return _moment_fits(old, new)


def may_overflow(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether some values of `old` lie beyond what the finer unit of `new` counts in 64 bits."""
    types = pa.types
    if types.is_dictionary(old):
        return may_overflow(old.value_type, new)
    if types.is_date32(old):
        return types.is_timestamp(new) and new.unit in ("us", "ns")
    return (types.is_timestamp(old) or types.is_duration(old)) and old != new


def choices_for(old: pa.DataType) -> str:
    """The sentence that says what a column of this type can become."""
    types = pa.types
    if types.is_integer(old):
        return "Whole numbers widen to longer ones, and to double or decimals that hold all of them."
    if types.is_floating(old):
        return "float widens to double; add a column for anything else."
    if types.is_decimal(old):
        return "A decimal widens to one with as many digits or more on both sides of the point."
    if types.is_temporal(old):
        return "Dates and times widen to finer units of the same kind and zone, dates to timestamps."
    if is_text(old) or types.is_fixed_size_binary(old) or types.is_dictionary(old):
        return "Text and bytes change layout only; a dictionary widens to more codes or to its values."
    return "Columns of this type are not widened; add a column of the new type and fill it."


def _integer_fits(old: pa.DataType, new: pa.DataType) -> bool:
    before, after = np.iinfo(old.to_pandas_dtype()), np.iinfo(new.to_pandas_dtype())
    return after.min <= before.min and before.max <= after.max


def _number_fits(old: pa.DataType, new: pa.DataType) -> bool:
    types = pa.types
    largest = int(np.iinfo(old.to_pandas_dtype()).max)
    if types.is_integer(new):
        return _integer_fits(old, new)
    if types.is_float64(new) or types.is_float32(new):
        return largest < 2 ** (53 if types.is_float64(new) else 24)
    return types.is_decimal(new) and new.scale >= 0 and _whole(new) >= len(str(largest))


def _moment_fits(old: pa.DataType, new: pa.DataType) -> bool:
    types = pa.types
    if types.is_date32(old):
        return types.is_date64(new) or (types.is_timestamp(new) and new.tz is None)
    alike = (
        (types.is_timestamp(old) and types.is_timestamp(new) and old.tz == new.tz)
        or (types.is_time(old) and types.is_time(new))
        or (types.is_duration(old) and types.is_duration(new))
    )
    return alike and _UNITS.index(old.unit) <= _UNITS.index(new.unit)


def _whole(kind: pa.DataType) -> int:
    """Digits before the decimal point."""
    return kind.precision - kind.scale
