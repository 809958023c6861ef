"""`check` finds whatever is wrong, names it, and is silent about what is right."""

from __future__ import annotations

import sqlite3
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError
from luma_bench.storage.check import CheckReport
from luma_bench.storage.store import Store

SETTINGS = Settings(inline_bytes=2_000, shard_rows=1_000, chunk_rows=128, threads=2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two tables with segments, old and new, and inline rows."""
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as opened:
        numbers = np.arange(2_500)
        data = pa.table(
            {
                "i": numbers,
                "f": np.where(numbers % 10 == 0, np.nan, numbers * 0.5),
                "s": [None if n % 7 == 0 else f"text {n}" for n in range(2_500)],
                "d": pa.array([f"k{n % 5}" for n in range(2_500)]).dictionary_encode(),
                "l": [[n, None] for n in range(2_500)],
            }
        )
        opened.write("t", data)
        opened.write("t", data.slice(0, 1_500), mode="replace")
        opened.write("t", data.slice(0, 5), mode="append")
        opened.write("u", {"a": [1, 2]})
        opened.drop_table("u")
        yield opened


def sql(store: Store, text: str, *values: object) -> None:
    connection = sqlite3.connect(store.path / "catalog.sqlite")
    with connection:
        connection.execute(text, values)
    connection.close()


def texts(report: CheckReport) -> str:
    return "\n".join(problem.text for problem in report.problems)


def test_a_sound_bench_is_ok_and_progress_reaches_the_end(store: Store) -> None:
    seen: list[tuple[int, int]] = []
    report = store.check(lambda done, total: seen.append((done, total)))
    assert report.ok
    assert report.problems == report.notes == ()
    assert (report.segments, report.blobs) == (5, 2)
    assert seen == [(n, 8) for n in range(1, 9)]


def segment(store: Store) -> Path:
    return store.resolve().segments(1)[0].path


def payload(path: Path) -> list[tuple[int, int]]:
    """Where the encoded chunks of the columns lie in the file: offset and length of each ZIP entry's data."""
    found: list[tuple[int, int]] = []
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if "/c/" in entry.filename and not entry.filename.startswith("_"):
                header = path.read_bytes()[entry.header_offset : entry.header_offset + 30]
                names = sum(struct.unpack("<HH", header[26:30]))
                found.append((entry.header_offset + 30 + names, entry.file_size))
    return found


def test_a_flipped_byte_names_segment_column_and_chunk(store: Store) -> None:
    path = segment(store)
    offset, length = payload(path)[0]
    with path.open("r+b") as stream:
        stream.seek(offset + length // 4)
        byte = stream.read(1)[0]
        stream.seek(offset + length // 4)
        stream.write(bytes([byte ^ 4]))
    report = store.check()
    assert not report.ok
    (problem,) = report.problems
    assert problem.segment == path.name.removesuffix(".zarr.zip")
    assert problem.column in ("i", "f", "s", "d", "l")
    assert isinstance(problem.chunk, int)
    with pytest.raises(CorruptionError):
        store.scan(store.resolve(), "t").read()


def test_missing_and_torn_files_are_found(store: Store) -> None:
    first, second = (ref.path for ref in store.resolve().segments(1))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-100])
    report = store.check()
    assert {problem.segment for problem in report.problems} == {
        path.name.split(".")[0] for path in (first, second)
    }


def test_a_damaged_inline_blob_is_found(store: Store) -> None:
    sql(store, "UPDATE inline_blob SET ipc = zeroblob(length(ipc)) WHERE table_id = 1")
    (problem,) = store.check().problems
    assert problem.segment.startswith("inline blob")
    assert "checksum" in problem.text


def test_statistics_that_would_hide_rows_are_found(store: Store) -> None:
    other = store.resolve(2).segments(1)[2]
    sql(
        store, "UPDATE segment SET stats = ? WHERE ulid = ?", other.stats, store.resolve().segments(1)[0].ulid
    )
    report = store.check()
    assert "The catalog's statistics: The zone map" in texts(report)
    assert {problem.column for problem in report.problems} >= {"i"}
    sql(store, "UPDATE segment SET stats = ? WHERE ulid = ?", b"junk", store.resolve().segments(1)[0].ulid)
    assert "no Arrow data" in texts(store.check())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("UPDATE segment SET first_row_id = 100 WHERE begin_snapshot = 2", "hold the same row ids"),
        (
            "UPDATE segment SET first_row_id = 100000 WHERE begin_snapshot = 3",
            "row ids that it never gave out",
        ),
        (
            "UPDATE segment SET end_snapshot = 1 WHERE begin_snapshot = 2",
            "ends at snapshot 1, before it begins",
        ),
        (
            "UPDATE segment SET begin_snapshot = 77 WHERE begin_snapshot = 3",
            "changes at snapshot 77, which records no",
        ),
        ("UPDATE segment SET rows = rows + 1 WHERE begin_snapshot = 2", "rows instead of"),
        ("DELETE FROM bench_column WHERE table_id = 1", "has no columns at snapshot 2"),
        ("DELETE FROM bench_table WHERE table_id = 1", "belongs to table 1, which is not there"),
        ("DELETE FROM table_counter WHERE table_id = 1", "Table 1 has no counters"),
        ("UPDATE table_counter SET next_column_id = 2", "was never given its id"),
        ("UPDATE bench_counter SET value = 0 WHERE name = 'table'", "Table 1 was never given its id"),
        ("UPDATE bench_table SET name = 'T', end_snapshot = NULL", "Two tables are named"),
        ("UPDATE snapshot SET time = 0 WHERE id = 3", "older than the one before"),
        ("INSERT INTO tag VALUES ('x', 99, 0, '')", "The tag 'x' names snapshot 99"),
        (
            "DELETE FROM snapshot_change WHERE snapshot_id = 3",
            "changes at snapshot 3, which records no such change",
        ),
    ],
)
def test_broken_promises_of_the_catalog_are_found(store: Store, change: str, text: str) -> None:
    sql(store, change)
    report = store.check()
    assert not report.ok
    assert text in texts(report)


def test_files_that_no_snapshot_lists_are_notes(store: Store) -> None:
    path = segment(store)
    orphan = path.with_name("01ARZ3NDEKTSV4RRFFQ69G5FAV.zarr.zip")
    orphan.write_bytes(b"half")
    report = store.check()
    assert report.ok
    (note,) = report.notes
    assert note.segment == "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert "may be deleted" in note.text
    sql(store, "INSERT INTO lease VALUES ('l', 'write', 'host:1', 1, 0, ?)", 1 << 60)
    assert "a writer may be about to commit it" in store.check().notes[0].text
