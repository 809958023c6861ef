"""Opening, resolving, tagging and what a snapshot records."""

from __future__ import annotations

import datetime as dt
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from backends import on_both, on_sqlite

from luma_bench.config import FORMAT, Settings
from luma_bench.errors import CatalogError, ClosedError, ConfigError, ReadOnlyError
from luma_bench.storage.catalog import commit
from luma_bench.storage.store import Store

pytestmark = on_both


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "b.luma", settings=Settings(author="ada")) as opened:
        yield opened


def values(store: Store, table: str, column: str, at: object = None) -> list[object]:
    return store.scan(store.resolve(at), table).read([column]).column(0).to_pylist()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_bench_has_one_snapshot_and_no_tables(store: Store) -> None:
    (first,) = store.snapshots()
    assert (first.id, first.operation, first.author, first.tables) == (1, "init", "ada", ())
    assert store.head() == 1
    assert dict(store.resolve().tables) == {}
    assert f"format = {FORMAT}" in (store.path / "luma.toml").read_text("utf-8")


def test_every_operation_is_recorded_with_who_what_and_why(store: Store) -> None:
    store.write("t", {"a": [1]}, message="first", token="tok-1")
    store.write("t", {"a": [2]}, mode="append", author="grace")
    store.write("t", {"b": ["x"]}, mode="replace")
    store.create_table(pa.schema([pa.field("n", pa.int8())]), "u", message="empty")
    store.drop_table("t", message="gone")
    found = store.snapshots()
    assert [item.operation for item in found] == ["init", "create", "append", "replace", "create", "drop"]
    assert [item.tables for item in found] == [(), ("t",), ("t",), ("t",), ("u",), ("t",)]
    assert [item.author for item in found] == ["ada", "ada", "grace", "ada", "ada", "ada"]
    assert [item.message for item in found] == ["", "first", "", "", "empty", "gone"]
    assert found[1].token == "tok-1"
    assert len({item.token for item in found}) == 6
    assert all(item.namespace == "main" and item.time.tzinfo is not None for item in found)
    assert [item.time for item in found] == sorted(item.time for item in found)


def test_write_returns_the_snapshot_that_the_list_shows(store: Store) -> None:
    made = store.write("t", {"a": [1, 2]}, message="m")
    assert made == store.snapshots()[-1] == store.resolve().snapshot


def test_every_past_snapshot_reads_as_it_was(store: Store) -> None:
    store.write("t", {"a": [1]})
    store.write("t", {"a": [2]}, mode="append")
    store.write("t", {"b": ["x"], "a": ["now text"]}, mode="replace")
    store.drop_table("t")
    assert values(store, "t", "a", 2) == [1]
    assert values(store, "t", "a", 3) == [1, 2]
    assert values(store, "t", "a", 4) == ["now text"]
    assert store.resolve(3).find("t").arrow == pa.schema([pa.field("a", pa.int64())])
    assert store.resolve(4).find("t").names == ("b", "a")
    assert "t" not in store.resolve(5).tables
    with pytest.raises(CatalogError, match="There is no table 't'"):
        store.resolve().find("t")


def test_a_pinned_snapshot_does_not_move(store: Store) -> None:
    store.write("t", {"a": [1]})
    pinned = store.resolve()
    store.write("t", {"a": [2]}, mode="append")
    store.write("t", {"a": [9]}, mode="replace")
    assert store.scan(pinned, "t").read().to_pydict() == {"a": [1]}
    assert pinned.rows("t") == 1


def test_an_unknown_table_names_the_nearest_and_case_is_ignored(store: Store) -> None:
    store.write("Flights", {"a": [1]})
    assert store.resolve().find("FLIGHTS").name == "Flights"
    with pytest.raises(CatalogError, match="Did you mean 'Flights'"):
        store.resolve().find("flihgts")


def test_resolve_takes_ids_times_tags_and_text(store: Store) -> None:
    store.write("t", {"a": [1]})
    second = store.snapshots()[1]
    store.tag("v1", 2)
    store.write("t", {"a": [2]}, mode="append")
    local = second.time.astimezone().replace(tzinfo=None)
    for at in (2, np.int64(2), "2", "v1", second.time, local, second.time.isoformat()):
        assert store.resolve(at).id == 2, at
    assert store.resolve(dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).id == 3
    assert store.resolve().id == store.resolve(None).id == 3


