"""Small writes in the catalog: exact, checked, cached, and flushed without moving a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from backends import on_both

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError, SnapshotExpired
from luma_bench.storage import inline
from luma_bench.storage.catalog.change import BlobRef
from luma_bench.storage.inline import TailCache, decode_blob, encode_blob
from luma_bench.storage.store import Store
from luma_bench.types.schema import Column, TableSchema

pytestmark = on_both


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "b.luma", settings=Settings(threads=2)) as opened:
        yield opened


def rows(store: Store, at: object = None) -> list[tuple[int, int]]:
    table = store.scan(store.resolve(at), "t").read(["_rowid", "a"])
    return list(zip(*table.to_pydict().values(), strict=True))


def segment_files(store: Store) -> int:
    return len(list((store.path / "segments").rglob("*.zarr.zip")))


EVERY = pa.table(
    {
        "i": pa.array([1, None], pa.int32()),
        "s": pa.array(["x", None], pa.large_string()),
        "d": pa.array(["a", "b"]).dictionary_encode(),
        "l": pa.array([[1], None], pa.list_(pa.int64())),
        "t": pa.array([0, 1], pa.timestamp("ns", "Europe/Paris")),
        "u": pa.array([b"\0" * 16, None], pa.uuid()),
        "n": pa.nulls(2),
    }
)
SCHEMA = TableSchema(
    1, "t", tuple(Column(n + 1, field.name, field.type) for n, field in enumerate(EVERY.schema))
)


def ref_of(blob: object, number: int = 7, rows: int = 2) -> BlobRef:
    return BlobRef(number, rows, 0, len(blob.ipc), 1)  # type: ignore[attr-defined]


def test_a_blob_gives_back_exactly_what_was_written() -> None:
    blob = encode_blob(EVERY, SCHEMA)
    found = decode_blob(ref_of(blob), blob.crc32c, blob.ipc, SCHEMA)
    assert found.table.equals(EVERY)
    assert (found.id, found.rows, found.first_row_id) == (7, 2, 0)


def test_every_flipped_bit_of_a_blob_is_seen() -> None:
    blob = encode_blob(pa.table({"a": [1, 2]}), TableSchema(1, "t", (Column(1, "a", pa.int64()),)))
    for place in range(len(blob.ipc)):
        data = bytearray(blob.ipc)
        data[place] ^= 1 << (place % 8)
        with pytest.raises(CorruptionError, match="inline blob 7 of table 't': the checksum is wrong"):
            decode_blob(ref_of(blob), blob.crc32c, bytes(data), SCHEMA)
    with pytest.raises(CorruptionError):
        decode_blob(ref_of(blob), blob.crc32c, blob.ipc[:-1], SCHEMA)


def test_a_blob_that_does_not_fit_the_catalog_is_corrupt() -> None:
    schema = TableSchema(1, "t", (Column(1, "a", pa.int64()),))
    blob = encode_blob(pa.table({"a": [1, 2]}), schema)
    with pytest.raises(CorruptionError, match="2 rows where the catalog says 3"):
        decode_blob(ref_of(blob, rows=3), blob.crc32c, blob.ipc, schema)
    other = TableSchema(1, "t", (Column(1, "a", pa.string()),))
    with pytest.raises(CorruptionError, match="holds column 'a' as int64"):
        decode_blob(ref_of(blob), blob.crc32c, blob.ipc, other)


def test_a_small_write_makes_no_file_and_a_bigger_one_does(store: Store) -> None:
    store.write("t", {"a": [1]})
    store.write("t", {"a": list(range(10_000))}, mode="append")
    assert segment_files(store) == 0
    assert len(store.resolve().holds(1).blobs) == 2
    store.write("t", {"a": list(range(40_000))}, mode="append")
    assert store.resolve().holds(1).blobs == ()
    assert len(store.resolve().segments(1)) == 2
    assert [row for row, _ in rows(store)] == list(range(50_001))
    assert [value for _, value in rows(store)] == [1, *range(10_000), *range(40_000)]


@pytest.mark.parametrize(
    ("limit", "value"),
    [("TAIL_BLOBS", 5), ("TAIL_ROWS", 5), ("TAIL_BYTES", 5 * 288)],
    ids=["blobs", "rows", "bytes"],
)
def test_a_full_tail_is_flushed_by_the_next_write(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(inline, limit, value)
    store.write("t", {"a": [0]})
    expected = [(0, 0)]
    for number in range(1, 14):
        before = store.resolve()
        store.write("t", {"a": [number]}, mode="append")
        expected.append((number, number))
        assert rows(store) == expected
        assert rows(store, before.id) == expected[:-1]
    assert len(store.resolve().segments(1)) == 2
    assert [ref.first_row_id for ref in store.resolve().segments(1)] == [0, 5]
    assert len(store.resolve().holds(1).blobs) == 4
    report = store.check()
    assert report.ok, report.problems
    assert not report.notes
    assert [item.operation for item in store.snapshots()[1:]] == ["create", *["append"] * 13]


def test_a_flush_keeps_rows_in_their_order_though_the_table_is_sorted(store: Store) -> None:
    store.write("t", {"a": [3, 1]}, sort_by="a")
    store.write("t", {"a": [2, 0]}, mode="append")
    assert rows(store) == [(0, 1), (1, 3), (2, 0), (3, 2)]
    store.write("t", {"a": list(range(40_000, 0, -1))}, mode="append")
    assert rows(store)[:6] == [(0, 1), (1, 3), (2, 0), (3, 2), (4, 1), (5, 2)]


def test_two_writers_that_flush_one_tail_flush_it_once(store: Store) -> None:
    store.write("t", {"a": [0]})
    store.write("t", {"a": [1]}, mode="append")

    def source() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"a": list(range(2, 40_002))})
        with Store.open(store.path) as other:
            other.write("t", {"a": list(range(40_000))}, mode="append")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), source())
    store.write("t", reader, mode="append")
    assert sorted(row for row, _ in rows(store)) == list(range(80_002))
    assert rows(store)[:2] == [(0, 0), (1, 1)]
    report = store.check()
    assert report.ok, report.problems
    assert not report.notes
    assert segment_files(store) == 3


def test_a_long_tail_is_few_parts_and_is_decoded_once() -> None:
    schema = TableSchema(1, "t", (Column(1, "a", pa.int64()),))
    blobs = {n: encode_blob(pa.table({"a": [n]}), schema) for n in range(100)}
    refs = [BlobRef(n, 1, n, len(blobs[n].ipc), n) for n in range(100)]
    asked: list[int] = []

    def fetch(ids: object) -> dict[int, tuple[int, bytes]]:
        asked.extend(ids)  # type: ignore[arg-type]
        return {n: (blobs[n].crc32c, blobs[n].ipc) for n in ids}  # type: ignore[attr-defined]

    cache = TailCache(fetch)
    for count in (1, 2, 50, 51, 100, 100):
        parts = cache(schema, refs[:count])
        assert pa.concat_tables([part.table for part in parts])["a"].to_pylist() == list(range(count))
        assert [part.first_row_id for part in parts] == [
            sum(p.rows for p in parts[:n]) for n in range(len(parts))
        ]
        assert len(parts) <= 8
    assert asked == list(range(100))


def test_blobs_with_a_gap_between_their_rows_are_not_joined() -> None:
    schema = TableSchema(1, "t", (Column(1, "a", pa.int64()),))
    blob = encode_blob(pa.table({"a": [1]}), schema)
    refs = [BlobRef(n, 1, first, len(blob.ipc), n) for n, first in enumerate([0, 1, 5])]
    parts = TailCache(lambda ids: dict.fromkeys(ids, (blob.crc32c, blob.ipc)))(schema, refs)
    assert [(part.first_row_id, part.rows) for part in parts] == [(0, 2), (5, 1)]


def test_a_blob_that_was_collected_is_an_expired_snapshot() -> None:
    schema = TableSchema(1, "t", (Column(1, "a", pa.int64()),))
    with pytest.raises(SnapshotExpired, match="were collected"):
        TailCache(lambda ids: {})(schema, [BlobRef(1, 1, 0, 10, 1)])
