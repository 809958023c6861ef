"""`check` finds whatever is wrong, names it, and is silent about what is right."""

from __future__ import annotations

import sqlite3
import struct
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.errors import CancelledError, CatalogError, CorruptionError
from luma_bench.storage.check import CheckReport
from luma_bench.storage.compact import compact_store
from luma_bench.storage.segment_index import TAIL_BYTES, read_trailer
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
    total = seen[-1][1]
    assert seen == [(n, total) for n in range(1, total + 1)]


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
    other = store.resolve(2).segments(1)[1]
    sql(
        store, "UPDATE segment SET stats = ? WHERE ulid = ?", other.stats, store.resolve().segments(1)[0].ulid
    )
    report = store.check()
    assert "the catalog's statistics: The zone map" in texts(report)
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


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Store]:
    """A table with a primary key, deletions of rows in segments and in the tail, and a segment of re-sorted rows."""
    with Store.open(tmp_path / "k.luma", settings=SETTINGS) as opened:
        numbers = np.arange(2_000)
        opened.write("t", {"k": numbers[::-1], "v": numbers}, primary_key="k", sort_by="k")
        opened.delete("t", np.array([1, 5, 700]))
        opened.delete("t", np.array([2, 1_500]))
        opened.write("t", {"k": [5_000, 6_000], "v": [1, 2]}, mode="append")
        opened.delete("t", np.array([2_001]))
        opened.write("t", {"k": [5_000, 7], "v": [9, 9]}, mode="upsert")
        compact_store(opened._catalog, opened.pool, opened.settings, retention="forever")
        opened.delete("t", np.array([100]))
        yield opened


def test_a_table_with_deletes_keys_and_stored_row_ids_is_sound(keyed: Store) -> None:
    report = keyed.check()
    assert report.ok, str(report)
    assert report.deletions >= 4
    assert "0 problems" in str(report)
    assert report.nbytes > 0
    assert any(ref.first_row_id is None for ref in keyed.resolve().segments(1))
    quick = keyed.check(deep=False)
    assert quick.ok
    assert not quick.deep
    assert quick.nbytes < report.nbytes


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("UPDATE deletion SET positions = zeroblob(length(positions))", "the checksum is wrong"),
        ("UPDATE deletion SET rows = rows + 1", "rows where the catalog says"),
        ("UPDATE deletion SET part = 'nobody' WHERE begin_snapshot = 3", "is of a part that is not there"),
        ("UPDATE deletion SET begin_snapshot = 2 WHERE part IN (SELECT ulid FROM segment WHERE level > 0)", "lives outside of its part's life"),
        ("UPDATE deletion SET table_id = 7 WHERE begin_snapshot = 3", "names table 7"),
        ("UPDATE segment SET last_row_id = last_row_id + 1 WHERE level = 0", "and the row ids"),
        ("UPDATE segment SET last_row_id = last_row_id - 1 WHERE row_ids_stored", "the catalog says"),
        ("UPDATE segment SET row_ids_stored = 0 WHERE row_ids_stored", "differ on where row ids are"),
        ("UPDATE segment SET first_row_id = 0 WHERE row_ids_stored", "the catalog says"),
        ("UPDATE snapshot SET expired = 1 WHERE id = (SELECT max(id) FROM snapshot)", "is expired"),
        ("UPDATE snapshot SET schema_snapshot = 1 WHERE id = 3", "names 1 for its schema"),
        ("UPDATE snapshot SET operation = 'explode' WHERE id = 3", "which there is not"),
        ("INSERT INTO doomed SELECT ulid, table_id, 0 FROM segment WHERE end_snapshot IS NULL LIMIT 1", "is about to be removed, but"),
        ("INSERT INTO lease VALUES ('l', 'read', 'x', 999, 0, 0)", "which is not there"),
        ("UPDATE bench_column SET name = 'w' WHERE name = 'v'", "its type says 'v'"),
        ("UPDATE bench_table SET name = 'other'", "is named 'other'"),
        ("UPDATE bench_table SET settings = '{]'", "cannot be read"),
        ("UPDATE bench_column SET arrow = x'00'", "cannot be read"),
        ("UPDATE segment SET rows = 'many' WHERE level = 0", "hold no number in rows"),
        ("UPDATE segment SET stats = CAST(substr(stats, 1, 100) || x'01' || substr(stats, 102) AS BLOB)", "the catalog's statistics"),
        ("INSERT INTO index_generation VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 1, 1, 'csr', 'x', 2, NULL)", "its manifest cannot be read"),
    ],
)  # fmt: skip
def test_hand_edited_rows_are_found(keyed: Store, change: str, text: str) -> None:
    sql(keyed, change)
    keyed.close()
    with Store.open(keyed.path, settings=SETTINGS) as opened:
        report = opened.check()
    assert text in texts(report), str(report)


