"""Whether data fits: what no table may hold, and how a stream is brought to a table's exact schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from luma_bench.errors import CatalogError, ConstraintError, SchemaError
from luma_bench.storage.columns import check_storable
from luma_bench.storage.columns_dictionary import first_of_each, narrowed, taken
from luma_bench.storage.columns_hidden import without_hidden_codes
from luma_bench.storage.columns_stream import one_array
from luma_bench.storage.evolve_values import constant
from luma_bench.storage.tail import filtered
from luma_bench.types.maps import as_list
from luma_bench.types.schema import ROW_ID, TableSchema

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them


RESERVED = "__luma"
"""Names that begin so belong to the bench itself; the language refuses them in texts."""


def check_table_name(name: str) -> None:
    """Refuse a name that no table may have.

    Raises
    ------
    CatalogError
        The name is empty, holds a NUL character, or is reserved.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] (callers need not be typed)
        raise CatalogError(f"A table's name is text, not {name!r}.", hint="Give a name such as 'flights'.")
    if name.casefold().startswith(RESERVED):
        raise CatalogError(
            f"The table name {name!r} is reserved.",
            hint=f"Names that begin with {RESERVED!r} are the bench's own.",
        )
    if not name.strip() or "\0" in name:
        what = "holds a NUL character" if "\0" in name else "is empty"
        raise CatalogError(f"The table name {name!r} {what}.", hint="Give the table a name.")


def check_schema(table: str, schema: pa.Schema) -> None:
    """Refuse a schema that no table may have.

    Raises
    ------
    SchemaError
        No columns, names that are empty, double (ignoring case) or reserved, or a type that is not stored; the names
        of a struct's fields are held to the same.
    """
    if not schema.names:
        raise SchemaError(
            f"Table {table!r} would have no columns.", hint="Give data with at least one column."
        )
    seen: dict[str, str] = {}
    names = Counter(schema.names)
    for field in schema:
        name = field.name
        if not name.strip():
            raise SchemaError.column(table, name, "the name is empty.", "Give every column a name.")
        if "\0" in name:
            raise SchemaError.column(table, name, "the name holds a NUL character.", "Rename the column.")
        if name.casefold().startswith(RESERVED):
            raise SchemaError.column(
                table, name, f"names that begin with {RESERVED!r} are reserved.", "Rename the column."
            )
        if name.casefold() == ROW_ID:
            raise SchemaError.column(
                table, name, "the name is that of the hidden row id.", "Rename the column."
            )
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            hint = "Names that differ in case alone mean the same column in SQL; rename one of them."
            raise SchemaError.column(table, name, f"the name differs from {other!r} in case alone.", hint)
        if names[name] > 1:
            raise SchemaError.column(table, name, "the name is there twice.", "Rename one of the columns.")
        if _any_type(field.type, lambda kind: pa.types.is_duration(kind) and kind.unit == "ns"):
            hint = "Cast it to duration('us')."
            raise SchemaError.column(table, name, "durations finer than 1 µs are not stored.", hint)
        if (problem := _inner_name_problem(field.type)) is not None:
            raise SchemaError.column(table, name, problem, "Rename the fields of the struct.")
    check_storable(schema, table)


