"""What is rare or big: clocks that go back, processes that died, thousands of snapshots and columns, very many segments.

Work is counted in steps of SQLite's virtual machine, which do not depend on how busy the machine is.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.commit import PARTS_A_SNAPSHOT
from luma_bench.storage.catalog.sqlite import SqliteDatabase
from luma_bench.storage.catalog.tables import SEGMENT, SNAPSHOT, SNAPSHOT_CHANGE
from luma_bench.storage.collect import collect
from luma_bench.storage.evolve import AddColumn
from luma_bench.storage.store import Store

SETTINGS = Settings(inline_bytes=3_000, shard_rows=1_000, threads=1, author="w")
HOUR = 3_600.0
STEPS = 10
"""The steps between two counts."""


class Clock:
    """The clock of this process, which may be set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._true = time.time_ns
        self.off = 0.0
        monkeypatch.setattr(time, "time_ns", self.now)
        monkeypatch.setattr(time, "time", lambda: self.now() / 1e9)

    def now(self) -> int:
        """Nanoseconds since the epoch, as the set clock says."""
        return self._true() + int(self.off * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number: the steps that SQLite took in catalogs opened from now on."""
    count = [0]
    raw = SqliteDatabase._raw

    def counted(self: SqliteDatabase, *, immutable: bool) -> sqlite3.Connection:
        connection = raw(self, immutable=immutable)

        def step() -> int:
            count[0] += STEPS
            return 0

        connection.set_progress_handler(step, STEPS)
        return connection

    monkeypatch.setattr(SqliteDatabase, "_raw", counted)
    return count


# --- clocks ---


def test_snapshots_stay_in_order_when_the_clock_goes_back(tmp_path: Path, clock: Clock) -> None:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as store:
        made = [store.write("t", {"n": [0]})]
        for number, off in enumerate((0.0, -24 * HOUR, -24 * HOUR, 1.0, -1e9, 2.0), 1):
            clock.off = off
            made.append(store.write("t", {"n": [number]}, mode="append"))
        times = [item.time for item in made]
        assert times == sorted(times)
        for item in made:
            shown = store.resolve(item.time)
            assert shown.snapshot.time == item.time
            assert shown.id == max(other.id for other in made if other.time == item.time)
        with pytest.raises(CatalogError):
            store.resolve(dt.datetime(1990, 1, 1, tzinfo=dt.UTC))
        assert store.check().ok
    clock.off = -24 * HOUR  # another process, on the wrong clock from its start
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as store:
        big = store.write("t", {"n": list(range(2_500))}, mode="append")
        assert big.time >= times[-1]
        assert store.scan(store.resolve(), "t").rows() == 2_507
        store.compact()
        assert store.scan(store.resolve(), "t").rows() == 2_507
        assert store.check().ok


def test_a_clock_that_goes_back_lets_nothing_expire_early(tmp_path: Path, clock: Clock) -> None:
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as store:
        for number in range(3):
            store.write("t", {"n": [number]}, mode="replace")
        clock.off = -24 * HOUR
        store.compact(retention="1 hour")
        store.compact(retention=0)
        kept = [item.id for item in store.snapshots()]
        assert kept == list(range(1, store.head() + 1))
        clock.off = 2 * HOUR
        store.compact(retention="1 hour")
        assert [item.id for item in store.snapshots()] == [store.head()]
        assert store.scan(store.resolve(), "t").read(["n"])["n"].to_pylist() == [2]


def test_a_clock_that_jumps_ahead_ends_a_lease_and_nothing_of_the_write_is_there(
    tmp_path: Path, clock: Clock
) -> None:
    folder = tmp_path / "b.luma"
    data = {"n": list(range(2_500))}
    with Store.open(folder, settings=SETTINGS) as store, Store.open(folder, settings=SETTINGS) as other:
        store.write("t", {"n": [1]})
        transaction = store.begin()
        transaction.write("t", data, mode="append")
        clock.off = 2 * HOUR
        collected = collect(other._catalog, retention=float("inf"), grace=0)
        assert collected.left_over == 3
        with pytest.raises(CatalogError, match="lease ran out"):
            transaction.commit()
        assert store.scan(store.resolve(), "t").rows() == 1
        store.write("t", data, mode="append")
        assert store.scan(store.resolve(), "t").rows() == 2_501
        report = store.check()
        assert report.ok
        assert report.notes == ()


# --- a process that died ---

DYING = """
import os, sys
from luma_bench.config import Settings
from luma_bench.storage.store import Store
store = Store.open(sys.argv[1], settings=Settings(inline_bytes=3_000, shard_rows=1_000, threads=1))
transaction = store.begin()
transaction.write("t", {"n": list(range(2_500))}, mode="append")
os.write(1, b"stored\\n")
sys.stdin.read()
"""


def test_the_lease_of_a_process_that_died_holds_its_files_and_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "b.luma"
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("t", {"n": [1]})
        dying = subprocess.Popen(
            [sys.executable, "-c", DYING, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert dying.stdout is not None
        assert dying.stdin is not None
        assert dying.stdout.readline() == b"stored\n"
        os.kill(dying.pid, signal.SIGKILL)
        dying.wait()
        dying.stdout.close()
        dying.stdin.close()

        def files() -> int:
            return len(list((folder / "segments").rglob("*.zarr.zip")))

        assert files() == 3
        store.write("t", {"n": [2]}, mode="append")  # at once: a lease is no lock
        store.write("t", {"n": list(range(1_500))}, mode="append")
        store.compact(retention=0)
        report = store.check()
        assert report.ok
        assert [note.kind for note in report.notes] == ["orphan"] * 3
        alive = files()
        now = time.time()
        collect(store._catalog, retention=0, now=now + 590, grace=0)
        assert files() == alive
        assert len(store._catalog.leases()) == 1
        assert collect(store._catalog, retention=0, now=now + 610, grace=0).left_over == 3
        assert files() == alive - 3
        assert store._catalog.leases() == []
        report = store.check()
        assert report.ok
        assert report.notes == ()
        assert store.scan(store.resolve(), "t").rows() == 1_502


# --- many of something ---


def test_many_snapshots_by_commits(tmp_path: Path) -> None:
    """Commits of several threads, one row each: they share syncs, and every snapshot shows what it did then."""
    threads, each = 4, 60
    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as store:
        store.write("t", {"n": [0]})

        def work() -> None:
            for number in range(each):
                store.write("t", {"n": [number]}, mode="append")

        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        assert [item.id for item in store.snapshots()] == list(range(1, threads * each + 3))
        for at in (2, 3, 100, threads * each + 2):
            assert store.scan(store.resolve(at), "t").rows() == at - 1
        assert store.check().ok


def lengthened(folder: Path, snapshots: int) -> int:
    """Give a bench more snapshots, which change nothing, as fast as SQL makes them; the newest."""
    with Store.open(folder, settings=SETTINGS) as store:
        head = store.head()
        now = time.time_ns() // 1000

        def insert(connection: sa.Connection) -> None:
            rows = [
                {
                    "id": number, "time": now + number, "operation": "append", "namespace": "main", "author": "w",
                    "message": "", "token": f"t{number}", "schema_snapshot": 2,
                }
                for number in range(head + 1, head + snapshots + 1)
            ]  # fmt: skip
            changes = [
                {"snapshot_id": row["id"], "table_id": 1, "table_name": "t", "operation": "append"}
                for row in rows
            ]
            connection.execute(sa.insert(SNAPSHOT), rows)
            connection.execute(sa.insert(SNAPSHOT_CHANGE), changes)

        store._catalog.write(insert)
        return store.head()


@pytest.mark.parametrize("many", [1_500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_snapshots_cost_what_is_asked_of_them(
    tmp_path: Path, steps: list[int], many: int
) -> None:
    folder = tmp_path / "b.luma"
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("t", {"n": [1, 2, 3]})
    cost: dict[str, list[float]] = {}

    def spent(name: str, before: int, began: float) -> None:
        cost.setdefault(name, []).append(steps[0] - before)
        print(f"{name}: {steps[0] - before} steps, {1e3 * (time.perf_counter() - began):.1f} ms")

    for added in (100, many):
        newest = lengthened(folder, added)
        before, began = steps[0], time.perf_counter()
        with Store.open(folder, settings=SETTINGS) as store:
            view = store.resolve()
            assert view.id == newest
            assert view.rows("t") == 3
            spent("open, head and a table's rows", before, began)
            before, began = steps[0], time.perf_counter()
            assert store.scan(store.resolve(newest // 2), "t").rows() == 3
            spent("a snapshot in the middle", before, began)
            before, began = steps[0], time.perf_counter()
            found = store.resolve(view.snapshot.time)
            assert found.id == newest
            spent("a time", before, began)
            before, began = steps[0], time.perf_counter()
            store.write("t", {"n": [4]}, mode="append")
            spent("a commit", before, began)
            rows = store.scan(store.resolve(), "t").read(["_rowid"])["_rowid"].to_numpy()
            store.delete("t", rows[-1:])
            before, began = steps[0], time.perf_counter()
            assert [item.id for item in store.snapshots()] == list(range(1, newest + 3))
            spent("the list", before, began)
            cost["the list"][-1] /= newest
    for name, (few, more) in cost.items():
        assert more <= 2 * few + 500, name
    with Store.open(folder, settings=SETTINGS) as store:
        began = time.perf_counter()
        report = store.check()
        assert report.ok, report.problems
        print(f"check: {1e3 * (time.perf_counter() - began):.1f} ms")
        before, began = steps[0], time.perf_counter()
        store.compact(retention=0)
        spent("letting go of all", before, began)
        assert cost["letting go of all"][0] < 400 * newest
        assert len(store.snapshots()) <= 2
        assert store.scan(store.resolve(), "t").rows() == 3
        assert store.check().ok


def test_a_hundred_thousand_segments_cost_nothing_until_their_table_is_read(
    tmp_path: Path, steps: list[int]
) -> None:
    folder = tmp_path / "b.luma"
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("other", {"n": [1, 2, 3]})
        store.write("t", {"n": list(range(1_000))})

    def opened() -> int:
        before, began = steps[0], time.perf_counter()
        with Store.open(folder, settings=SETTINGS) as store:
            view = store.resolve()
            assert [table.name for table in view.tables.values()] == ["other", "t"]
            assert store.scan(view, "other").rows() == 3
            store.write("other", {"n": [1]}, mode="replace")
            store.write("other", {"n": [2, 3]}, mode="append")
        print(f"open, read and write another table: {1e3 * (time.perf_counter() - began):.1f} ms")
        return steps[0] - before

    few = opened()
    with Store.open(folder, settings=SETTINGS) as store:
        one = store._catalog.read(
            lambda connection: dict(connection.execute(SEGMENT.select()).mappings().one())
        )

        def insert(connection: sa.Connection) -> None:
            rows = [
                one
                | {
                    "ulid": f"{number:026d}",
                    "first_row_id": 1_000 * number,
                    "last_row_id": 1_000 * number + 999,
                }
                for number in range(1, 100_000)
            ]
            connection.execute(sa.insert(SEGMENT), rows)

        store._catalog.write(insert)
    many = opened()
    print(f"{few} and {many} steps")
    assert many <= 2 * few + 500
    with Store.open(folder, settings=SETTINGS) as store:
        began = time.perf_counter()
        assert store.resolve().rows("t") == 100_000_000
        print(f"the rows of the table: {1e3 * (time.perf_counter() - began):.1f} ms")
        began = time.perf_counter()
        table = store.resolve().find("t")
        assert len(store.resolve().segments(table.id)) == 100_000
        print(f"its segments: {1e3 * (time.perf_counter() - began):.1f} ms")


@pytest.mark.parametrize("many", [1_000, pytest.param(5_000, marks=pytest.mark.slow)])
def test_thousands_of_columns(tmp_path: Path, many: int) -> None:
    names = [f"c{number}" for number in range(many)]
    data = pa.table(
        {name: pa.array(range(number, number + 300), pa.int32()) for number, name in enumerate(names)}
    )

    def timed(what: str, began: float) -> float:
        print(f"{what}: {time.perf_counter() - began:.2f} s")
        return time.perf_counter()

    with Store.open(tmp_path / "b.luma", settings=SETTINGS) as store:
        began = time.perf_counter()
        first = store.write("wide", data)
        began = timed("write", began)
        scan = store.scan(store.resolve(), "wide")
        assert scan.read([names[-1]])[names[-1]].to_pylist() == list(range(many - 1, many + 299))
        began = timed("read one", began)
        store.alter("wide", AddColumn("more", pa.int64(), default=7))
        began = timed("add one", began)
        store.write("wide", {"c0": [-1], "more": [8]}, mode="append")
        began = timed("append a row", began)
        assert store.scan(store.resolve(), "wide").read(["more"])["more"].to_pylist() == [7] * 300 + [8]
    with Store.open(tmp_path / "b.luma", mode="r", settings=SETTINGS) as store:
        began = time.perf_counter()
        wide = store.resolve().find("wide")
        assert len(wide.columns) == many + 1
        assert len(store.resolve(first.id).find("wide").columns) == many
        began = timed("open and both definitions", began)
        assert store.scan(store.resolve(first.id), "wide").read() == data
        began = timed("read all", began)
        assert store.check().ok
        timed("check", began)


def test_ids_of_parts_have_room() -> None:
    """A snapshot may add a million parts; ids of ten million snapshots fit 64 bits."""
    assert 10_000_000 * PARTS_A_SNAPSHOT < 1 << 63
