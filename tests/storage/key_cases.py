"""What the tests of keys share: tables with known live and deleted keys, and an oracle that is a dict of Python values."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st
from segment_cases import DECIMALS, INTEGERS, SMALL, TEXTS, TIMES, values

from luma_bench.storage import key_form, key_sidecar, key_value
from luma_bench.storage.lookup import KeyLookup
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import SegmentRef, write_segment
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.schema import Column, TableSchema, TableSettings

KEY_TYPES = [
    *INTEGERS, pa.float32(), pa.float64(), pa.bool_(), *TEXTS, pa.binary(3), *DECIMALS,
    *[kind for kind in TIMES if not pa.types.is_interval(kind)], pa.dictionary(pa.int8(), pa.string()), pa.uuid(),
]  # fmt: skip


def same_key(item: object) -> object:
    """What stands for a stored value where equal keys must be one: NaN is one value, and zeros are."""
    if isinstance(item, float):
        return "nan" if math.isnan(item) else item + 0.0
    return item


@dataclass(slots=True)
class Case:
    """Parts of a table, where each live key is, and keys that none has."""

    schema: TableSchema
    segments: list[SegmentRef]
    inline: list[InlineBlob]
    wanted: pa.Table
    expected: list[tuple[str, int] | None]
    payload: list[int | None]

    def lookup(self, pool: BufferPool) -> KeyLookup:
        return KeyLookup(self.schema, self.segments, self.inline, pool)


def key_array(kind: pa.DataType, items: list[object]) -> pa.Array:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, pa.array(items, kind.storage_type))
    return pa.array(items, kind)


def schema_for(kinds: list[pa.DataType]) -> TableSchema:
    columns = [Column(i + 3, f"k{i}", kind, False) for i, kind in enumerate(kinds)]
    return TableSchema(
        7, "things", (Column(1, "payload", pa.int64()), *columns),
        TableSettings(primary_key=tuple(column.name for column in columns)),
    )  # fmt: skip


def key_tuples(kinds: list[pa.DataType]) -> st.SearchStrategy[list[tuple[object, ...]]]:
    """Distinct keys: no two are the same value."""
    elements = [
        values(kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind) for kind in kinds
    ]
    return st.lists(
        st.tuples(*elements),
        min_size=1,
        max_size=24,
        unique_by=lambda key: repr([same_key(item) for item in key]),
    )


def make_case(
    folder: Path,
    kinds: list[pa.DataType],
    keys: list[tuple[object, ...]],
    dice: random.Random,
    *,
    stored: bool = True,
) -> Case:
    """Every key lives in one part or in none, and lies about, deleted, in any of them."""
    schema = schema_for(kinds)
    count = dice.randint(1, 5)
    rows: list[list[tuple[int, bool]]] = [[] for _ in range(count)]
    for i in range(len(keys)):
        home = dice.randint(-1, count - 1)
        for part in range(count):
            rows[part] += [(i, False)] * dice.choice([0, 0, 0, 1, 3])
            if part == home:
                rows[part].append((i, True))
    expected: list[tuple[str, int] | None] = [None] * len(keys)
    payload: list[int | None] = [None] * len(keys)
    segments: list[SegmentRef] = []
    inline: list[InlineBlob] = []
    total = 0
    for part, held in enumerate(rows):
        if not held:
            continue
        dice.shuffle(held)
        blob = part >= count - 2 and count > 2
        name = str(part) if blob else f"01PART{part}"
        columns: dict[str, pa.Array] = {"payload": pa.array(np.arange(total, total + len(held)))}
        for j, kind in enumerate(kinds):
            columns[f"k{j}"] = key_array(kind, [keys[i][j] for i, _ in held])
        table = pa.Table.from_arrays(list(columns.values()), schema=schema.arrow)
        deleted = np.array([at for at, (_, alive) in enumerate(held) if not alive], np.int64)
        for at, (i, alive) in enumerate(held):
            if alive:
                expected[i], payload[i] = (name, at), total + at
        gone = deleted if len(deleted) else None
        if blob:
            inline.append(InlineBlob(part, len(held), total, table, gone))
        else:
            kept = schema if stored else replace(schema, settings=TableSettings())
            ref = write_segment(folder, name, table, kept, first_row_id=total, settings=SMALL, sync=False)
            segments.append(replace(ref, deleted=gone))
        total += len(held)
    arrays = [key_array(kind, [key[j] for key in keys]) for j, kind in enumerate(kinds)]
    wanted = pa.Table.from_arrays(arrays, names=[f"k{j}" for j in range(len(kinds))])
    return Case(schema, segments, inline, wanted, expected, payload)


@contextmanager
def tiny_chunks() -> Iterator[pytest.MonkeyPatch]:
    """Keys and filters cut so small that a few rows fill several chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_sidecar, "CHUNK_KEYS", 4)
        patch.setattr(key_sidecar, "BLOOM_BYTES", 8)
        yield patch


def collide(patch: pytest.MonkeyPatch) -> None:
    """Give every key of a hashed form the same code."""
    patch.setattr(key_form, "joined", lambda hashes: np.full(len(hashes[0]), 5, np.int64))
    patch.setattr(key_value, "joined_one", lambda hashes: 5)
