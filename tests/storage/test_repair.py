"""`repair` puts right what `check` finds where the rows are whole, in every snapshot, and leaves the rest alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError, ReadOnlyError
from luma_bench.storage.index_files import IndexWriter, index_folder
from luma_bench.storage.segment import Segment
from luma_bench.storage.store import Store

SETTINGS = Settings(inline_bytes=0, shard_rows=1_000, chunk_rows=128, key_chunk_rows=128, threads=2)
ROWS = 1_500


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A keyed table in two segments with deleted rows, seen by three snapshots."""
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as opened:
        numbers = np.arange(ROWS)
        data = {
            "k": numbers,
            "f": numbers * 0.5,
            "s": [None if n % 7 == 0 else f"t{n % 50}" for n in range(ROWS)],
        }
        opened.write("t", data, primary_key="k")
        opened.delete("t", np.array([3, 500, 1200]))
        opened.write("t", {"k": [9_000], "f": [1.0], "s": ["x"]}, mode="append")
        yield opened


def sql(store: Store, text: str, *values: object) -> None:
    connection = sqlite3.connect(store.path / "catalog.sqlite")
    with connection:
        connection.execute(text, values)
    connection.close()


def answers(store: Store) -> list[pa.Table]:
    return [store.scan(store.resolve(at), "t").read(["_rowid", "k", "f", "s"]) for at in (2, 3, 4)]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 8
    path.write_bytes(data)


def array_place(store: Store, name: str) -> tuple[Path, int]:
    ref = store.resolve().segments(1)[0]
    index = Segment.open(ref).index
    array = next(array for key, array in index.arrays.items() if key.startswith(name))
    place = array.first
    return ref.path, int(index.chunks.offset[place]) + int(index.chunks.length[place]) // 2


def reopened(store: Store) -> Store:
    return Store.open(store.path, settings=SETTINGS)


def damage_metadata(store: Store) -> None:
    flip(store.resolve().segments(1)[0].path, 200)


def damage_keys(store: Store) -> None:
    flip(*array_place(store, "_pk.exact"))


def damage_bloom(store: Store) -> None:
    flip(*array_place(store, "_pk.bloom"))


def damage_statistics(store: Store) -> None:
    first, second, _ = store.resolve().segments(1)
    sql(store, "UPDATE segment SET stats = ? WHERE ulid = ?", second.stats, first.ulid)


def junk_statistics(store: Store) -> None:
    sql(store, "UPDATE segment SET stats = ? WHERE ulid = ?", b"junk", store.resolve().segments(1)[0].ulid)


@pytest.mark.parametrize(
    "damage", [damage_metadata, damage_keys, damage_bloom, damage_statistics, junk_statistics]
)
def test_what_is_beside_the_rows_is_repaired_in_every_snapshot(
    store: Store, damage: Callable[[Store], None]
) -> None:
    expected = answers(store)
    assert store.check().ok
    damage(store)
    with reopened(store) as opened:
        report = opened.check()
        assert report.problems
        planned = opened.repair()
        assert planned.dry_run
        assert planned.steps
        assert planned.ok
        assert "dry run" in str(planned)
        assert opened.check().problems == report.problems
        done = opened.repair(dry_run=False)
        assert done.ok, str(done)
        assert [step.outcome for step in done.steps] == ["done"] * len(done.steps)
        assert opened.check().ok
        assert all(left.equals(right) for left, right in zip(answers(opened), expected, strict=True))
        scan = opened.scan(opened.resolve(), "t")
        assert scan.lookup().get(499) == {"k": 499, "f": 249.5, "s": "t49"}
        assert scan.lookup().get(500) is None
    with reopened(store) as opened:
        opened.write("t", {"k": [20_000], "f": [0.0], "s": [None]}, mode="append")
        assert opened.repair().steps or opened.check().notes == ()
        opened.repair(dry_run=False)
        assert opened.check().notes == ()