@pytest.mark.parametrize("at", [0, 99, -1, 1 << 80, "paper", "99", dt.datetime(1999, 1, 1), "1999-01-01"])
def test_an_unknown_snapshot_lists_what_there_is(store: Store, at: object) -> None:
    store.tag("v1")
    with pytest.raises(
        CatalogError, match=r"There is no snapshot .*\n.*snapshots are 1 to 1, from .*tags are: 'v1'"
    ):
        store.resolve(at)


def test_what_cannot_name_a_snapshot_is_refused(store: Store) -> None:
    with pytest.raises(CatalogError, match="A float does not name a snapshot"):
        store.resolve(1.5)


def test_a_tag_is_no_snapshot_is_seen_at_once_and_never_moves(store: Store) -> None:
    store.write("t", {"a": [1]})
    assert store.tag("v1").tags == ("v1",)
    assert store.tag("v1", 2).id == 2
    assert store.tag("also", 2).tags == ("also", "v1")
    assert store.head() == 2
    assert store.resolve().snapshot.tags == ("also", "v1")
    store.write("t", {"a": [2]}, mode="append")
    with pytest.raises(CatalogError, match="'v1' names snapshot 2 already"):
        store.tag("v1")
    assert [item.tags for item in store.snapshots()] == [(), ("also", "v1"), ()]


@pytest.mark.parametrize("name", ["", " ", "12", "2026-01-01", "a\0b"])
def test_a_tag_that_could_mean_something_else_is_refused(store: Store, name: str) -> None:
    with pytest.raises(CatalogError, match="cannot be a tag"):
        store.tag(name)


def test_reopening_shows_the_same(store: Store) -> None:
    store.write("t", {"a": [1, None]}, sort_by="a")
    store.write("t", {"a": [7]}, mode="append")
    before = store.resolve()
    held = before.holds(1)
    store.close()
    with Store.open(store.path) as again:
        after = again.resolve()
        assert (after.id, after.tables, after.holds(1)) == (before.id, before.tables, held)
        assert sorted(values(again, "t", "a"), key=str) == [1, 7, None]


def test_two_stores_see_each_others_commits(store: Store) -> None:
    with Store.open(store.path) as other:
        store.write("t", {"a": [1]})
        other.write("t", {"a": [2]}, mode="append")
        store.write("t", {"a": [3]}, mode="append")
        assert values(other, "t", "a") == values(store, "t", "a") == [1, 2, 3]


def test_a_closed_store_says_so(store: Store) -> None:
    resolved = store.resolve()
    store.close()
    store.close()
    for call in (
        store.head,
        store.snapshots,
        store.resolve,
        lambda: store.write("t", {"a": [1]}),
        store.check,
    ):
        with pytest.raises(ClosedError, match="is closed"):
            call()
    assert resolved.id == 1


def test_a_missing_bench_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="There is no bench"):
        Store.open(tmp_path / "no.luma", mode="r")
    assert not (tmp_path / "no.luma").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(CatalogError, match="There is no bench"):
        Store.open(tmp_path / "empty", mode="r")


def test_an_empty_folder_becomes_a_bench_and_nested_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    Store.open(tmp_path / "empty").close()
    Store.open(tmp_path / "a" / "b" / "c.luma").close()
    with Store.open(str(tmp_path / "a" / "b" / "c.luma"), mode="r") as reader:
        assert reader.head() == 1


def test_what_is_no_bench_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    for name, why in (("file", "it is a file"), ("other", "it has no luma.toml")):
        before = tree(tmp_path)
        with pytest.raises(CatalogError, match=f"is not a Luma bench: {why}"):
            Store.open(tmp_path / name)
        assert tree(tmp_path) == before


@on_sqlite
def test_a_bench_without_its_catalog_is_refused_and_not_replaced(store: Store) -> None:
    store.write("t", {"a": list(range(40_000))})
    store.close()
    (store.path / "catalog.sqlite").unlink()
    with pytest.raises(CatalogError, match=r"its catalog\.sqlite is missing"):
        Store.open(store.path)
    assert not (store.path / "catalog.sqlite").exists()


@on_sqlite
def test_a_damaged_or_newer_bench_is_refused(store: Store) -> None:
    store.close()
    toml = store.path / "luma.toml"
    text = toml.read_text("utf-8")
    toml.write_text(text.replace(f"format = {FORMAT}", f"format = {FORMAT + 1}"), "utf-8")
    with pytest.raises(CatalogError, match=f"has format {FORMAT + 1}"):
        Store.open(store.path)
    toml.write_text("[settings]\n", "utf-8")
    with pytest.raises(CatalogError, match="names no format"):
        Store.open(store.path)
    toml.write_text("format =", "utf-8")
    with pytest.raises(ConfigError, match="not TOML"):
        Store.open(store.path)
    toml.write_text(text, "utf-8")
    catalog = store.path / "catalog.sqlite"
    catalog.write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match="is damaged") as caught:
        Store.open(store.path)
    assert type(caught.value).__name__ == "CorruptionError"


