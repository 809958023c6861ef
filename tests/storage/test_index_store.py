"""Index generations in the catalog: listed without a snapshot, one after the other, whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pytest

from luma_bench.errors import CorruptionError
from luma_bench.storage.index_files import IndexWriter, verify_index
from luma_bench.storage.index_store import KEPT, Generation
from luma_bench.storage.store import Store

INDEX = 77


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "b.luma") as made:
        made.write("t", pa.table({"a": [1]}))
        yield made


def fill(writer: IndexWriter) -> None:
    with writer.open("values.bin") as stream:
        stream.write(b"something")


def written(store: Store, snapshot: int | None = None) -> Generation | None:
    table = store.resolve().find("t").id
    return store.indexes.write(table, INDEX, snapshot or store.head(), "csr", fill, parameters={"a": 1})


def listed(store: Store) -> list[Generation]:
    return store.indexes.generations(1, INDEX)


def test_a_generation_is_listed_without_a_snapshot(store: Store) -> None:
    head = store.head()
    made = written(store)
    assert made is not None
    assert store.head() == head
    assert listed(store) == [made]
    assert (made.begin, made.manifest().kind, made.manifest().parameters) == (head, "csr", {"a": 1})
    assert list(verify_index(made.folder, made.sha256)) == []
    assert (made.folder / "values.bin").read_bytes() == b"something"
    assert store.check().ok


def test_only_a_later_snapshot_takes_its_place(store: Store) -> None:
    first = written(store)
    assert written(store) is None
    store.write("t", pa.table({"a": [2]}), mode="append")
    second = written(store)
    assert written(store, store.head() - 1) is None
    assert listed(store) == [second, first]
    assert sorted(path.name for path in first.folder.parent.iterdir()) == [first.ulid, second.ulid]
    assert store.check().ok


def test_some_are_kept_and_the_others_go_with_the_next_collection(store: Store) -> None:
    for value in range(KEPT + 2):
        store.write("t", pa.table({"a": [value]}), mode="append")
        written(store)
    assert len(listed(store)) == KEPT
    assert store.check().ok
    store.compact(retention="forever")
    assert {path.name for path in listed(store)[0].folder.parent.iterdir()} == {
        item.ulid for item in listed(store)
    }


def test_what_expired_with_its_snapshots_is_removed(store: Store) -> None:
    first = written(store)
    store.write("t", pa.table({"a": [2]}), mode="append")
    second = written(store)
    store.write("t", pa.table({"a": [3]}), mode="append")
    store.compact(retention=0.0)
    assert listed(store) == [second]
    assert not first.folder.exists()
    assert second.folder.exists()
    assert store.check().ok


@pytest.mark.parametrize("end", ["drop", "replace"])
def test_nothing_is_listed_of_a_table_that_ended_meanwhile(store: Store, end: str) -> None:
    snapshot = store.head()
    if end == "drop":
        store.drop_table("t")
    else:
        store.write("t", pa.table({"a": [2]}), mode="replace")
    assert store.indexes.write(1, INDEX, snapshot, "csr", fill) is None
    assert listed(store) == []
    assert not list((store.path / "index").glob("*/*/*"))
    assert store.check().ok


def test_a_fill_that_fails_leaves_nothing(store: Store) -> None:
    def broken(writer: IndexWriter) -> None:
        fill(writer)
        raise OSError("The disk has gone.")

    with pytest.raises(OSError, match="gone"):
        store.indexes.write(1, INDEX, store.head(), "csr", broken)
    assert listed(store) == []
    assert not list((store.path / "index").glob("*/*/*"))
    assert not store._catalog.leases()


def test_a_commit_whose_answer_was_lost_keeps_its_files(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = store._catalog.write

    def lost(work):
        known(work)
        raise OSError("The connection has gone.")

    monkeypatch.setattr(store._catalog, "write", lost)
    with pytest.raises(OSError, match="gone"):
        written(store)
    (made,) = listed(store)
    assert list(verify_index(made.folder, made.sha256)) == []


def test_two_writers_of_one_snapshot_leave_one(store: Store) -> None:
    barrier = threading.Barrier(4)
    found: list[Generation | None] = []

    def write() -> None:
        barrier.wait()
        found.append(written(store))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (made,) = [item for item in found if item is not None]
    assert listed(store) == [made]
    assert list(made.folder.parent.iterdir()) == [made.folder]


def test_a_reader_lists_and_writes_nothing(store: Store) -> None:
    made = written(store)
    with Store.open(store.path, mode="r") as reader:
        assert reader.indexes.generations(1, INDEX) == [made]
        assert reader.indexes.write(1, INDEX + 1, reader.head(), "csr", fill) is None
        reader.indexes.drop(made)
    assert listed(store) == [made]


def test_one_that_is_dropped_is_not_listed(store: Store) -> None:
    made = written(store)
    store.indexes.drop(made)
    assert listed(store) == []
    assert store.check().ok
    store.compact(retention="forever")
    assert not made.folder.exists()
    with pytest.raises(CorruptionError):
        made.manifest()
