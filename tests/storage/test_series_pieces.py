"""A table read piece by piece: the rows of a stream, slices of it, and what is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import SMALL, scan_of, schema_of, written

from luma_bench.bench.metered import MeteredScan
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.types.predicate import Comparison
from luma_bench.types.scan import ScanCounters, SupportsPieces

ROWS = 100
TABLE = pa.table(
    {
        "n": pa.array(np.arange(ROWS)),
        "half": pa.array([None if i % 9 == 4 else i / 2 for i in range(ROWS)]),
        "word": pa.array([f"w{i % 3}" for i in range(ROWS)]),
    }
)
GONE = [0, 3, 17, 39]


@pytest.fixture(scope="module")
def pool() -> Iterator[BufferPool]:
    held = BufferPool(1 << 24, 2)
    yield held
    held.close()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory, pool: BufferPool) -> TableScan:
    """Segments of 40 rows (some deleted) and 30, and 30 rows inline."""
    found, _ = scan_of(
        tmp_path_factory.mktemp("s"),
        [TABLE.slice(0, 40), TABLE.slice(40, 30)],
        inline=TABLE.slice(70),
        pool=pool,
    )
    first, second = found._segments  # pyright: ignore[reportPrivateUsage]
    return TableScan(
        found.table,
        [replace(first, deleted=np.array(GONE)), second],
        found._inline,
        pool,
        SMALL,  # pyright: ignore[reportPrivateUsage]
    )


def test_pieces_are_the_stream(scan: TableScan) -> None:
    counters = ScanCounters()
    columns = [3, 0, 1, 2]
    whole = scan.stream(columns, [], ScanCounters()).read_all()
    batches = [scan.read_piece(piece, columns, counters) for piece in scan.pieces()]
    assert all(batch.schema.equals(whole.schema) for batch in batches)
    assert pa.Table.from_batches(batches).to_pylist() == whole.to_pylist()
    assert [batch.num_rows for batch in batches] == [piece.live_rows for piece in scan.pieces()]
    assert sum(piece.live_rows for piece in scan.pieces()) == scan.rows() == ROWS - len(GONE)
    assert counters.rows_read == ROWS
    assert scan.pieces()[-1].segment == ""


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_slices_of_pieces(scan: TableScan, pool: BufferPool, data: st.DataObject) -> None:
    if data.draw(st.booleans(), "cold"):
        pool.clear()
    pieces = scan.pieces()
    piece = data.draw(st.sampled_from(pieces))
    first = data.draw(st.integers(0, piece.rows))
    rows = data.draw(st.none() | st.integers(0, ROWS))
    columns = data.draw(st.lists(st.integers(0, 3), max_size=4))
    at = 40 * pieces.index(piece) if piece.segment else 70
    places = range(first, min(piece.rows, piece.rows if rows is None else first + rows))
    stored = [at + place for place in places]
    live = [place for place in stored if place not in GONE]
    for deleted, expected in ((True, stored), (False, live)):
        got = scan.read_piece(piece, columns, ScanCounters(), first, rows, deleted=deleted)
        assert got.num_rows == len(expected)
        for i, column in enumerate(columns):
            truth = (
                pa.array(expected, pa.int64())
                if column == 0
                else TABLE.column(column - 1).take(pa.array(expected, pa.int64()))
            )
            assert got.column(i).to_pylist() == truth.to_pylist()
    mask = scan.live(piece)
    kept = [True] * piece.rows if mask is None else mask.tolist()
    assert kept == [at + place not in GONE for place in range(piece.rows)]


def test_zone_maps_leave_out_whole_pieces(tmp_path: Path, pool: BufferPool) -> None:
    settings_ = replace(SMALL, chunk_rows=16)
    schema = schema_of(TABLE)
    refs = [
        written(tmp_path, TABLE.slice(0, 40), schema=schema, ulid="01A"),
        written(tmp_path, TABLE.slice(40, 60), schema=schema, ulid="01B", first=40),
    ]
    scan = TableScan(schema, refs, [], pool, settings_)
    counters = ScanCounters()
    left = scan.pieces([Comparison("n", ">=", 60, "BIGINT")], counters)
    assert [piece.segment for piece in left] == ["01B"]
    assert counters.segments_pruned == 1
    assert left[0] == scan.pieces()[-1]
    assert scan.pieces([Comparison("n", ">", 1000, "BIGINT")]) == []


def test_a_slice_of_a_cold_piece_reads_its_chunks_alone(tmp_path: Path) -> None:
    pool = BufferPool(1 << 24, 2)
    ref = written(tmp_path, TABLE, schema=schema_of(TABLE), ulid="01A")  # chunks of 16 rows in one piece
    scan = TableScan(schema_of(TABLE), [ref], [], pool, SMALL)
    (piece,) = scan.pieces()
    narrow, whole, again = ScanCounters(), ScanCounters(), ScanCounters()
    assert scan.read_piece(piece, [1], narrow, 20, 5).column(0).to_pylist() == list(range(20, 25))
    assert narrow.chunks_read == 1
    scan.read_piece(piece, [1], whole)
    assert narrow.bytes_read < whole.bytes_read
    scan.read_piece(piece, [1], again, 90)
    assert again.bytes_read == 0
    pool.close()


def test_keys_name_stored_rows(scan: TableScan, pool: BufferPool) -> None:
    other = TableScan(scan.table, scan._segments, (), pool, SMALL)  # pyright: ignore[reportPrivateUsage]
    assert [piece.key for piece in other.pieces()] == [piece.key for piece in scan.pieces()[:-1]]
    assert len({piece.key for piece in scan.pieces()}) == 3
    assert scan.column_key(1) != scan.column_key(2)
    assert scan.column_key(1) == other.column_key(1)


def test_a_metered_source_counts_each_segment_once(scan: TableScan) -> None:
    total = ScanCounters()
    metered = MeteredScan(scan, total)
    assert isinstance(metered, SupportsPieces)
    pieces = metered.pieces() or ()
    for piece in pieces:
        for first in (0, 5):
            metered.read_piece(piece, [1], ScanCounters(), first, 5)
    assert total.segments_read == 2
    assert total.rows_read == 2 * 5 * len(pieces)
    assert metered.column_key(2) == scan.column_key(2)