@on_sqlite
def test_an_interrupted_creation_is_finished_by_the_next_open(tmp_path: Path) -> None:
    Store.open(tmp_path / "whole").close()
    half = tmp_path / "half"
    half.mkdir()
    (half / ".luma.toml.draft").write_text("format")
    Store.open(half).close()
    half = tmp_path / "later"
    half.mkdir()
    (half / "luma.toml").write_bytes((tmp_path / "whole" / "luma.toml").read_bytes())
    (half / "catalog.sqlite").touch()
    with pytest.raises(CatalogError, match="its catalog is empty"):
        Store.open(half, mode="r")
    with Store.open(half) as store:
        assert store.head() == 1


def test_the_open_mode_is_checked(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no open mode 'w'"):
        Store.open(tmp_path / "b", mode="w")
    assert not (tmp_path / "b").exists()


def test_read_only_refuses_every_write_and_makes_no_file(store: Store) -> None:
    store.write("t", {"a": [1]})
    store.close()
    before = tree(store.path)
    with Store.open(store.path, mode="r") as reader:
        assert values(reader, "t", "a") == [1]
        assert reader.check().ok
        schema = pa.schema([pa.field("a", pa.int8())])
        calls = (
            lambda: reader.write("t", {"a": [2]}, mode="append"),
            lambda: reader.drop_table("t"),
            lambda: reader.create_table(schema, "u"),
            lambda: reader.tag("v1"),
        )
        for call in calls:
            with pytest.raises(ReadOnlyError, match="this bench is read-only"):
                call()
        assert tree(store.path) == before
    assert tree(store.path) == before


def test_a_reader_follows_a_writer_that_comes_and_goes(store: Store) -> None:
    store.write("t", {"a": [1]})
    store.close()
    reader = Store.open(store.path, mode="r")
    assert values(reader, "t", "a") == [1]
    with Store.open(store.path) as writer:
        writer.write("t", {"a": [2]}, mode="append")
        assert values(reader, "t", "a") == [1, 2]
        writer.write("t", {"a": [3]}, mode="append")
        assert values(reader, "t", "a") == [1, 2, 3]
    assert values(reader, "t", "a") == [1, 2, 3]
    with Store.open(store.path) as writer:
        writer.write("t", {"a": [4]}, mode="append")
    assert values(reader, "t", "a") == [1, 2, 3, 4]
    reader.close()


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no write bit there")
@on_sqlite
def test_a_bench_in_an_unwritable_folder_is_read(store: Store) -> None:
    store.write("t", {"a": [1]})
    store.close()
    store.path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    (store.path / "catalog.sqlite").chmod(stat.S_IRUSR)
    try:
        with Store.open(store.path, mode="r") as reader:
            assert values(reader, "t", "a") == [1]
    finally:
        store.path.chmod(stat.S_IRWXU)


def test_a_clock_that_goes_back_keeps_ids_and_times_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("t", {"a": [1]})
    last = store.snapshots()[-1]
    real = commit.apply
    monkeypatch.setattr(
        "luma_bench.storage.catalog.catalog.apply",
        lambda *given, **more: real(*given, **more, clock=lambda: 1),
    )
    made = store.write("t", {"a": [2]}, mode="append")
    assert made.id == last.id + 1
    assert made.time == last.time
    assert store.resolve(last.time).id == made.id


def test_scans_are_shared_and_follow_the_snapshot(store: Store) -> None:
    store.write("t", {"a": [1]})
    first = store.resolve()
    assert store.scan(first, "t") is store.scan(first, "T")
    store.write("t", {"a": [2]}, mode="append")
    assert store.scan(store.resolve(), "t") is not store.scan(first, "t")


def test_dropping_and_making_a_table_again_gives_it_a_new_id(store: Store) -> None:
    store.write("t", {"a": [1]})
    old = store.resolve().find("t").id
    store.drop_table("t")
    store.write("t", {"a": [2]})
    assert store.resolve().find("t").id > old
    with pytest.raises(CatalogError, match="There is no table 'u'"):
        store.drop_table("u")
