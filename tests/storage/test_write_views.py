"""Rows with views, for which Arrow has few kernels, in tables that are sorted when they are written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.storage.store import Store


@pytest.mark.parametrize("key", ["text", "bytes"])
def test_a_table_with_views_is_sorted(tmp_path: Path, key: str) -> None:
    numbers = [(7 * n) % 400 for n in range(400)]
    texts = [None if n % 50 == 0 else f"text number {n:06}" for n in numbers]
    data = pa.table(
        {
            "text": pa.array(texts, pa.string_view()),
            "bytes": pa.array([None if text is None else text.encode() for text in texts], pa.binary_view()),
            "nested": pa.array([[text] for text in texts], pa.list_(pa.string_view())),
        }
    )
    with Store.open(tmp_path / "b", settings=Settings(inline_bytes=100, threads=2)) as store:
        store.write("t", data, sort_by=key)
        found = store.scan(store.resolve(), "t").read()
        assert found.schema.equals(data.schema)
        rows = sorted(data.to_pylist(), key=lambda row: (row[key] is None, row[key] or ""))
        assert [row[key] for row in found.to_pylist()] == [row[key] for row in rows]
        order = lambda row: str(row["text"])  # noqa: E731
        assert sorted(found.to_pylist(), key=order) == sorted(data.to_pylist(), key=order)