@dataclass(frozen=True, slots=True)
class Fit:
    """How incoming batches become batches of exactly a table's schema.

    `sources` gives for each column of the table the position in the data, None where the data leaves it out;
    `defaults` what it holds then, None for NULL.
    """

    table: str
    schema: pa.Schema
    sources: tuple[int | None, ...]
    defaults: tuple[pa.Scalar | None, ...]

    @classmethod
    def of(cls, table: TableSchema, data: pa.Schema) -> Fit:
        """Match the data's columns to the table's by name: in any order, ignoring case where need be.

        Raises
        ------
        SchemaError
            A column is unknown, its type is of another family, or one that must not be NULL is missing.
        """
        if len({name.casefold() for name in data.names}) < len(data.names):
            check_schema(table.name, data)
        positions: dict[int, int] = {}
        exact = {column.name: column for column in table.columns}
        folded = {column.name.casefold(): column for column in table.columns}
        for position, field in enumerate(data):
            column = exact.get(field.name) or folded.get(field.name.casefold())
            if column is None:
                raise SchemaError.unknown_column(field.name, table.names, f"table {table.name!r}")
            if not _convertible(field.type, column.type):
                problem = f"the data has type {field.type}, the table {column.type}."
                raise SchemaError.column(
                    table.name, column.name, problem, "Cast the data, or replace the table."
                )
            positions[column.id] = position
        for column in table.columns:
            if column.id not in positions and not column.nullable and column.default is None:
                hint = "The column must not be NULL; give it in the data."
                raise SchemaError.column(table.name, column.name, "it is missing in the data.", hint)
        sources = tuple(positions.get(column.id) for column in table.columns)
        return cls(table.name, table.arrow, sources, tuple(column.default for column in table.columns))

    def stream(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches in the table's schema, each checked; empty ones are left out.

        Raises
        ------
        SchemaError
            A value does not survive the cast, or a map holds a key twice.
        ConstraintError
            A NULL where the column, or a nested field, must not have one.
        """
        done = 0
        for batch in batches:
            if batch.num_rows:
                yield from self._pieces(batch, done)
            done += batch.num_rows

    def _pieces(self, batch: pa.RecordBatch, done: int) -> Iterator[pa.RecordBatch]:
        """The batch fitted, in parts where a dictionary's values would outgrow its index type."""
        try:
            yield self._fitted(batch, done)
        except _OutgrownError:
            middle = batch.num_rows // 2
            yield from self._pieces(batch.slice(0, middle), done)
            yield from self._pieces(batch.slice(middle), done + middle)

    def _fitted(self, batch: pa.RecordBatch, done: int) -> pa.RecordBatch:
        arrays: list[pa.Array] = []
        for field, source, default in zip(self.schema, self.sources, self.defaults, strict=True):
            array = constant(default, field.type, batch.num_rows) if source is None else batch.column(source)
            array = self._cast(array, field)
            self._check(array, field, done)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _cast(self, array: pa.Array, field: pa.Field) -> pa.Array:
        try:
            array = without_hidden_codes(array)
            if array.type == field.type:
                return array
            if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(array.type):
                return _coded(array, field.type)
            return pc.cast(array, field.type, safe=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            problem = f"a value of type {array.type} does not fit {field.type}: {error}"
            raise SchemaError.column(
                self.table, field.name, problem, "Cast the data, or replace the table."
            ) from error

    def _check(self, array: pa.Array, field: pa.Field, done: int) -> None:
        if not field.nullable and nulls_in(array):
            plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
            row = done + int(np.flatnonzero(plain.is_null().to_numpy(zero_copy_only=False))[0])
            hint = "Nothing was written. Fill the NULLs, or declare the column nullable."
            raise ConstraintError(
                f"Column {field.name!r} of table {self.table!r} must not be NULL; row {row:,} is.", hint=hint
            )
        if (wrong := _value_problem(array)) is not None:
            raise SchemaError.column(self.table, field.name, *wrong)
        if _needs_look(field.type) and (problem := nested_problem(array)) is not None:
            if problem[0] == "null":
                hint = "Nothing was written. Fill the NULLs, or declare the field nullable."
                raise ConstraintError(
                    f"Column {field.name!r} of table {self.table!r}: {problem[1]}", hint=hint
                )
            raise SchemaError.column(self.table, field.name, problem[1], "Keep one value for each key.")


class _OutgrownError(Exception):
    """Plain values that a dictionary cannot hold in one array; in two halves they may fit."""


def _coded(array: pa.Array, kind: Any) -> pa.Array:
    values = pc.cast(array, kind.value_type, safe=True)
    place, firsts = first_of_each(values)
    codes = pa.array(place, mask=place < 0)
    wide = pa.DictionaryArray.from_arrays(codes, taken(values, pa.array(firsts)), ordered=kind.ordered)
    parts = narrowed(wide, kind)
    if len(parts) > 1:
        raise _OutgrownError
    return parts[0]


def nulls_in(array: pa.Array) -> int:
    """How many values are NULL, those that lie in a dictionary too."""
    if pa.types.is_null(array.type):
        return len(array)
    if pa.types.is_dictionary(array.type) and array.dictionary.null_count:
        return array.dictionary_decode().null_count
    return array.null_count


def _children(kind: pa.DataType) -> list[pa.Field]:
    if isinstance(kind, pa.BaseExtensionType):
        return _children(kind.storage_type)
    if pa.types.is_map(kind):
        return [kind.key_field, kind.item_field]
    if pa.types.is_dictionary(kind):
        return [pa.field("values", kind.value_type)]
    return [kind.field(i) for i in range(kind.num_fields)] if pa.types.is_nested(kind) else []


def _inner_name_problem(kind: pa.DataType) -> str | None:
    """What is wrong with the field names of a struct in a type: SQL could not tell such fields apart."""
    children = _children(kind)
    if pa.types.is_struct(kind):
        seen: dict[str, str] = {}
        for child in children:
            if not child.name.strip() or "\0" in child.name:
                what = "holds a NUL character" if "\0" in child.name else "is empty"
                return f"the name of a struct's field {what}."
            other = seen.setdefault(child.name.casefold(), child.name)
            if other != child.name:
                return f"the fields {other!r} and {child.name!r} of a struct differ in case alone."
        if len(seen) < len(children):
            return f"a struct has a field twice; its fields are {[child.name for child in children]}."
    return next((problem for child in children if (problem := _inner_name_problem(child.type))), None)


def _any_type(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    return test(kind) or any(_any_type(child.type, test) for child in _children(kind))


def _needs_look(kind: pa.DataType) -> bool:
    """Whether values of this type can be wrong inside: maps, and fields that must not be NULL."""
    if not pa.types.is_nested(kind):
        return False
    inside = any(not child.nullable or _needs_look(child.type) for child in _children(kind))
    return inside or pa.types.is_map(kind)


def _value_problem(array: pa.Array) -> tuple[str, str] | None:
    """Why values of an array are not stored, whatever their type says; and what to do."""
    if _any_type(array.type, pa.types.is_decimal):
        try:
            array.validate(full=True)
        except pa.ArrowInvalid as error:
            return f"a decimal has more digits than its type: {error}", "Cast the column to a wider decimal."
    if _any_type(array.type, pa.types.is_interval) and _finer_than_microseconds(array):
        return "an interval is finer than 1 µs.", "Round its nanoseconds to thousands."
    return None


def _finer_than_microseconds(array: pa.Array) -> bool:
    """Whether an interval in the array, at any depth, has a part of a microsecond."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _finer_than_microseconds(array.storage)
    if pa.types.is_interval(kind):
        words = np.frombuffer(array.drop_null().buffers()[1] or b"", np.int64).reshape(-1, 2)
        return bool(np.any(words[:, 1] % 1000))
    if pa.types.is_dictionary(kind):
        return _finer_than_microseconds(array.dictionary)
    if pa.types.is_struct(kind):
        return any(_finer_than_microseconds(array.field(i)) for i in range(kind.num_fields))
    if pa.types.is_map(kind):
        return _finer_than_microseconds(array.keys) or _finer_than_microseconds(array.items)
    if pa.types.is_nested(kind):
        return _finer_than_microseconds(array.flatten())
    return False


def nested_problem(array: pa.Array) -> tuple[str, str] | None:
    """What is wrong inside an array's values: "null" or "key", and a sentence; None when nothing is."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return nested_problem(array.storage)
    if pa.types.is_map(kind):
        lists = as_list(array)
        entries = lists.flatten()
        keys, items = entries.field(0), entries.field(1)
        if _double_key(lists, keys):
            return "key", "a map holds a key twice."
        pairs = [(kind.key_field, keys), (kind.item_field, items)]
    elif pa.types.is_struct(kind):
        # `flatten` gives a struct's own NULLs to its fields: only the fields of structs that are there count.
        present = filtered(array, array.is_valid()) if array.null_count else array
        if isinstance(present, pa.ChunkedArray):
            present = one_array(present)
        pairs = [(kind.field(i), present.field(i)) for i in range(kind.num_fields)]
    elif isinstance(array, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        pairs = [(kind.value_field, array.flatten())]
    else:
        return None
    for field, values in pairs:
        if not field.nullable and values.null_count:
            return "null", f"the nested field {field.name!r} must not be NULL, but is in some row."
        if _needs_look(field.type) and (problem := nested_problem(values)) is not None:
            return problem
    return None


def _double_key(lists: pa.Array, keys: pa.Array) -> bool:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    owners = np.repeat(np.arange(len(lists)), lengths)
    if pa.types.is_nested(keys.type):
        seen = [(owner, repr(key)) for owner, key in zip(owners.tolist(), keys.to_pylist(), strict=True)]
        return len(set(seen)) < len(seen)
    codes = keys if pa.types.is_dictionary(keys.type) else keys.dictionary_encode()
    marks = owners * (len(codes.dictionary) + 1) + codes.indices.to_numpy(zero_copy_only=False)
    return len(np.unique(marks)) < len(marks)


def family(kind: pa.DataType) -> str:
    """Which values a type holds, whatever their width: number, text, bytes, date, timestamp, instant, …."""
    types = pa.types
    if types.is_dictionary(kind):
        return family(kind.value_type)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    ):
        return "bytes"
    if types.is_timestamp(kind):
        return "instant" if kind.tz else "timestamp"
    if types.is_date(kind):
        return "date"
    if types.is_time(kind):
        return "time"
    return str(kind) if not types.is_duration(kind) else "duration"


def _convertible(source: pa.DataType, target: pa.DataType) -> bool:
    """Whether a cast keeps the meaning; whether the values fit is seen when they come."""
    if source == target or pa.types.is_null(source):
        return True
    if pa.types.is_nested(source) or pa.types.is_nested(target):
        return _same_shape(source, target)
    before, after = family(source), family(target)
    if before == "number" and after == "number" and pa.types.is_floating(source):
        return pa.types.is_floating(target)
    return before == after or (before == "date" and after == "timestamp")


def _same_shape(source: pa.DataType, target: pa.DataType) -> bool:
    types = pa.types
    if types.is_struct(source) and types.is_struct(target):
        names = [source.field(i).name for i in range(source.num_fields)]
        wanted = [target.field(i).name for i in range(target.num_fields)]
        return names == wanted and all(
            _convertible(source.field(i).type, target.field(i).type) for i in range(source.num_fields)
        )
    if types.is_map(source) and types.is_map(target):
        return _convertible(source.key_type, target.key_type) and _convertible(
            source.item_type, target.item_type
        )
    lists = (types.is_list, types.is_large_list, types.is_fixed_size_list)
    if any(test(source) for test in lists) and any(test(target) for test in lists):
        return _convertible(source.value_type, target.value_type)
    return False
