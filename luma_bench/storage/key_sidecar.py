"""The `_pk` arrays of a segment: its keys in the order of their codes, where each stands, and a Bloom filter.

`_pk.exact.c1` (or `_pk.hash.c1.c2`: which codes, of which columns) holds the sorted int64 codes, `_pk.row` the position
of each as uint32, `_pk.fence` the first and the last code of each chunk of these two, `_pk.bloom` the filter's words as
bytes. Deleted rows stay in it: a segment never changes, and whoever looks up knows which rows live.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.storage import key_bloom
from luma_bench.storage.columns import node_name
from luma_bench.storage.columns_split import Component
from luma_bench.storage.key_form import KeyForm
from luma_bench.types.schema import TableSchema

PREFIX = "_pk"
CHUNK_KEYS = 1 << 14
"""Keys of a chunk: what a look-up decodes where nothing is in memory."""

BLOOM_BYTES = 1 << 16


def key_components(table: pa.Table, schema: TableSchema) -> list[Component]:
    """The arrays of a segment that holds the table's rows; none without a primary key or rows.

    Raises
    ------
    SchemaError
        A key column's type has no equality.
    """
    if not schema.settings.primary_key or not table.num_rows:
        return []
    form = KeyForm.of(schema)
    codes = form.codes(form.normal([table.column(column.name) for column in form.columns]))
    if np.all(codes[1:] >= codes[:-1]):
        rows = np.arange(len(codes), dtype=np.uint32)
    else:
        order = np.argsort(codes)
        codes, rows = codes[order], order.astype(np.uint32)
    keys, places = _cut(codes, CHUNK_KEYS), _cut(rows, CHUNK_KEYS)
    fences = np.array([end for part in keys for end in (part[0], part[-1])], np.int64)
    bloom = _cut(key_bloom.build(codes).view(np.uint8), BLOOM_BYTES)
    return [
        _component(codes_name(form), keys),
        _component(f"{PREFIX}.row", places),
        _component(f"{PREFIX}.fence", [fences]),
        _component(f"{PREFIX}.bloom", bloom),
    ]


def codes_name(form: KeyForm) -> str:
    """The name of the array of codes."""
    kind = "exact" if form.exact else "hash"
    return ".".join([PREFIX, kind, *(node_name(column.id) for column in form.columns)])


def _cut(values: np.ndarray, size: int) -> list[np.ndarray]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _component(name: str, parts: list[np.ndarray]) -> Component:
    rows = sum(len(part) for part in parts)
    return Component(name, parts, parts[0].dtype, 1, len(parts[0]), rows)
