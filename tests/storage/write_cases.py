"""What the tests of writing share: a bench with tiny limits, streams, and the check that a refused write left nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.storage.store import Store

SETTINGS = Settings(inline_bytes=2_000, shard_rows=1_000, chunk_rows=128, key_chunk_rows=64, threads=2)


def read(store: Store, table: str = "t", columns: list[str] | None = None) -> pa.Table:
    return store.scan(store.resolve(), table).read(columns)


def files(store: Store) -> list[str]:
    return sorted(path.name for path in (store.path / "segments").rglob("*") if path.is_file())


def assert_refused(store: Store, error: type[Exception], match: str, data: Any, **arguments: Any) -> None:
    """The write raises, and neither a file nor a snapshot is there afterwards."""
    before = (store.head(), files(store))
    with pytest.raises(error, match=match):
        store.write(arguments.pop("table", "t"), data, **arguments)
    assert (store.head(), files(store)) == before


def batches(count: int, rows: int = 400) -> Iterator[pa.RecordBatch]:
    for index in range(count):
        start = index * rows
        yield pa.record_batch({"i": np.arange(start, start + rows), "s": [f"s{n % 7}" for n in range(rows)]})


def stream(source: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(pa.schema([("i", pa.int64()), ("s", pa.string())]), source)
