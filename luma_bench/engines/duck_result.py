"""Results in the Arrow types that the bench promises: nothing lost, nothing that only DuckDB can read.

DuckDB's lossless mode gives HUGEINT, UUID, JSON, BIT and a few more as extension types. They become

- HUGEINT, UHUGEINT (`sum` of integers): decimal128(38, 0); a value of more than 38 digits is an error
- UUID, JSON, VARIANT (as JSON), BIT, BIGNUM, TIME WITH TIME ZONE: string, the text that a cast to VARCHAR gives
- ENUM: string
- BOOLEAN: bool

at any depth of lists, structs and maps; the field's metadata keeps the SQL type's name. A type is decided by the statement alone, never by its data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import _duckdb
import duckdb
import numpy as np
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from luma_bench.engines.duck_boolean import has_bool8, plain_column, plain_type
from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.types.schema import SQL_TYPE
from luma_bench.types.sql_text import quoted

DECIMAL = "DECIMAL(38,0)"
ZONED = "timestamp with time zone"
"""The engine's name of the one type that has a zone."""
_WIDE = pa.decimal128(38, 0)
_LIMIT_HIGH, _LIMIT_LOW = divmod(10**38, 1 << 64)

_CANONICAL = {
    "hugeint": DECIMAL,
    "uhugeint": DECIMAL,
    "uuid": "VARCHAR",
    "bit": "VARCHAR",
    "bignum": "VARCHAR",
    "time with time zone": "VARCHAR",
    "enum": "VARCHAR",
    "variant": "VARCHAR",
}


_UNDELIVERED = re.compile(r"\bAGGREGATE_STATE\b|^TYPE$")
"""Types whose values nothing outside of DuckDB can hold; reading a state as Arrow ends the process."""
_SHOWN_OTHERWISE = re.compile(r"\b(?:GEOMETRY|TUPLE)\b")
"""Types that are delivered as they are, in an Arrow type that does not say them."""


def canonical_type(kind: DuckDBPyType, variant: str = "VARCHAR") -> str:
    """The SQL text of the type that a column of this type is delivered as; its own text when it stays."""
    name = str(kind)
    if kind.id == "variant":
        return variant
    if kind.id in _CANONICAL:
        return _CANONICAL[kind.id]
    if name == "JSON":
        return "VARCHAR"
    if kind.id not in ("list", "array", "map", "struct", "tuple"):
        return name
    inner = [(label, canonical_type(child, variant)) for label, child in _children(kind)]
    if all(text == str(child) for (_, text), (_, child) in zip(inner, _children(kind), strict=True)):
        return name
    match kind.id:
        case "list":
            return f"{inner[0][1]}[]"
        case "array":
            return f"{inner[0][1]}[{dict(kind.children)['size']}]"
        case "map":
            return f"MAP({inner[0][1]}, {inner[1][1]})"
        case _:
            # A row without names reads back from Arrow as a struct of element1, element2, …
            fields = [f"{quoted(label or f'element{i}')} {text}" for i, (label, text) in enumerate(inner, 1)]
            return f"STRUCT({', '.join(fields)})"


def _children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(label, child) for label, child in kind.children if isinstance(child, DuckDBPyType)]


