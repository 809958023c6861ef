"""Any byte of a segment may be wrong: reading refuses it or gives the very same rows, and `verify` always finds it."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import SMALL, schema_of, written

from luma_bench.errors import CorruptionError
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.store import Store
from luma_bench.types.scan import ScanCounters

ROWS = 40
TABLE = pa.table(
    {
        "n": pa.array([None if i % 7 == 3 else i for i in range(ROWS)], pa.int64()),
        "x": pa.array([i / 3 for i in range(ROWS)]),
        "ok": pa.array([i % 3 == 0 for i in range(ROWS)]),
        "text": pa.array([f"text {i}" for i in range(ROWS)]),
        "few": pa.array([f"word {i % 3}" for i in range(ROWS)]),
        "list": pa.array([list(range(i % 4)) for i in range(ROWS)]),
    }
)
SCHEMA = schema_of(TABLE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SegmentRef:
    return written(tmp_path_factory.mktemp("whole"), TABLE)


def answers(ref: SegmentRef) -> tuple[pa.Table, pa.Table]:
    """Every row, by both ways of reading, from a pool that holds nothing yet."""
    pool = BufferPool(1 << 24, 1)
    try:
        scan = TableScan(SCHEMA, [ref], [], pool, SMALL)
        streamed = scan.stream(None, [], ScanCounters()).read_all()
        return scan.read(), streamed
    finally:
        pool.close()


def damaged(ref: SegmentRef, folder: Path, at: int, mask: int) -> SegmentRef:
    data = bytearray(ref.path.read_bytes())
    data[at] ^= mask
    path = folder / "damaged.zarr.zip"
    path.write_bytes(data)
    return replace(ref, path=path)


def holds(whole: SegmentRef, folder: Path, at: int, mask: int) -> CorruptionError | None:
    """Check one damaged byte; the error of reading, if there was one."""
    bad = damaged(whole, folder, at, mask)
    caught: CorruptionError | None = None
    try:
        exact, streamed = answers(bad)
    except CorruptionError as error:
        caught = error
    else:
        good = answers(whole)
        assert exact.equals(good[0])
        assert streamed.equals(good[1])
    try:
        problems = Segment.open(bad).verify()
    except CorruptionError as error:
        problems = [error]
    assert problems, at
    assert caught is None or caught.segment == whole.ulid
    assert all(problem.segment == whole.ulid for problem in problems)
    return caught


def regions(ref: SegmentRef) -> dict[str, list[tuple[int, int]]]:
    """Where everything lies in the file: local headers, metadata, chunk data, `_index`, central directory, end."""
    found: dict[str, list[tuple[int, int]]] = {"header": [], "json": [], "data": [], "index": []}
    data = ref.path.read_bytes()
    with zipfile.ZipFile(ref.path) as archive:
        for entry in archive.infolist():
            head = entry.header_offset
            body = head + 30 + int.from_bytes(data[head + 26 : head + 28], "little")
            body += int.from_bytes(data[head + 28 : head + 30], "little")
            found["header"].append((head, body))
            kind = (
                "json"
                if entry.filename.endswith(".json")
                else "index"
                if entry.filename.startswith("_index")
                else "data"
            )
            found[kind].append((body, body + entry.file_size))
        directory = archive.start_dir
    end = len(data) - 22 - len(archive.comment)
    found["directory"] = [(directory, end)]
    found["end"] = [(end, len(data))]
    covered = sorted(span for spans in found.values() for span in spans)
    assert covered[0][0] == 0
    assert covered[-1][1] == len(data)
    # Behind the bytes of an entry stands its descriptor: sizes and checksum, written when they are known.
    found["descriptor"] = [(left[1], right[0]) for left, right in pairwise(covered) if left[1] < right[0]]
    assert all(left[1] <= right[0] for left, right in pairwise(covered))
    return found


@pytest.mark.parametrize("kind", ["header", "json", "data", "index", "directory", "end", "descriptor"])
def test_damage_in_every_region_is_found(whole: SegmentRef, tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    spans = regions(whole)[kind]
    places = [
        int(rng.integers(start, stop)) for start, stop in spans for _ in range(1 if len(spans) > 8 else 6)
    ]
    if kind == "end":
        places = list(range(*spans[0]))
    for at in places:
        holds(whole, tmp_path, at, int(rng.integers(1, 256)))


def test_damage_in_a_chunk_names_its_column_and_number(whole: SegmentRef, tmp_path: Path) -> None:
    index = Segment.open(whole).index
    labels = {f"c{column.id}": column.name for column in SCHEMA.columns}
    for name, array in index.arrays.items():
        for chunk in range(array.chunks):
            offset, length = (
                int(part[array.first + chunk]) for part in (index.chunks.offset, index.chunks.length)
            )
            if not length:
                continue
            error = holds(whole, tmp_path, offset + length // 2, 16)
            assert error is not None, name
            assert error.column == labels[name.split(".")[0]]
            assert error.chunk == chunk
            problems = Segment.open(damaged(whole, tmp_path, offset + length // 2, 16)).verify()
            assert [(one.column, one.chunk) for one in problems] == [(error.column, chunk)]


def test_damage_beside_the_chunks_is_said_to_be_harmless(whole: SegmentRef, tmp_path: Path) -> None:
    (problem,) = Segment.open(damaged(whole, tmp_path, 200, 1)).verify()
    assert problem.column is None
    assert "outside the chunks" in problem.message
    assert Segment.open(whole).verify() == []


@settings(deadline=None, max_examples=60)
@given(where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_any_damaged_byte(
    whole: SegmentRef, tmp_path_factory: pytest.TempPathFactory, where: float, mask: int
) -> None:
    holds(whole, tmp_path_factory.getbasetemp(), int(where * whole.nbytes), mask)


@pytest.mark.slow
def test_every_byte(whole: SegmentRef, tmp_path: Path) -> None:
    for at in range(whole.nbytes):
        holds(whole, tmp_path, at, 1 << at % 8)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_torn_file_is_refused(whole: SegmentRef, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "torn.zarr.zip"
    path.write_bytes(whole.path.read_bytes()[: int(whole.nbytes * kept)])
    with pytest.raises(CorruptionError, match="bytes instead of"):
        answers(replace(whole, path=path))
    # The catalog may agree with the torn file's size; it still does not end like a segment.
    with pytest.raises(CorruptionError):
        answers(replace(whole, path=path, nbytes=path.stat().st_size))


def test_a_file_that_shrinks_under_an_open_segment_is_refused(whole: SegmentRef, tmp_path: Path) -> None:
    path = tmp_path / "shrinks.zarr.zip"
    path.write_bytes(whole.path.read_bytes())
    ref = replace(whole, path=path)
    segment = Segment.open(ref)
    path.write_bytes(whole.path.read_bytes()[:300])
    with pytest.raises(CorruptionError):
        segment.read(SCHEMA.columns[-1].id, 0, SCHEMA.columns[-1].type)
    assert segment.verify()
    path.unlink()
    with pytest.raises(CorruptionError, match="No such file"):
        segment.read(SCHEMA.columns[0].id, 0, pa.int64())
    assert "No such file" in segment.verify()[0].message


def test_a_missing_file_is_refused(whole: SegmentRef, tmp_path: Path) -> None:
    with pytest.raises(CorruptionError, match="No such file") as caught:
        answers(replace(whole, path=tmp_path / "none.zarr.zip"))
    assert caught.value.segment == whole.ulid


def test_a_file_of_other_rows_than_the_catalog_says_is_refused(whole: SegmentRef) -> None:
    with pytest.raises(CorruptionError, match="rows instead of"):
        Segment.open(replace(whole, rows=ROWS + 1))


def test_statistics_that_are_no_arrow_data_are_refused(whole: SegmentRef) -> None:
    for stats in (b"", b"junk", (whole.stats or b"")[:40]):
        with pytest.raises(CorruptionError, match="statistics"):
            answers(replace(whole, stats=stats))


def test_a_check_of_the_bench_finds_damage_beside_the_chunks(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma", settings=replace(SMALL, inline_bytes=0)) as store:
        store.write("t", TABLE)
        assert store.check().ok
        ref = store.resolve().segments(1)[0]
        data = bytearray(ref.path.read_bytes())
        data[200] ^= 1
        ref.path.write_bytes(data)
        (problem,) = store.check().problems
        assert problem.segment == ref.ulid
        assert "outside the chunks" in problem.text
        assert store.scan(store.resolve(), "t").read().equals(TABLE)