def test_rows_that_are_damaged_are_left_and_said(store: Store) -> None:
    path, at = array_place(store, "c2")
    flip(path, at)
    with reopened(store) as opened:
        report = opened.repair(dry_run=False)
        assert not report.ok
        assert report.steps == ()
        (problem,) = report.left
        assert (problem.column, problem.chunk) == ("f", 0)
        assert "cannot be repaired" in str(report)


def test_salvage_saves_what_can_be_read(store: Store) -> None:
    expected = answers(store)[-1]
    path, at = array_place(store, "c2")
    flip(path, at)
    store.resolve().segments(1)[1].path.unlink()
    with reopened(store) as opened:
        planned = opened.repair(salvage=True)
        assert any("t_salvaged" in step.text for step in planned.steps)
        assert "t_salvaged" not in opened.resolve().tables
        done = opened.repair(dry_run=False, salvage=True)
        assert "126 rows with the row ids 0 to 127" in str(
            done
        ) or "127 rows with the row ids 0 to 127" in str(done)
        saved = opened.scan(opened.resolve(), "t_salvaged").read()
        keep = [128 <= row < 1_000 or row >= ROWS for row in expected.column("_rowid").to_pylist()]
        assert saved.equals(expected.filter(pa.array(keep)).drop_columns(["_rowid"]))
        assert opened.resolve().find("t_salvaged").settings.primary_key == ("k",)
        with pytest.raises(CorruptionError):
            opened.scan(opened.resolve(), "t").read()


def test_files_that_nobody_needs_are_moved_and_dead_leases_go(store: Store) -> None:
    folder = store.resolve().segments(1)[0].path.parent
    orphan, foreign = folder / "01ARZ3NDEKTSV4RRFFQ69G5FAV.zarr.zip", folder / "notes.txt"
    orphan.write_bytes(b"half")
    foreign.write_text("mine")
    sql(store, "INSERT INTO lease VALUES ('l', 'write', 'host:1', 1, 0, 1)")
    assert {note.kind for note in store.check().notes} == {"orphan", "foreign", "lease"}
    assert store.repair(dry_run=False).ok
    assert store.check().notes == ()
    lost = store.path / "lost+found" / "segments" / "1"
    assert {path.name for path in lost.iterdir()} == {orphan.name, foreign.name}
    assert (lost / "notes.txt").read_text() == "mine"


def test_a_living_writer_keeps_its_files(store: Store) -> None:
    folder = store.resolve().segments(1)[0].path.parent
    orphan = folder / "01ARZ3NDEKTSV4RRFFQ69G5FAV.zarr.zip"
    orphan.write_bytes(b"half")
    sql(store, "INSERT INTO lease VALUES ('l', 'write', 'host:1', 1, 0, ?)", 1 << 60)
    store.repair(dry_run=False)
    assert orphan.exists()


def test_a_damaged_index_is_dropped(store: Store) -> None:
    ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    place = index_folder(store.path, 1, 1, ulid)
    with IndexWriter(place, kind="csr", snapshot=2) as writer:
        with writer.open("a.bin") as stream:
            stream.write(b"12345")
        sha256 = writer.finish()
    sql(store, "INSERT INTO index_generation VALUES (?, 1, 1, 'csr', ?, 2, NULL)", ulid, sha256)
    assert store.check().ok
    assert store.check().indexes == 1
    (place / "a.bin").write_bytes(b"12346")
    (problem,) = store.check().problems
    assert (problem.segment, problem.kind) == (ulid, "index")
    assert store.check(deep=False).ok
    assert store.repair(dry_run=False).ok
    assert store.check().indexes == 0
    store.repair(dry_run=False)
    assert not place.exists()


def test_a_read_only_bench_is_looked_at_only(store: Store) -> None:
    damage_statistics(store)
    store.close()
    with Store.open(store.path, mode="r", settings=SETTINGS) as opened:
        assert opened.repair().steps
        with pytest.raises(ReadOnlyError):
            opened.repair(dry_run=False)


def test_a_sound_bench_needs_nothing(store: Store) -> None:
    assert str(store.repair()) == "Nothing to repair."
    assert store.repair(dry_run=False).steps == ()