def test_a_deletion_of_a_deleted_row_is_found(keyed: Store) -> None:
    sql(
        keyed,
        "INSERT INTO deletion SELECT id + 77, table_id, part, rows, begin_snapshot, end_snapshot, crc32c, positions FROM deletion WHERE begin_snapshot = 3 LIMIT 1",
    )
    assert "deletes a row that deletion" in texts(keyed.check())


def test_two_rows_of_one_key_are_found(keyed: Store) -> None:
    assert keyed.check().ok
    # A deletion that is forgotten brings the old row of an upsert back.
    for part in ("segment", "inline_blob"):
        sql(keyed, f"UPDATE {part} SET end_snapshot = NULL")
    sql(keyed, "DELETE FROM deletion")
    keyed.close()
    with Store.open(keyed.path, settings=SETTINGS) as opened:
        report = opened.check()
    assert "twice" in texts(report)


def test_keys_are_compared_by_value_where_codes_are_hashes(tmp_path: Path) -> None:
    with Store.open(tmp_path / "h.luma", settings=SETTINGS) as store:
        data = {"a": [f"x{n}" for n in range(600)], "b": np.arange(600) % 7, "v": np.arange(600)}
        store.write("t", data, primary_key=("a", "b"))
        store.write("t", {"a": ["y"], "b": [1], "v": [0]}, mode="append")
        assert store.check().ok
        sql(store, "UPDATE segment SET stats = NULL")
        second = store.write("u", data, primary_key=("a", "b"))
        assert second.id
        # The same file as a second part of the table: every key is there twice.
        ref = store.resolve().segments(1)[0]
        ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        (ref.path.parent / f"{ulid}.zarr.zip").write_bytes(ref.path.read_bytes())
        sql(
            store,
            "INSERT INTO segment SELECT ?, table_id, level, rows, nbytes, 601, 1200, row_ids_stored, begin_snapshot, end_snapshot, stats FROM segment WHERE ulid = ?",
            ulid, ref.ulid,
        )  # fmt: skip
        sql(store, "UPDATE table_counter SET next_row_id = 1201 WHERE table_id = 1")
        store.close()
    with Store.open(tmp_path / "h.luma", settings=SETTINGS) as store:
        assert "holds the primary key (a='x" in texts(store.check())


def test_a_check_can_be_cancelled(keyed: Store) -> None:
    stop = threading.Event()

    def cancel(done: int, total: int) -> None:
        stop.set()

    with pytest.raises(CancelledError):
        keyed.check(cancel, stop=stop)

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keyed.check(fail)


def test_the_quick_check_sees_ends_and_the_catalog(store: Store) -> None:
    first, second = (ref.path for ref in store.resolve().segments(1))
    first.unlink()
    data = bytearray(second.read_bytes())
    offset, length, _ = read_trailer(bytes(data[-TAIL_BYTES:]))
    data[offset + length // 2] ^= 1
    second.write_bytes(data)
    assert len({problem.segment for problem in store.check(deep=False).problems}) == 2


def flipped(path: Path, data: bytes, rng: np.random.Generator) -> None:
    places = np.flatnonzero(np.frombuffer(data, np.uint8))
    changed = bytearray(data)
    changed[int(rng.choice(places))] ^= 1 << int(rng.integers(8))
    path.write_bytes(changed)


def rows_of(store: Store) -> list[object]:
    """Every row of every table at every snapshot."""
    views = [store.resolve(snapshot.id) for snapshot in store.snapshots()]
    return [
        (at.id, name, store.scan(at, name).read(["_rowid", *at.tables[name].names]).to_pydict())
        for at in views
        for name in sorted(at.tables)
    ]


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_a_flipped_byte_of_the_catalog_is_found_or_changes_no_row(tmp_path: Path, seed: int) -> None:
    """The catalog's pages have no checksums; what a check does not find must not change an answer."""
    folder = tmp_path / "c.luma"
    settings = Settings(inline_bytes=500, shard_rows=100, chunk_rows=64, threads=1)
    with Store.open(folder, settings=settings) as store:
        store.write("t", {"k": np.arange(200), "s": [f"x{n % 9}" for n in range(200)]}, primary_key="k")
        store.delete("t", np.array([5, 6, 150]))
        store.write("t", {"k": [1_000], "s": ["q"]}, mode="append")
        store.delete("t", np.array([200]))
    with Store.open(folder, settings=settings) as store:
        expected = rows_of(store)
    path = folder / "catalog.sqlite"
    data = path.read_bytes()
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(120 if seed > 1 else 60):
        flipped(path, data, rng)
        try:
            with Store.open(folder, mode="r", settings=settings) as store:
                report = store.check()
                found += not report.ok
                if report.ok:
                    assert rows_of(store) == expected
        except (CatalogError, CorruptionError):
            found += 1
    assert found > 20
