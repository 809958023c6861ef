"""Publishing into folders: what is there, what a crash leaves, and what reads it without a database."""

from __future__ import annotations

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import published_cases as cases
import pytest
from backends import on_both

import luma_bench as lb
from luma_bench.errors import CatalogError, CorruptionError, ReadOnlyError, UnsupportedError
from luma_bench.storage import publish as publishing
from luma_bench.storage.files import LocalFile
from luma_bench.storage.publication import POINTER
from luma_bench.storage.remote.folder import LocalFolder
from luma_bench.storage.remote.store import PublishedStore
from luma_bench.storage.store import Store
from luma_bench.types.scan import ScanCounters


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, cases.Answers]:
    folder = tmp_path_factory.mktemp("published") / "b.luma"
    return folder, cases.make(folder)


@pytest.fixture
def bench(original: tuple[Path, cases.Answers], tmp_path: Path) -> Path:
    return Path(shutil.copytree(original[0], tmp_path / "b.luma"))


@pytest.fixture
def expected(original: tuple[Path, cases.Answers]) -> cases.Answers:
    return original[1]


def opened(folder: Path) -> PublishedStore:
    return PublishedStore.open_folder(folder, cases.SETTINGS)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_snapshot_reads_the_same_from_its_publication(
    bench: Path, expected: cases.Answers, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "pub"
    with Store.open(bench, settings=cases.SETTINGS) as store:
        for snapshot in store.snapshots():
            store.publish(target, snapshot.id)
        listed = store.snapshots()
    with opened(target) as published:
        assert published.snapshots() == listed
        assert published.head() == max(expected)
        for snapshot, tables in expected.items():
            pinned = published.resolve(snapshot)
            assert pinned.snapshot == next(one for one in listed if one.id == snapshot)
            cases.assert_same(
                {
                    name: published.scan(pinned, name).read(["_rowid", *table.column_names[1:]])
                    for name, table in tables.items()
                },
                tables,
            )
        assert published.resolve("paper").id == next(one.id for one in listed if one.tags)
        assert published.check().ok


def test_a_publication_holds_only_its_snapshot(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        made = store.publish(tmp_path / "pub", "paper")
    assert (made.segments, made.uploaded) == (3, 3)
    with opened(tmp_path / "pub") as published:
        assert [one.id for one in published.snapshots()] == [made.snapshot.id]
        with pytest.raises(CatalogError, match="no snapshot 5") as caught:
            published.resolve(5)
        assert "3 'paper'" in str(caught.value)
        with pytest.raises(CatalogError, match="no snapshot"):
            published.resolve(made.snapshot.time.replace(year=2000))
        assert published.resolve(made.snapshot.time).id == made.snapshot.id
        assert published.resolve(str(made.snapshot.id)).id == made.snapshot.id


def test_publishing_again_gives_the_same_bytes_whatever_happened_since(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        first = store.publish(tmp_path / "a", "paper")
        before = files(tmp_path / "a")
        assert store.publish(tmp_path / "a", "paper").nbytes == 0
        assert files(tmp_path / "a") == before
        store.write("later", {"n": [1]})
        store.write("big", {"n": [5], "x": [1.0], "s": ["s"], "l": [[1]]}, mode="append")
        store.drop_table("small")
        second = store.publish(tmp_path / "b", "paper")
    assert first.catalog == second.catalog
    assert files(tmp_path / "b") == before


def test_a_later_tag_changes_the_pointer_alone(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        made = store.publish(tmp_path / "a", "paper")
        store.tag("again", made.snapshot.id)
        assert store.publish(tmp_path / "a", made.snapshot.id).nbytes == 0
    with opened(tmp_path / "a") as published:
        assert published.snapshots()[0].tags == ("again", "paper")
        assert published.resolve("again").snapshot.tags == ("again", "paper")


def test_the_newest_snapshot_is_the_latest_in_whatever_order(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        for one, two, folder in ((2, 4, "a"), (4, 2, "b")):
            store.publish(tmp_path / folder, one)
            store.publish(tmp_path / folder, two)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert json.loads((tmp_path / "a" / POINTER).read_bytes())["latest"] == 4


@pytest.mark.parametrize("step", range(6))
def test_a_publication_that_stops_at_any_step_leaves_the_former_one(
    bench: Path, expected: cases.Answers, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "pub"
    calls = 0

    def counted(name: str):
        real = getattr(LocalFolder, name)

        def call(self: LocalFolder, *arguments: object) -> None:
            nonlocal calls
            calls += 1
            if calls > step:
                raise OSError(28, "No space left on device")
            real(self, *arguments)

        return call

    with Store.open(bench, settings=cases.SETTINGS) as store:
        store.publish(target, 3)
        with monkeypatch.context() as patch:
            for name in ("store", "change"):
                patch.setattr(LocalFolder, name, counted(name))
            patch.setattr(publishing, "_UPLOADS", 1)
            if step < 2:
                with pytest.raises(CatalogError, match="No space left"):
                    store.publish(target)
                with opened(target) as published:
                    assert published.head() == 3
                    cases.assert_same(
                        {
                            name: published.scan(published.resolve(), name).read(
                                ["_rowid", *table.column_names[1:]]
                            )
                            for name, table in expected[3].items()
                        },
                        expected[3],
                    )
        store.publish(target)
    with opened(target) as published:
        assert published.head() == max(expected)
        assert published.check().ok


def test_a_draft_of_a_killed_process_is_no_part_of_the_publication(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        store.publish(tmp_path / "a", 3)
        segment = next((tmp_path / "a" / "segments").rglob("*.zip"))
        half = segment.read_bytes()[:1_000]
        segment.with_name(f".{segment.name}.77-1").write_bytes(half)
        segment.write_bytes(half)  # cut off by a tool that does not rename: its size tells
        assert store.publish(tmp_path / "a", 3).uploaded == 1
    with opened(tmp_path / "a") as published:
        assert published.check().ok


def test_damage_is_not_published(bench: Path, tmp_path: Path) -> None:
    segment = next((bench / "segments").rglob("*.zip"))
    data = bytearray(segment.read_bytes())
    data[500] ^= 1
    segment.write_bytes(data)
    with Store.open(bench, settings=cases.SETTINGS) as store:
        with pytest.raises(CorruptionError, match=segment.name.removesuffix(".zarr.zip")):
            store.publish(tmp_path / "a")
        assert not (tmp_path / "a" / POINTER).exists()
        segment.unlink()
        with pytest.raises(CorruptionError, match="No such file"):
            store.publish(tmp_path / "a")


def test_a_publication_of_another_bench_is_not_overwritten(bench: Path, tmp_path: Path) -> None:
    target = tmp_path / "pub"
    with Store.open(bench, settings=cases.SETTINGS) as store, Store.open(tmp_path / "c.luma") as other:
        store.publish(target, 3)
        before = files(target)
        other.write("t", {"a": [1]})
        with pytest.raises(CatalogError, match="another bench"):
            other.publish(target)
        with pytest.raises(CatalogError, match="folder of another bench"):
            other.publish(bench)
    assert files(target) == before


def test_a_copy_that_went_another_way_is_not_mixed_in(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        store.publish(tmp_path / "pub", 3)
    copy = Path(shutil.copytree(bench, tmp_path / "copy.luma"))
    with (
        Store.open(bench, settings=cases.SETTINGS) as store,
        Store.open(copy, settings=cases.SETTINGS) as twin,
    ):
        for one, name in ((store, "here"), (twin, "there")):
            one.write(name, {"a": [1]})
        store.publish(tmp_path / "pub")
        with pytest.raises(CatalogError, match="of a copy of this bench"):
            twin.publish(tmp_path / "pub")


def held(store: Store) -> list[int]:
    return sorted(lease.snapshot for lease in store._catalog.leases() if lease.kind == "publish")


def published_in(folder: Path) -> set[int]:
    with opened(folder) as published:
        return {one.id for one in published.snapshots()}


def test_withdraw_takes_a_snapshot_off_the_list(bench: Path, tmp_path: Path) -> None:
    only = tmp_path / "only"
    with Store.open(bench, settings=cases.SETTINGS) as store:
        for at in (3, None, 3):
            store.publish(at=at)
        shutil.copytree(bench / "published", only / "published")
        assert published_in(only) == {3, store.head()}
        assert held(store) == [3, store.head()]
        store.withdraw(store.head())
        assert held(store) == [3]
        with pytest.raises(CatalogError, match="the only one"):
            store.withdraw(3)
        with pytest.raises(CatalogError, match="is not published"):
            store.withdraw(2)
        with pytest.raises(CatalogError, match="nothing is published there"):
            store.withdraw(2, tmp_path / "none")
        store.publish(tmp_path / "out", 3)
        assert held(store) == [3]
    shutil.copytree(bench / "published", only / "published", dirs_exist_ok=True)
    assert published_in(only) == {3}


def test_what_is_published_in_the_bench_itself_does_not_expire(bench: Path, expected: cases.Answers) -> None:
    with lb.open(bench) as opened_bench:
        opened_bench.publish(at=4)
        opened_bench.compact(retention=0)
        kept = [one.id for one in opened_bench.snapshots()]
        assert 4 in kept
        assert 2 not in kept
    (bench / "luma.toml").unlink()
    with opened(bench) as published:
        pinned = published.resolve(4)
        found = {
            name: published.scan(pinned, name).read(table.column_names) for name, table in expected[4].items()
        }
        cases.assert_same(found, expected[4])
        assert published.check().ok


def test_what_was_published_can_only_be_read(bench: Path, tmp_path: Path) -> None:
    with lb.open(bench) as store:
        store.publish(tmp_path / "pub")
    with pytest.raises(ReadOnlyError, match="published snapshots only"):
        lb.open(tmp_path / "pub")
    with lb.open(tmp_path / "pub", mode="r") as published:
        with pytest.raises(ReadOnlyError):
            published.write("t", {"a": [1]})
        with pytest.raises(ReadOnlyError, match="itself a publication"):
            published.publish(tmp_path / "twice")
        with pytest.raises(ReadOnlyError):
            published.tag("name")
        assert published.kadeql("SELECT count(*) AS n FROM big").to_arrow()["n"].to_pylist() == [7_601]
    with lb.open((tmp_path / "pub").as_uri(), mode="r") as published:
        assert published.tables() == ["big", "small"]
        assert (
            repr(published)
            == f"Bench({str(tmp_path / 'pub')!r}, snapshot {published.snapshot}, 2 tables, read-only)"
        )


def test_a_bench_for_reading_publishes_elsewhere_only(bench: Path, tmp_path: Path) -> None:
    before = files(bench)
    with Store.open(bench, mode="r", settings=cases.SETTINGS) as store:
        with pytest.raises(ReadOnlyError):
            store.publish()
        store.publish(tmp_path / "pub")
    assert files(bench) == before


def test_refused_targets(bench: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        for target, why in (
            ("https://example.org/b", "takes no files"),
            ("ftp://example.org/b", "not kept behind ftp"),
            ("s3://", "no host or bucket"),
            ("s3://bucket/b?x=1", "a query"),
            ("https://me:secret@example.org/b", "a password"),
            ("file://elsewhere/b", "no folder of this machine"),
        ):
            with pytest.raises(UnsupportedError, match=why) as caught:
                store.publish(target)
            assert "secret" not in str(caught.value)


def test_a_changed_catalog_file_is_refused(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        made = store.publish(tmp_path / "pub")
    file = tmp_path / "pub" / made.catalog
    data = file.read_bytes()
    assert hashlib.sha256(data).hexdigest()[:16] in file.name
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(CorruptionError, match="not the one that was published"):
        opened(tmp_path / "pub")
    pointer = tmp_path / "pub" / POINTER
    pointer.write_bytes(pointer.read_bytes()[:40])
    with pytest.raises(CorruptionError, match="damaged"):
        opened(tmp_path / "pub")
    pointer.write_bytes(b'{"format": 99}')
    with pytest.raises(CatalogError, match="format 99"):
        opened(tmp_path / "pub")


def test_check_names_a_damaged_segment_of_a_publication(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        store.publish(tmp_path / "pub")
    segment = next((tmp_path / "pub" / "segments").rglob("*.zip"))
    data = bytearray(segment.read_bytes())
    data[1_000] ^= 1
    segment.write_bytes(data)
    with opened(tmp_path / "pub") as published:
        report = published.check()
    assert {problem.segment for problem in report.problems} == {segment.name.removesuffix(".zarr.zip")}


def test_progress_ends_at_all_the_bytes(bench: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with Store.open(bench, settings=cases.SETTINGS) as store:
        made = store.publish(tmp_path / "pub", progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (made.nbytes, made.nbytes)


def test_a_local_file_reads_short_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    file = LocalFile(path)
    assert (file.size(), file.read(8, 10), file.read(20, 5), file.forget(0, 10)) == (10, b"89", b"", False)


def test_publishers_at_the_same_time_are_all_listed(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        ids = [one.id for one in store.snapshots()]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda at: store.publish(tmp_path / "pub", at), ids))
    assert published_in(tmp_path / "pub") == set(ids)


def test_row_ids_alone_are_right_where_some_segments_have_deletions(
    bench: Path, expected: cases.Answers
) -> None:
    with Store.open(bench, settings=cases.SETTINGS) as store:
        store.delete("big", np.array([8_500]))
        kept = [i for i in expected[max(expected)]["big"]["_rowid"].to_pylist() if i != 8_500]
        stream = store.scan(store.resolve(), "big").stream([0], (), ScanCounters())
        assert [i for batch in stream for i in batch.column(0).to_pylist()] == kept


@on_both
def test_a_bench_on_either_database_publishes_its_snapshots(tmp_path: Path) -> None:
    expected = cases.make(tmp_path / "b.luma")
    with Store.open(tmp_path / "b.luma", settings=cases.SETTINGS) as store:
        for snapshot in expected:
            store.publish(tmp_path / "pub", snapshot)
        store.publish()
        assert held(store) == [store.head()]
        store.publish(at=2)
        store.withdraw(2)
        assert held(store) == [store.head()]
    with opened(tmp_path / "pub") as published:
        for snapshot, tables in expected.items():
            pinned = published.resolve(snapshot)
            found = {
                name: published.scan(pinned, name).read(table.column_names) for name, table in tables.items()
            }
            cases.assert_same(found, tables)
