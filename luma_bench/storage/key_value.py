"""One key as a person gives it: Python values checked against the key's columns, and brought to their normal form."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa

from luma_bench.errors import SchemaError
from luma_bench.storage.columns import is_text, is_unicode, storage_of
from luma_bench.storage.evolve_values import scalar_of
from luma_bench.storage.key_form import KeyForm, Normal, float_codes, is_number, normal_of
from luma_bench.storage.key_hash import joined_one, mixed_one, text_hash
from luma_bench.types.schema import Column

_MASK = (1 << 64) - 1
_UNHOLDABLE = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError)


@dataclass(frozen=True, slots=True)
class OneKey:
    """A key in its normal form: what `KeyFinder.find_one` takes.

    Attributes
    ----------
    kinds, scalars
        The columns' types, without extensions and dictionaries, and the values in them: int, float, str, bytes, or else
        an Arrow scalar.
    values
        The normal values; None for one that is neither a number nor text.
    code
        The key's code.
    """

    kinds: tuple[pa.DataType, ...]
    scalars: tuple[Any, ...]
    values: tuple[int | bytes | None, ...]
    code: int

    def normal(self) -> list[Normal]:
        """The key as columns of one row."""
        return [_normal(scalar, kind) for scalar, kind in zip(self.scalars, self.kinds, strict=True)]


def parts_of(form: KeyForm, key: object) -> tuple[object, ...]:
    """The values of a key in the order of its columns: a scalar, a tuple or list, or a mapping by name.

    Raises
    ------
    SchemaError
        Values are missing, or there are too many, or a name is no key column's.
    """
    names = tuple(column.name for column in form.columns)
    if isinstance(key, Mapping):
        given: Mapping[Any, object] = key  # pyright: ignore[reportUnknownVariableType]
        folded = {str(name).casefold(): value for name, value in given.items()}
        known = {name.casefold() for name in names}
        for name in given:
            if str(name).casefold() not in known:
                raise SchemaError.unknown_column(str(name), names, f"the primary key of table {form.table!r}")
        for name in names:
            if name.casefold() not in folded:
                problem = "the key lacks it."
                raise SchemaError.column(form.table, name, problem, _shape_hint(names))
        return tuple(folded[name.casefold()] for name in names)
    values = tuple(key) if isinstance(key, tuple | list) else (key,)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if len(values) != len(names):
        raise SchemaError(
            f"Table {form.table!r}: a key has {len(names)} value{'s' * (len(names) > 1)}, not {len(values)}.",
            hint=_shape_hint(names),
        )
    return values


def _shape_hint(names: Sequence[str]) -> str:
    shown = ", ".join(f"{name!r}: …" for name in names)
    return f"The primary key is ({', '.join(names)}): give {'the value' if len(names) == 1 else 'a tuple in this order'}, or {{{shown}}}."


def one_key(form: KeyForm, key: object) -> OneKey | None:
    """A key in its normal form; None when no row can hold it.

    Raises
    ------
    SchemaError
        It has other columns than the table's key, or a value of another kind than its column.
    """
    kinds: list[pa.DataType] = []
    scalars: list[Any] = []
    values: list[int | bytes | None] = []
    hashes: list[int] = []
    for column, given in zip(form.columns, parts_of(form, key), strict=True):
        scalar = scalar_in(form.table, column, given)
        if scalar is None:
            return None
        kind = _plain(column.type)
        value = _value(kind, scalar)
        kinds.append(kind)
        scalars.append(scalar)
        values.append(value)
        if form.exact:
            continue
        if isinstance(value, int):
            hashes.append(mixed_one(value & _MASK))
        else:
            hashes.append(int(_normal(scalar, kind).hashes()[0]) if value is None else text_hash(value))
    code = values[0] if form.exact else joined_one(hashes)
    assert isinstance(code, int)
    return OneKey(tuple(kinds), tuple(scalars), tuple(values), code)


def scalar_in(table: str, column: Column, value: Any) -> Any:
    """A Python value as a key column holds it: an int, float, str, bytes or Arrow scalar; None when its type has no such value.

    Raises
    ------
    SchemaError
        It is of another kind than the column.
    """
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    kind: Any = column.type
    while pa.types.is_dictionary(kind):
        kind = kind.value_type
    wanted, fits = _accepted(kind, value)
    if value is None or not fits:
        shown = "NULL" if value is None else f"{value!r} ({type(value).__name__})"
        problem = f"{shown} is no key value of type {column.type}."
        raise SchemaError.column(table, column.name, problem, f"Give {wanted}.")
    if isinstance(kind, pa.BaseExtensionType):
        kind = storage_of(kind)
        value = value.bytes if isinstance(value, UUID) else value
    if pa.types.is_integer(kind):
        number = operator.index(value)
        limits = np.iinfo(kind.to_pandas_dtype())
        if not limits.min <= number <= limits.max:
            return None
        return number
    if is_text(kind):
        return value if isinstance(value, str) else bytes(value)
    types = pa.types
    try:
        if types.is_floating(kind):
            number = float(value)
            if types.is_float32(kind) and number == number and float(np.float32(number)) != number:
                return None
            return number
        if isinstance(value, np.bool_):
            value = bool(value)
        if types.is_temporal(kind) and not isinstance(value, np.generic):
            # Arrow cuts off what is finer than the unit.
            made = pa.scalar(value, kind)
            return made if made.as_py() == value else None
        return scalar_of(value, kind)
    except _UNHOLDABLE:
        # Of the right kind, but finer or larger than the type counts: no row can hold it.
        return None


def _accepted(kind: Any, value: Any) -> tuple[str, bool]:
    """What a column of this type takes, in words, and whether the value is such a one."""
    types = pa.types
    if kind == pa.uuid():
        return "a uuid.UUID", isinstance(value, UUID)
    kind = storage_of(kind)
    if types.is_boolean(kind):
        return "True or False", isinstance(value, bool | np.bool_)
    if types.is_integer(kind):
        return "an int", isinstance(value, int | np.integer) and not isinstance(value, bool)
    if types.is_floating(kind):
        number = isinstance(value, float | int | np.floating | np.integer)
        return "a float", number and not isinstance(value, bool)
    if types.is_decimal(kind):
        return "a decimal.Decimal or an int", isinstance(value, Decimal | int) and not isinstance(value, bool)
    if is_text(kind) and is_unicode(kind):
        return "a str", isinstance(value, str)
    if is_text(kind) or types.is_fixed_size_binary(kind):
        return "bytes", isinstance(value, bytes | bytearray | memoryview)
    if types.is_date(kind):
        return "a datetime.date", isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if types.is_timestamp(kind):
        if kind.tz is None:
            naive = isinstance(value, dt.datetime) and value.tzinfo is None
            return "a datetime.datetime without a time zone", naive or isinstance(value, np.datetime64)
        return "a datetime.datetime with a time zone", isinstance(
            value, dt.datetime
        ) and value.tzinfo is not None
    if types.is_time(kind):
        return "a datetime.time", isinstance(value, dt.time)
    if types.is_duration(kind):
        return "a datetime.timedelta", isinstance(value, dt.timedelta | np.timedelta64)
    if types.is_interval(kind):
        return "a pyarrow.MonthDayNano", isinstance(value, pa.MonthDayNano)
    return f"a value of {kind}", True


def _plain(kind: Any) -> Any:
    """The type under dictionaries and extensions."""
    while pa.types.is_dictionary(kind):
        kind = kind.value_type
    return storage_of(kind)


def _value(kind: Any, scalar: Any) -> int | bytes | None:
    """The normal value of a scalar, where it is one number or text."""
    if isinstance(scalar, str):
        return scalar.encode()
    if isinstance(scalar, bytes):
        return scalar
    if isinstance(scalar, float):
        return int(float_codes(np.array([scalar]))[0])
    if isinstance(scalar, int):
        return scalar - 2**63 if pa.types.is_uint64(kind) else scalar
    if not is_number(kind):
        return None
    if pa.types.is_temporal(kind):
        return int(scalar.value)
    numbers = _normal(scalar, kind).numbers
    assert numbers is not None
    return int(numbers[0])


def _normal(scalar: Any, kind: pa.DataType) -> Normal:
    array = pa.repeat(scalar, 1) if isinstance(scalar, pa.Scalar) else pa.array([scalar], kind)
    made = normal_of(array)
    assert made is not None
    return made
