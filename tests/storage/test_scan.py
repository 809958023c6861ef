"""Scans: projections, counters that tell the truth, order, early ends, many at once."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from segment_cases import SMALL, scan_of, schema_of, written

from luma_bench.errors import ClosedError, CorruptionError, SchemaError
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import InlineBlob, TableScan
from luma_bench.storage.scan_pieces import Source
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.types.predicate import Comparison
from luma_bench.types.scan import ScanCounters

ROWS = 100
TABLE = pa.table(
    {
        "n": pa.array(np.arange(ROWS)),
        "half": pa.array([None if i % 9 == 4 else i / 2 for i in range(ROWS)]),
        "word": pa.array([f"w{i % 3}" for i in range(ROWS)]),
        "text": pa.array([f"text {i}" for i in range(ROWS)]),
    }
)
# 100 rows in chunks of 16 are 7 chunks; a batch holds them all, because they are small.
ONE_CHUNK = replace(SMALL, chunk_rows=16)


@pytest.fixture
def pool() -> Iterator[BufferPool]:
    held = BufferPool(1 << 24, 2)
    yield held
    held.close()


@pytest.fixture
def parts(tmp_path: Path, pool: BufferPool) -> TableScan:
    """Two segments of 40 and 30 rows, and 30 rows inline."""
    scan, _ = scan_of(tmp_path, [TABLE.slice(0, 40), TABLE.slice(40, 30)], inline=TABLE.slice(70), pool=pool)
    return scan


@pytest.mark.parametrize("columns", [[0], [1], [4, 1], [3, 0, 2], [2, 2, 0, 2], [4, 3, 2, 1, 0], [3]])
def test_projections_come_in_the_order_asked_for(parts: TableScan, columns: list[int]) -> None:
    whole = TABLE.add_column(0, "_rowid", pa.array(np.arange(ROWS)))
    for _ in range(3):  # from the files, then from the pool
        got = parts.stream(columns, [], ScanCounters()).read_all()
        assert got.column_names == [whole.column_names[i] for i in columns]
        for at, i in enumerate(columns):
            assert got.column(at).to_pylist() == whole.column(i).to_pylist()


def test_no_columns_are_batches_with_a_count(parts: TableScan) -> None:
    for predicates, rows in [([], 100), ([Comparison("n", "<", 75, "BIGINT")], 75)]:
        batches = list(parts.stream([], predicates, ScanCounters()))
        assert sum(batch.num_rows for batch in batches) == rows
        assert all(batch.num_columns == 0 for batch in batches)
    counters = ScanCounters()
    assert parts.stream([0], [], counters).read_all().num_rows == parts.rows() == 100
    assert counters.bytes_read == 0


def test_read_gives_names_in_any_order(parts: TableScan) -> None:
    got = parts.read(["text", "_rowid", "n", "text"])
    assert got.column_names == ["text", "_rowid", "n", "text"]
    assert got.column(3).to_pylist() == TABLE["text"].to_pylist()
    assert got["_rowid"].to_pylist() == list(range(ROWS))
    assert parts.read().equals(TABLE)
    with pytest.raises(SchemaError, match="'nix'"):
        parts.read(["nix"])


def column_bytes(ref: SegmentRef, column_id: int) -> int:
    index = Segment.open(ref).index
    return sum(
        int(index.chunks.length[array.first : array.first + array.chunks].sum())
        for name, array in index.arrays.items()
        if name.split(".")[0] == f"c{column_id}"
    )


def test_counters_tell_the_truth(tmp_path: Path, pool: BufferPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "worthwhile", lambda *_: True)
    schema = schema_of(TABLE)
    refs = [
        written(tmp_path, TABLE.slice(0, 40), schema=schema, ulid="01A"),  # chunks of 16, 16, 8
        written(tmp_path, TABLE.slice(40, 60), schema=schema, ulid="01B", first=40),  # 16, 16, 16, 12
    ]
    scan = TableScan(schema, refs, [], pool, SMALL)

    def figures(columns: list[int], *predicates: Comparison) -> tuple[int, ...]:
        counters = ScanCounters()
        scan.stream(columns, list(predicates), counters).read_all()
        return (
            counters.rows_read, counters.bytes_read, counters.segments_read, counters.segments_pruned,
            counters.chunks_read, counters.chunks_pruned,
        )  # fmt: skip

    texts = sum(column_bytes(ref, 19) for ref in refs)
    assert figures([4]) == (100, texts, 2, 0, 7, 0)
    assert figures([4]) == (100, 0, 2, 0, 7, 0)
    # n >= 50: the first segment by its statistics, then a chunk (40 to 55 holds some) is kept.
    rows, _, *rest = figures([1], Comparison("n", ">=", 60, "BIGINT"))
    assert (rows, *rest) == (44, 1, 1, 3, 1)
    # Whatever is pruned is not read: one chunk of n, none of the others without a match.
    pool.clear()
    index = Segment.open(refs[1]).index
    at = index.arrays["c10"].first
    assert figures([1], Comparison("n", "=", 57, "BIGINT")) == (
        16,
        int(index.chunks.length[at + 1]),
        1,
        1,
        1,
        3,
    )
    assert figures([1], Comparison("n", "=", 500, "BIGINT")) == (0, 0, 0, 2, 0, 0)


def test_read_counts_as_a_stream_does(parts: TableScan, pool: BufferPool) -> None:
    counters, again, streamed = ScanCounters(), ScanCounters(), ScanCounters()
    parts.read(["text", "n"], counters)
    pool.clear()
    parts.stream([4, 1], [], streamed).read_all()
    assert repr(counters) == repr(streamed)
    assert (counters.rows_read, counters.segments_read, counters.chunks_read) == (100, 2, 5)
    assert counters.bytes_read > 0
    parts.read(["_rowid"], again)
    assert (again.rows_read, again.bytes_read) == (100, 0)


def test_deleted_rows_are_gone_and_empty_segments_are_not_read(tmp_path: Path, pool: BufferPool) -> None:
    schema = schema_of(TABLE)
    first = written(tmp_path, TABLE.slice(0, 40), schema=schema, ulid="01A")
    second = written(tmp_path, TABLE.slice(40, 40), schema=schema, ulid="01B", first=40)
    rest = InlineBlob(1, 20, 80, TABLE.slice(80), np.array([0, 19]))
    refs = [replace(first, deleted=np.arange(40)), replace(second, deleted=np.array([0, 16, 17, 39]))]
    scan = TableScan(schema, refs, [rest], pool, SMALL)
    alive = [i for i in range(40, 100) if i not in (40, 56, 57, 79, 80, 99)]
    assert scan.rows() == len(alive)
    counters = ScanCounters()
    assert scan.stream([0, 1], [], counters).read_all()["n"].to_pylist() == alive
    assert counters.segments_read == 1
    read = ScanCounters()
    assert scan.read(["n", "_rowid"], read)["_rowid"].to_pylist() == alive
    assert read.segments_read == 1
    assert scan.stream([0], [], ScanCounters()).read_all()["_rowid"].to_pylist() == alive
    # The same files without deletions, from the same pool.
    fresh = TableScan(schema, [first, second], [], pool, SMALL)
    assert fresh.stream([0], [], ScanCounters()).read_all()["_rowid"].to_pylist() == list(range(80))
    assert scan.stream([0], [], ScanCounters()).read_all()["_rowid"].to_pylist() == alive


def test_segments_come_in_the_order_given_then_the_tail(tmp_path: Path, pool: BufferPool) -> None:
    schema = schema_of(TABLE)
    late = written(tmp_path, TABLE.slice(50, 20), schema=schema, ulid="01LATE", first=50)
    early = written(tmp_path, TABLE.slice(0, 50), schema=schema, ulid="01EARLY")
    blobs = [InlineBlob(2, 10, 90, TABLE.slice(90, 10)), InlineBlob(1, 20, 70, TABLE.slice(70, 20))]
    scan = TableScan(schema, [late, early], blobs, pool, SMALL)
    expected = [*range(50, 70), *range(50), *range(90, 100), *range(70, 90)]
    assert scan.stream([1], [], ScanCounters()).read_all()["n"].to_pylist() == expected
    assert scan.read(["n"])["n"].to_pylist() == expected
    assert scan.stream([0], [], ScanCounters()).read_all()["_rowid"].to_pylist() == expected


def test_an_empty_table_has_its_schema(tmp_path: Path, pool: BufferPool) -> None:
    schema = schema_of(TABLE)
    for refs in ([], [written(tmp_path, TABLE.slice(0, 0), schema=schema, ulid="01EMPTY")]):
        for held in (refs, [replace(ref, stats=None) for ref in refs]):
            scan = TableScan(schema, held, [], pool, SMALL)
            assert scan.rows() == 0
            assert scan.stream(None, [], ScanCounters()).read_all().num_rows == 0
            assert scan.stream([], [], ScanCounters()).read_all().num_rows == 0
            assert scan.read().schema == TABLE.schema
            assert not scan.accepts(Comparison("n", "=", 1, "BIGINT"))
            assert all(segment.verify() == [] for segment in map(Segment.open, held))


def test_dropping_a_reader_early_stops_decoding(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    table = pa.table({"n": pa.array(np.arange(4_000))})
    settings = replace(SMALL, chunk_rows=16)
    pool = BufferPool(1 << 24, 1)
    schema = schema_of(table)
    refs = [
        written(
            tmp_path,
            table.slice(i * 100, 100),
            schema=schema,
            ulid=f"01S{i:02}",
            first=i * 100,
            settings=settings,
        )
        for i in range(40)
    ]
    counters = ScanCounters()
    reader = TableScan(schema, refs, [], pool, settings).stream([1], [], counters)
    assert reader.read_next_batch().num_rows > 0
    del reader
    gc.collect()
    time.sleep(0.05)
    seen = counters.rows_read
    assert seen <= 1_000
    time.sleep(0.05)
    assert counters.rows_read == seen
    pool.close()
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name.startswith("luma-")]


def test_a_stream_of_a_closed_pool_says_so(parts: TableScan, pool: BufferPool) -> None:
    reader = parts.stream([1], [], ScanCounters())
    pool.close()
    with pytest.raises(ClosedError):
        reader.read_all()
    with pytest.raises(ClosedError):
        parts.read()


def test_many_streams_at_once_give_the_same_rows(parts: TableScan, pool: BufferPool) -> None:
    results: list[bool] = []

    def ask(n: int) -> None:
        for turn in range(6):
            if turn % 2:
                pool.clear()
            columns = [(n + turn) % 5, (n + 2 * turn) % 5]
            got = parts.stream(columns, [], ScanCounters()).read_all()
            whole = TABLE.add_column(0, "_rowid", pa.array(np.arange(ROWS)))
            results.append(
                all(got.column(k).to_pylist() == whole.column(i).to_pylist() for k, i in enumerate(columns))
            )
            results.append(parts.read().equals(TABLE))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 72


def test_damage_met_in_the_middle_of_a_stream_is_a_corruption_error(
    parts: TableScan, pool: BufferPool
) -> None:
    ref = parts._segments[1]
    index = Segment.open(ref).index
    data = bytearray(ref.path.read_bytes())
    data[int(index.chunks.offset[index.arrays["c19.data"].first])] ^= 1
    ref.path.write_bytes(data)
    for _ in range(2):
        reader = parts.stream([4], [], ScanCounters())
        assert reader.read_next_batch().num_rows == 40
        with pytest.raises(CorruptionError) as caught:
            reader.read_all()
        assert (caught.value.segment, caught.value.column, caught.value.chunk) == (ref.ulid, "text", 0)
        with pytest.raises(CorruptionError):
            parts.read()
    assert parts.read(["n"])["n"].to_pylist() == list(range(ROWS))


def test_small_chunks_are_streamed_together_but_wide_rows_are_not(
    tmp_path: Path, pool: BufferPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luma_bench.storage import segment_layout

    def batches(ulid: str) -> list[int]:
        ref = written(tmp_path, TABLE, schema=schema_of(TABLE), ulid=ulid)
        scan = TableScan(schema_of(TABLE), [ref], [], pool, SMALL)
        return [batch.num_rows for batch in scan.stream([4], [], ScanCounters())]

    assert batches("01SMALL") == [100]
    # The text has about 11 bytes a row: three chunks together stay below this, seven do not.
    monkeypatch.setattr(segment_layout, "CHUNK_BYTES", 600)
    assert batches("01WIDE") == [48, 48, 4]
