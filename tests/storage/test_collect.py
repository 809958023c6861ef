"""Retention and garbage collection: what is kept, what goes, and what a crash in between leaves."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, CorruptionError, SnapshotExpired
from luma_bench.storage.catalog import Catalog, retire
from luma_bench.storage.catalog.tables import DOOMED, LEASE, SEGMENT, SNAPSHOT
from luma_bench.storage.collect import Collected, collect
from luma_bench.storage.store import Store

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    settings = Settings(shard_rows=100, chunk_rows=50, inline_bytes=0, threads=1, author="t")
    with Store.open(tmp_path / "b", settings=settings) as opened:
        yield opened


def catalog_of(store: Store) -> Catalog:
    return store._catalog


def rows(count: int, first: int = 0) -> pa.Table:
    return pa.table({"a": range(first, first + count)})


def files_of(store: Store) -> list[Path]:
    return sorted((store.path / "segments").glob("*/*"))


def set_times(store: Store, times: dict[int, float]) -> None:
    """Give snapshots times, in days after the epoch."""

    def write(connection: sa.Connection) -> None:
        for snapshot, days in times.items():
            statement = sa.update(SNAPSHOT).where(SNAPSHOT.c.id == snapshot)
            connection.execute(statement.values(time=int(days * DAY * 1e6)))

    catalog_of(store).write(write)


def expired_of(store: Store) -> list[int]:
    query = sa.select(SNAPSHOT.c.id).where(SNAPSHOT.c.expired).order_by(SNAPSHOT.c.id)
    return catalog_of(store).read(lambda connection: list(connection.execute(query).scalars()))


def read(store: Store, at: Any = None) -> list[int]:
    return store.scan(store.resolve(at), "t").read().column("a").to_pylist()


def test_a_snapshot_is_kept_for_the_retention_after_it_was_superseded(store: Store) -> None:
    """What was current a moment ago is as safe as what is current, however old it is."""
    for number in range(4):
        store.write("t", rows(10, number), mode="replace" if number else "create")
    set_times(store, {1: 0, 2: 1, 3: 100, 4: 109, 5: 110})
    collect(catalog_of(store), retention=7 * DAY, now=110 * DAY)
    # Snapshot 3 was made ten days ago and was current until yesterday.
    assert expired_of(store) == [1, 2]
    assert read(store, 3)[0] == 1
    assert read(store, dt.datetime.fromtimestamp(105 * DAY, dt.UTC))[0] == 1
    with pytest.raises(SnapshotExpired, match="Snapshot 2 is past the retention"):
        store.resolve(2)
    with pytest.raises(SnapshotExpired):
        store.tag("late", 2)


def test_the_newest_is_never_collected(store: Store) -> None:
    store.write("t", rows(10))
    set_times(store, {1: 0, 2: 0})
    assert collect(catalog_of(store), retention=0, now=1000 * DAY).snapshots == 1
    assert read(store) == list(range(10))


def test_forever(store: Store) -> None:
    for _ in range(3):
        store.write("t", rows(10), mode="replace")
    assert collect(catalog_of(store), retention=float("inf"), now=1e12) == Collected()


def test_a_clock_that_goes_back_expires_nothing(store: Store) -> None:
    for _ in range(3):
        store.write("t", rows(10), mode="replace")
    set_times(store, {1: 10, 2: 11, 3: 12, 4: 13})
    assert collect(catalog_of(store), retention=0, now=5 * DAY).snapshots == 0
    assert collect(catalog_of(store), retention=DAY, now=12.5 * DAY).snapshots == 1


def test_tags_leases_and_pins_hold(store: Store) -> None:
    for number in range(6):
        store.write("t", rows(10, number), mode="replace" if number else "create")
    store.tag("paper", 3)
    lease = catalog_of(store).take_lease(4, kind="read")
    collect(catalog_of(store), retention=0, pinned=[5])
    assert expired_of(store) == [1, 2, 6]
    assert [read(store, at)[0] for at in ("paper", 4, 5, 7)] == [1, 2, 3, 5]
    assert len(files_of(store)) == 4
    with lease:
        pass
    collect(catalog_of(store), retention=0)
    assert expired_of(store) == [1, 2, 4, 5, 6]
    assert len(files_of(store)) == 2


def test_a_lease_on_what_expired_is_refused(store: Store) -> None:
    for _ in range(2):
        store.write("t", rows(10), mode="replace")
    collect(catalog_of(store), retention=0)
    with pytest.raises(SnapshotExpired):
        catalog_of(store).take_lease(2, kind="read")


def test_a_lease_that_ran_out_holds_nothing(store: Store) -> None:
    for _ in range(2):
        store.write("t", rows(10), mode="replace")
    catalog_of(store).take_lease(2, kind="read")
    late = sa.update(LEASE).values(expires=0)
    catalog_of(store).write(lambda connection: connection.execute(late))
    collect(catalog_of(store), retention=0)
    assert expired_of(store) == [1, 2]
    assert catalog_of(store).leases() == []


def test_everything_of_a_dropped_table_goes(store: Store) -> None:
    store.write("t", rows(250))
    store.delete("t", pa.array([3, 4]))
    store.write("keep", rows(10))
    folder = files_of(store)[0].parent
    store.drop_table("t")
    found = collect(catalog_of(store), retention=0)
    assert found.files == 3
    assert not folder.exists()
    counts = {
        table: catalog_of(store).read(
            lambda connection, table=table: connection.execute(
                sa.text(f"SELECT count(*) FROM {table} WHERE table_id = 1")
            ).scalar()
        )
        for table in ("segment", "deletion", "bench_table", "bench_column", "table_counter", "doomed")
    }
    assert set(counts.values()) == {0}
    assert store.check().ok
    # A table of the name is another one.
    store.write("t", rows(5))
    assert store.resolve().find("t").id == 3


def test_a_reader_whose_files_went_is_told_so(store: Store) -> None:
    store.write("t", rows(10))
    scan = store.scan(store.resolve(), "t")
    store.write("t", rows(10, 100), mode="replace")
    collect(catalog_of(store), retention=0)
    with pytest.raises(SnapshotExpired, match="its files were collected"):
        scan.read()
    # A file that should be there is another matter.
    scan = store.scan(store.resolve(), "t")
    files_of(store)[0].unlink()
    with pytest.raises(CorruptionError):
        scan.read()


def test_an_older_view_in_memory_does_not_bring_rows_back(store: Store, tmp_path: Path) -> None:
    """Another process expires what this one had resolved; the next snapshot is read anew, not on top of it."""
    store.write("t", rows(250))
    store.resolve().segments(1)
    with Store.open(tmp_path / "b", settings=store.settings) as other:
        other.write("t", rows(10, 1000), mode="replace")
        other.compact(retention=0)
        other.write("t", rows(10, 2000), mode="append")
    assert read(store) == [*range(1000, 1010), *range(2000, 2010)]


def leave_files(store: Store, lease_kind: str | None = None) -> tuple[Path, Any]:
    """A copy of a segment under a name of its own, as a writer that stored it and did not commit leaves it."""
    lease = None if lease_kind is None else catalog_of(store).take_lease(store.head(), kind=lease_kind)
    source = files_of(store)[0]
    left = source.with_name(f"{catalog_of(store).new_ulid()}.zarr.zip")
    shutil.copy(source, left)
    return left, lease


def test_files_of_a_dead_writer_go_after_the_grace(store: Store) -> None:
    store.write("t", rows(10))
    left, _ = leave_files(store)
    assert collect(catalog_of(store), retention=DAY).files == 0
    assert left.exists()
    assert collect(catalog_of(store), retention=DAY, grace=-1).left_over == 1
    assert not left.exists()
    assert store.check().ok


def test_a_young_file_stays_whatever_its_name_says(store: Store) -> None:
    store.write("t", rows(10))
    left, _ = leave_files(store)
    old = left.with_name(f"{'0' * 9}1{'0' * 16}.zarr.zip")
    left.rename(old)
    assert collect(catalog_of(store), retention=DAY).left_over == 0
    os.utime(old, (1, 1))
    assert collect(catalog_of(store), retention=DAY).left_over == 1


@pytest.mark.parametrize("kind", ["write", "compact"])
def test_files_of_a_living_writer_stay(store: Store, kind: str) -> None:
    store.write("t", rows(10))
    before, _ = leave_files(store)
    left, lease = leave_files(store, kind)
    assert collect(catalog_of(store), retention=0, grace=-1).left_over == 1
    assert left.exists()
    assert not before.exists()
    with lease:
        pass
    assert collect(catalog_of(store), retention=0, grace=-1).left_over == 1
    assert not left.exists()


def test_a_writer_whose_lease_was_taken_away_cannot_commit(store: Store) -> None:
    """Only then may its files go: nothing that a snapshot lists is ever missing."""
    store.write("t", rows(10))
    transaction = store.begin()
    transaction.write("t", rows(10, 50), mode="append")
    catalog_of(store).write(lambda connection: connection.execute(sa.update(LEASE).values(expires=0)))
    assert collect(catalog_of(store), retention=DAY, grace=-1).left_over == 1
    with pytest.raises(CatalogError, match="lease"):
        transaction.commit()
    assert read(store) == list(range(10))
    assert store.check().ok


def test_other_names_are_left_alone(store: Store) -> None:
    store.write("t", rows(10))
    for name in ("notes.txt", "abc.zarr.zip"):
        (files_of(store)[0].parent / name).write_text("mine")
    (store.path / "segments" / "readme").write_text("mine")
    assert collect(catalog_of(store), retention=0, grace=-1).files == 0


class Killed(BaseException):
    """Stands for a process that ends at once."""


STEPS: tuple[tuple[Any, str], ...] = (
    (retire, "expire"),
    (retire, "retire"),
    (retire, "doom_unowned"),
    (retire, "strike"),
    (Path, "unlink"),
)


@pytest.mark.parametrize(("where", "step"), STEPS, ids=[step for _, step in STEPS])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_crash_at_any_step_is_gone_on_from(
    store: Store, monkeypatch: pytest.MonkeyPatch, where: Any, step: str, call: int
) -> None:
    for number in range(5):
        store.write("t", rows(250, number), mode="replace" if number else "create")
    for _ in range(2):
        leave_files(store)
    store.tag("paper", 4)
    real: Callable[..., Any] = getattr(where, step)
    calls = iter(range(1, 10_000))

    def dying(*arguments: Any, **named: Any) -> Any:
        if next(calls) == call:
            raise Killed
        return real(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(where, step, dying)
        with contextlib.suppress(Killed):
            collect(catalog_of(store), retention=0, grace=-1)
    assert read(store) == list(range(4, 254))
    assert read(store, "paper") == list(range(2, 252))
    assert not store.check().problems
    collect(catalog_of(store), retention=0, grace=-1)
    assert len(files_of(store)) == 6
    assert store.check().ok
    listed = sa.select(sa.func.count()).select_from(SEGMENT)
    doomed = sa.select(sa.func.count()).select_from(DOOMED)
    assert catalog_of(store).read(lambda connection: connection.execute(listed).scalar()) == 6
    assert catalog_of(store).read(lambda connection: connection.execute(doomed).scalar()) == 0


def test_a_file_that_cannot_be_removed_is_said_and_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        store.write("t", rows(10), mode="replace")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        found = collect(catalog_of(store), retention=0)
    assert "cannot be removed" in found.problems[0]
    assert collect(catalog_of(store), retention=0).files == 1


def test_collections_side_by_side(store: Store, tmp_path: Path) -> None:
    """Two collect while a third writes; what is kept stays whole."""
    for number in range(20):
        store.write("t", rows(120, number), mode="replace" if number else "create")
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with Store.open(tmp_path / "b", settings=store.settings) as other:
                for _ in range(5):
                    collect(catalog_of(other), retention=0, grace=-1)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(5):
        store.write("t", rows(120, 100 + number), mode="append")
    for thread in threads:
        thread.join()
    assert not errors
    assert len(read(store)) == 6 * 120
    collect(catalog_of(store), retention=0, grace=-1)
    assert store.check().ok
