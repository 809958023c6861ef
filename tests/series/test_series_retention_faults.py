"""The retention of rows beside other writers, and in processes and on disks that fail: nothing is lost, nothing half done."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.catalog import Catalog
from luma_bench.storage.compact import Compactor
from luma_bench.storage.evolve import SetSettings
from luma_bench.storage.store import Store
from luma_bench.types.retention import Retention

NOW = dt.datetime(2026, 3, 31, 12, 0, tzinfo=dt.UTC)
SETTINGS = Settings(shard_rows=100, chunk_rows=25, inline_bytes=600, threads=2, timezone="UTC", author="t")
EDGE = 240
"""Row i is i hours older than the present: the rows from 241 on are older than ten days."""
ROWS = 400


def rows(first: int, last: int) -> pa.Table:
    ages = np.arange(first, last)
    times = (int(NOW.timestamp()) - ages * 3600) * 1_000_000
    return pa.table({"ts": pa.array(times).cast(pa.timestamp("us")), "i": ages})


def begin(folder: Path) -> None:
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("t", rows(0, ROWS), time_column="ts")
        store.alter("t", SetSettings(retention=Retention.parse("10 days", "ts")))


def found(store: Store, at: int | None = None) -> list[int]:
    return sorted(store.scan(store.resolve(at), "t").read(["i"])["i"].to_pylist())


KEPT = list(range(EDGE + 1))


def _killed(folder: str, place: str) -> None:
    """Compact in this process, which dies at a place."""

    def die(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    commit = Catalog.commit

    def dying(self: Catalog, changes: Any, info: Any, *rest: Any) -> Any:
        if (info.operation, "before") == tuple(place.split()):
            die()
        made = commit(self, changes, info, *rest)
        if (info.operation, "after") == tuple(place.split()):
            die()
        return made

    Catalog.commit = dying
    with Store.open(folder, settings=SETTINGS) as store:
        store.compact(now=NOW, retention=0)


@pytest.mark.parametrize("place", ["retention before", "retention after", "compact before", "compact after"])
def test_a_process_that_is_killed_loses_nothing(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "b"
    begin(folder)
    process = multiprocessing.get_context("fork").Process(target=_killed, args=(str(folder), place))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with Store.open(folder, settings=SETTINGS) as store:
        assert found(store) == (list(range(ROWS)) if place == "retention before" else KEPT)
        assert store.check().ok
        assert store.compact(now=NOW).tables[0].expired == (
            ROWS - EDGE - 1 if place == "retention before" else 0
        )
        assert found(store) == KEPT
        assert store.check().ok


@pytest.mark.parametrize("operation", ["retention", "compact"])
def test_a_disk_that_is_full_leaves_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    begin(tmp_path / "b")
    commit = Catalog.commit

    def full(self: Catalog, changes: Any, info: Any, *others: Any) -> Any:
        if info.operation == operation:
            raise CatalogError("The disk is full.", hint="Make room.")
        return commit(self, changes, info, *others)

    with Store.open(tmp_path / "b", settings=SETTINGS) as store:
        monkeypatch.setattr(Catalog, "commit", full)
        with pytest.raises(CatalogError, match="full"):
            store.compact(now=NOW)
        monkeypatch.setattr(Catalog, "commit", commit)
        assert found(store) == (list(range(ROWS)) if operation == "retention" else KEPT)
        store.compact(now=NOW)
        assert found(store) == KEPT
        assert store.check().ok


@pytest.mark.parametrize("other", ["delete", "compact", "reset", "append", "drop"])
def test_what_another_writer_does_meanwhile_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    begin(tmp_path / "b")
    commit = Catalog.commit
    with Store.open(tmp_path / "b", settings=SETTINGS) as store:
        first = threading.Event()

        def late(self: Catalog, changes: Any, info: Any, *others: Any) -> Any:
            if info.operation == "retention" and not first.is_set():
                first.set()
                match other:
                    case "delete":
                        store.delete("t", np.array([5, 300, 399]))  # i = 94, 399, 300: sorted by time
                    case "compact":
                        store.compact("t", now=NOW - dt.timedelta(days=100))
                    case "reset":
                        store.alter("t", SetSettings(retention=None))
                    case "append":
                        store.write("t", rows(1_000, 1_050), mode="append")
                    case _:
                        store.drop_table("t")
            return commit(self, changes, info, *others)

        monkeypatch.setattr(Catalog, "commit", late)
        report = store.compact("t", now=NOW)
        monkeypatch.setattr(Catalog, "commit", commit)
        assert first.is_set()
        if other == "drop":
            assert "t" not in store.resolve().tables
        elif other == "reset":
            assert found(store) == list(range(ROWS))
        else:
            assert found(store) == [i for i in KEPT if other != "delete" or i != 94]
            assert report.tables[0].skipped == ()
        assert store.check().ok


def test_writers_go_on_beside_it(tmp_path: Path) -> None:
    begin(tmp_path / "b")
    wrong: list[BaseException] = []
    with Store.open(tmp_path / "b", settings=SETTINGS) as store:

        def write(number: int) -> None:
            try:
                for i in range(12):
                    start = 1_000 * number + 40 * i
                    store.write("t", rows(-start - 40, -start), mode="append")
            except BaseException as error:
                wrong.append(error)

        writers = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
        for writer in writers:
            writer.start()
        for _ in range(4):
            store.compact("t", now=NOW)
        for writer in writers:
            writer.join()
        store.compact("t", now=NOW)
        assert not wrong
        written = [
            -1_000 * number - 40 * i - 40 + j for number in (1, 2) for i in range(12) for j in range(40)
        ]
        assert found(store) == sorted([*KEPT, *written])
        assert store.check().ok


def test_the_background_thread_applies_it(tmp_path: Path) -> None:
    begin(tmp_path / "b")
    with Store.open(tmp_path / "b", settings=SETTINGS) as store:
        done = threading.Event()
        commit = store._catalog.commit

        def seen(changes: Any, info: Any, *others: Any) -> Any:
            made = commit(changes, info, *others)
            if info.operation == "retention":
                done.set()
            return made

        store._catalog.commit = seen  # type: ignore[method-assign]
        compactor = Compactor(store._catalog, store.pool, SETTINGS, every=0.01, clock=lambda: NOW)
        compactor.start()
        assert done.wait(10)
        compactor.close()
        assert compactor.warnings == ()
        # Lazily: a segment of which less than a fifth is too old may wait for an explicit compaction.
        assert set(KEPT) <= set(found(store)) < set(range(ROWS))
        store.compact(now=NOW)
        assert found(store) == KEPT


def test_tags_keep_the_rows_until_they_are_collected(tmp_path: Path) -> None:
    begin(tmp_path / "b")
    with Store.open(tmp_path / "b", settings=SETTINGS) as store:
        store.tag("all")
        before = store.head()
        report = store.compact(now=NOW, retention=0)
        assert report.tables[0].expired == ROWS - EDGE - 1
        assert found(store, before) == list(range(ROWS))
        assert store.check().ok
