"""Streams bigger than memory, writes that fail in the middle, and writes that are tried again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from write_cases import SETTINGS, assert_refused, batches, files, read, stream

from luma_bench.errors import CatalogError, ConstraintError
from luma_bench.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as opened:
        yield opened


def test_a_stream_is_cut_into_segments_and_is_one_snapshot(store: Store) -> None:
    seen: list[int] = []
    store.write("t", stream(batches(8)), progress=seen.append)
    resolved = store.resolve()
    assert [ref.rows for ref in resolved.segments(1)] == [1000, 1000, 1000, 200]
    assert [ref.first_row_id for ref in resolved.segments(1)] == [0, 1000, 2000, 3000]
    assert seen == [400 * n for n in range(1, 9)]
    found = read(store, columns=["_rowid", "i", "s"])
    assert found["_rowid"].to_pylist() == found["i"].to_pylist() == list(range(3200))
    assert found["s"].to_pylist() == [f"s{n % 400 % 7}" for n in range(3200)]
    assert store.head() == 2
    assert store.check().ok


def test_a_stream_is_never_held_whole(store: Store) -> None:
    written: list[int] = []

    def watched() -> Iterator[pa.RecordBatch]:
        for batch in batches(24):
            written.append(len(files(store)))
            yield batch

    store.write("t", stream(watched()))
    # Nine segments are begun by then, and no more than two are on their way.
    assert written[-1] >= 7


def test_wide_rows_are_cut_by_bytes(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setattr("luma_bench.storage.write.SEGMENT_BYTES", 10_000)
    store.write("t", pa.table({"s": ["x" * 1_000] * 100}))
    rows = [ref.rows for ref in store.resolve().segments(1)]
    assert sum(rows) == 100
    assert max(rows) <= 10
    assert read(store)["s"].to_pylist() == ["x" * 1_000] * 100


def test_a_stream_that_fails_leaves_nothing_and_its_error_comes_out(store: Store) -> None:
    store.write("t", {"i": [1], "s": ["x"]})

    def failing() -> Iterator[pa.RecordBatch]:
        yield from batches(6)
        raise RuntimeError("the source broke")

    for table, mode in (("t", "append"), ("t", "replace"), ("u", "create")):
        assert_refused(store, RuntimeError, "the source broke", stream(failing()), table=table, mode=mode)
    assert read(store).to_pydict() == {"i": [1], "s": ["x"]}
    assert store.check().ok
    assert not store.check().notes


def test_a_bad_batch_late_in_a_stream_leaves_nothing(store: Store) -> None:
    store.create_table(pa.schema([pa.field("i", pa.int64(), nullable=False), ("s", pa.string())]), "t")

    def spoiled() -> Iterator[pa.RecordBatch]:
        yield from batches(6)
        yield pa.record_batch({"i": pa.array([1, None]), "s": ["a", "b"]})

    assert_refused(store, ConstraintError, "must not be NULL; row 2,401 is", stream(spoiled()), mode="append")


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_a_disk_error_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    store.write("t", stream(batches(3)))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        assert_refused(store, CatalogError, "No space left", stream(batches(6)), mode="append")
    store.write("t", stream(batches(3)), mode="append")
    assert read(store).num_rows == 2400
    report = store.check()
    assert report.ok
    assert not report.notes


def test_a_commit_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("luma_bench.storage.catalog.commit._Making._add_rows", lambda *_: 1 / 0)
        assert_refused(store, ZeroDivisionError, "division", stream(batches(6)))
    store.write("t", stream(batches(6)))
    assert store.check().ok


def test_files_of_a_commit_that_was_durable_before_it_was_interrupted_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store._catalog.commit

    def interrupted(*arguments: Any) -> Any:
        real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store._catalog, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.write("t", stream(batches(6)))
    assert read(store).num_rows == 2400
    assert store.check().ok


def test_a_token_makes_one_snapshot_whatever_happens(store: Store) -> None:
    first = store.write("t", stream(batches(6)), token="load-1")
    listed = files(store)
    again = store.write("t", stream(batches(6)), token="load-1")
    assert again == first
    assert (store.head(), files(store)) == (2, listed)
    assert store.write("t", {"i": [1], "s": ["x"]}, mode="append", token="load-1") == first
    with pytest.raises(CatalogError, match="'load-1' belongs to snapshot 2, which did not write 'u'"):
        store.write("u", {"a": [1]}, token="load-1")


def test_a_token_that_another_process_used_meanwhile_is_found_in_the_commit(store: Store) -> None:
    store.write("t", {"i": [0], "s": ["x"]})

    def late() -> Iterator[pa.RecordBatch]:
        yield from batches(6)
        with Store.open(store.path, settings=SETTINGS) as other:
            other.write("t", stream(batches(6)), mode="append", token="load")

    made = store.write("t", stream(late()), mode="append", token="load")
    assert (made.id, store.head(), read(store).num_rows) == (3, 3, 2401)
    assert not store.check().notes
