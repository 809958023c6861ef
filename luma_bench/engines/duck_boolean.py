"""Booleans of a result: DuckDB's lossless mode gives `arrow.bool8`, a byte each; the bench delivers Arrow's `bool`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def has_bool8(kind: pa.DataType) -> bool:
    """Whether a type is, or holds at any depth, `arrow.bool8`."""
    if isinstance(kind, pa.BaseExtensionType):
        return kind.extension_name == "arrow.bool8"
    return any(has_bool8(kind.field(i).type) for i in range(kind.num_fields))


def plain_type(kind: Any) -> pa.DataType:
    """The same type with `bool` for `arrow.bool8`, at any depth."""
    if not has_bool8(kind):
        return kind
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return pa.bool_()
    if types.is_map(kind):
        return pa.map_(_plain(kind.key_field), _plain(kind.item_field), kind.keys_sorted)
    if types.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_field), kind.list_size)
    if types.is_large_list(kind):
        return pa.large_list(_plain(kind.value_field))
    if types.is_list(kind):
        return pa.list_(_plain(kind.value_field))
    fields = [_plain(kind.field(i)) for i in range(kind.num_fields)]
    return pa.union(fields, kind.mode, kind.type_codes) if types.is_union(kind) else pa.struct(fields)


def plain_array(array: Any) -> pa.Array:
    """The same values with `bool` for `arrow.bool8`, at any depth; other buffers are shared, not copied."""
    kind = array.type
    if not has_bool8(kind):
        return array
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return array.storage.cast(pa.bool_())
    wanted = plain_type(kind)
    if types.is_union(kind):
        # DuckDB's are sparse: every child is as long as the whole.
        children = [plain_array(array.field(i)) for i in range(kind.num_fields)]
        names = [field.name for field in fields_of(wanted)]
        return pa.UnionArray.from_sparse(array.type_codes, children, names, kind.type_codes)
    if types.is_struct(kind):
        fields = [plain_array(array.field(i)) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, fields=list(wanted), mask=array.is_null())
    if types.is_map(kind):
        entries = [plain_array(array.keys), plain_array(array.items)]
        child = pa.StructArray.from_arrays(entries, fields=[wanted.key_field, wanted.item_field])
    else:
        child = plain_array(array.values)
    own = 1 if types.is_fixed_size_list(kind) else 2
    return pa.Array.from_buffers(
        wanted, len(array), array.buffers()[:own], array.null_count, array.offset, children=[child]
    )


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column with `bool` for `arrow.bool8`, at any depth."""
    return pa.chunked_array([plain_array(chunk) for chunk in column.chunks], plain_type(column.type))


def fields_of(kind: Any) -> list[pa.Field]:
    """The fields of a nested type."""
    return [kind.field(i) for i in range(kind.num_fields)]


def _plain(field: pa.Field) -> pa.Field:
    return field.with_type(plain_type(field.type))