@dataclass(frozen=True, slots=True)
class ResultShape:
    """The delivered schema of one statement, and the columns that DuckDB's own output must be converted to it.

    `casts` maps a column's index to the SQL types it is cast to, one after the other; of `kinds` the schema tells the
    SQL type, in the metadata of their fields.
    """

    schema: pa.Schema
    wide: tuple[int, ...] = ()
    casts: tuple[tuple[int, tuple[str, ...]], ...] = ()
    zones: tuple[int, ...] = ()
    booleans: tuple[int, ...] = ()
    kinds: tuple[int, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether DuckDB's output is delivered as it is."""
        return not (self.wide or self.casts or self.zones or self.booleans or self.kinds)

    def convert(self, data: pa.Table, connection: Callable[[], Any]) -> pa.Table:
        """DuckDB's output as the delivered schema; `connection` gives a DuckDB connection for the rare casts.

        Raises
        ------
        KadeQLUnsupportedError
            A whole number does not fit decimal128(38, 0).
        """
        if self.is_plain:
            return data
        columns = list(data.columns)
        for index in self.wide:
            columns[index] = _decimals(columns[index], data.schema.names[index])
        for index, kinds in self.casts:
            columns[index] = _cast(columns[index], data.schema.field(index), kinds, connection())
        for index in self.zones:
            columns[index] = columns[index].cast(self.schema.field(index).type)
        for index in self.booleans:
            columns[index] = plain_column(columns[index])
        return pa.Table.from_arrays(columns, schema=self.schema)


def result_shape(
    con: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    types: Sequence[DuckDBPyType],
    zones: dict[str, str],
) -> ResultShape:
    """The shape of a result with these columns; `zones` are the labels that its columns take over, by name."""
    wide: list[int] = []
    casts: list[tuple[int, tuple[str, ...]]] = []
    labels: list[int] = []
    kinds: list[int] = []
    final: list[str | DuckDBPyType] = []
    for index, kind in enumerate(types):
        if (inside := _UNDELIVERED.search(str(kind))) is not None:
            raise KadeQLUnsupportedError(
                f"A result of type {inside[0]} is refused: no reader of Arrow has it.",
                hint="Ask for what is in it: the aggregate itself instead of its state, typeof(x) instead of a type.",
            )
        text = canonical_type(kind)
        if text == str(kind):
            final.append(kind)
            if kind.id == ZONED and names[index] in zones:
                labels.append(index)
            if _SHOWN_OTHERWISE.search(text):
                kinds.append(index)
            continue
        final.append(text)
        kinds.append(index)
        if kind.id == "hugeint":
            wide.append(index)
        else:
            staged = canonical_type(kind, "JSON")
            casts.append((index, (text,) if staged == text else (staged, text)))
    schema: pa.Schema = _duckdb._arrow_schema(list(names), final, connection=con)
    for index in labels:
        schema = schema.set(index, schema.field(index).with_type(pa.timestamp("us", zones[names[index]])))
    booleans = tuple(index for index, kind in enumerate(schema.types) if has_bool8(kind))
    for index in booleans:
        schema = schema.set(index, schema.field(index).with_type(plain_type(schema.field(index).type)))
    for index in kinds:
        field = schema.field(index)
        schema = schema.set(
            index, field.with_metadata({**(field.metadata or {}), SQL_TYPE: str(types[index])})
        )
    return ResultShape(schema, tuple(wide), tuple(casts), tuple(labels), booleans, tuple(kinds))


def _decimals(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """HUGEINT as decimal128: the same 16 little-endian bytes, once every value has at most 38 digits."""
    chunks: list[pa.Array] = []
    for chunk in column.chunks:
        storage = chunk.storage
        validity, data = storage.buffers()
        if len(storage) == 0:
            chunks.append(pa.array([], _WIDE))
            continue
        array = pa.Array.from_buffers(
            _WIDE, len(storage), [validity, data], storage.null_count, storage.offset
        )
        words = np.frombuffer(data, "<i8", count=2 * (storage.offset + len(storage)))[2 * storage.offset :]
        high, low = words[1::2], words[0::2].view(np.uint64)
        # |value| < 10**38, on the two 64-bit halves.
        fits = ((high < _LIMIT_HIGH) | ((high == _LIMIT_HIGH) & (low < np.uint64(_LIMIT_LOW)))) & (
            (high > -_LIMIT_HIGH - 1)
            | ((high == -_LIMIT_HIGH - 1) & (low > np.uint64((1 << 64) - _LIMIT_LOW)))
        )
        if not fits.all():
            valid = storage.is_valid().to_numpy(zero_copy_only=False)
            if (valid & ~fits).any():
                raise _too_long(name)
        chunks.append(array)
    return pa.chunked_array(chunks, _WIDE)


def _cast(column: pa.ChunkedArray, field: pa.Field, kinds: tuple[str, ...], con: Any) -> pa.ChunkedArray:
    """A column through DuckDB's own casts."""
    expression = quoted("c")
    for kind in kinds:
        expression = f"CAST({expression} AS {kind})"
    if DECIMAL in kinds[-1]:
        try:
            return _cast_plainly(column, field, expression, con)
        except duckdb.ConversionException as error:
            raise _too_long(field.name) from error
    return _cast_plainly(column, field, expression, con)


def _too_long(name: str) -> KadeQLUnsupportedError:
    return KadeQLUnsupportedError(
        f"Column {name} holds a whole number of more than 38 digits, which Arrow's decimal128 cannot hold.",
        hint="Cast it: x::VARCHAR keeps every digit, x::DOUBLE the first fifteen.",
    )


def _cast_plainly(column: pa.ChunkedArray, field: pa.Field, expression: str, con: Any) -> pa.ChunkedArray:
    con.register("__luma_column", pa.Table.from_arrays([column], schema=pa.schema([field.with_name("c")])))
    try:
        return (
            con._submit(f"SELECT {expression} AS c FROM __luma_column", None, "arrow").arrow_table().column(0)
        )
    finally:
        con.unregister("__luma_column")
