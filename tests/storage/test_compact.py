"""Compaction of whole tables: results, conflicts, cancelling, the background thread, and what the report says."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.errors import CancelledError, CatalogError, ConfigError, CorruptionError, ReadOnlyError
from luma_bench.storage.catalog import Catalog
from luma_bench.storage.compact import Compactor
from luma_bench.storage.compact import run as runs
from luma_bench.storage.compact.parts import parts_of
from luma_bench.storage.compact.plan import Job
from luma_bench.storage.compact.run import Tools, run_job
from luma_bench.storage.evolve import AddColumn, DropColumn
from luma_bench.storage.scan import TableScan
from luma_bench.storage.segment import Segment
from luma_bench.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    settings = Settings(shard_rows=100, chunk_rows=25, inline_bytes=600, threads=2, author="t")
    with Store.open(tmp_path / "b", settings=settings) as opened:
        yield opened


def catalog_of(store: Store) -> Catalog:
    return store._catalog


def rows(count: int, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {"s": random.integers(0, 4, count), "t": random.integers(0, 1000, count), "v": random.random(count)}
    )


def fill(store: Store, table: str = "t", times: int = 6, **named: Any) -> None:
    for number in range(times):
        store.write(table, rows(40 + number, number), **(named if number == 0 else {"mode": "append"}))


def state(store: Store, at: Any = None, table: str = "t") -> list[dict[str, Any]]:
    view = store.resolve(at)
    names = ["_rowid", *view.find(table).names]
    return sorted(store.scan(view, table).read(names).to_pylist(), key=lambda row: row["_rowid"])


def files_of(store: Store) -> list[Path]:
    return sorted((store.path / "segments").glob("*/*"))


def tools_of(store: Store) -> Tools:
    return Tools(catalog_of(store), store.pool, store.settings, "t", True, lambda: None)


def job_of(store: Store, table: str = "t") -> tuple[Any, Any, Job]:
    base = store.resolve()
    schema = base.find(table)
    parts = [part for part in parts_of(catalog_of(store), base, schema) if not part.inline]
    return base, schema, Job(tuple(parts), 1)


def test_a_sorted_table_becomes_one_run(store: Store) -> None:
    fill(store, sort_by=("s", "t"))
    before, head = state(store), store.head()
    report = store.compact()
    assert state(store) == before == state(store, head)
    view = store.resolve()
    table = view.find("t")
    parts = parts_of(catalog_of(store), view, table)
    assert {part.run for part in parts} == {(1, parts[0].born)}
    pieces = [
        TableScan(table, [ref], (), store.pool, store.settings).read(["s", "t", "_rowid"]).to_pylist()
        for ref in view.segments(table.id)
    ]
    keys = [[tuple(row.values()) for row in piece] for piece in pieces]
    assert [key for piece in sorted(keys) for key in piece] == sorted(
        (row["s"], row["t"], row["_rowid"]) for row in before
    )
    (line,) = report.tables
    assert (line.parts_before, line.parts_after, line.rows) == (6, 3, 255)
    assert line.write_amplification > 0
    assert store.compact().bytes_written == 0
    assert store.snapshots()[-1].operation == "compact"


def test_a_table_of_series_is_cut_by_time_and_sorted_by_series_inside(store: Store) -> None:
    fill(store, time_column="t", series_key="s")
    before = state(store)
    store.compact()
    assert state(store) == before
    view = store.resolve()
    table = view.find("t")
    pieces = [
        TableScan(table, [ref], (), store.pool, store.settings).read(["s", "t", "_rowid"]).to_pylist()
        for ref in view.segments(table.id)
    ]
    keys = [[tuple(row.values()) for row in piece] for piece in pieces]
    assert len(keys) > 2
    assert all(piece == sorted(piece) for piece in keys)
    ranges = sorted((min(row["t"] for row in piece), max(row["t"] for row in piece)) for piece in pieces)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))
    assert store.compact().bytes_written == 0


def test_a_plain_table_keeps_its_row_order(store: Store) -> None:
    fill(store)
    store.delete("t", np.arange(10, 20))
    store.compact()
    ids = store.scan(store.resolve(), "t").read(["_rowid"]).column(0).to_pylist()
    assert ids == [*range(10), *range(20, 255)]


def test_deleted_rows_are_dropped_and_the_report_says_so(store: Store) -> None:
    fill(store)
    store.delete("t", np.arange(0, 255, 2))
    before = state(store)
    (line,) = store.compact().tables
    assert line.dropped == 128
    assert state(store) == before
    view = store.resolve()
    assert view.deletions(view.find("t").id) == {}


def test_a_table_of_deleted_rows_alone(store: Store) -> None:
    fill(store)
    store.delete("t", np.arange(255))
    store.compact(retention=0)
    assert state(store) == []
    assert files_of(store) == []
    assert store.check().ok
    store.write("t", rows(3), mode="append")
    assert [row["_rowid"] for row in state(store)] == [255, 256, 257]


def test_the_inline_tail_is_stored(store: Store) -> None:
    store.write("t", rows(3))
    store.write("t", rows(2, 1), mode="append")
    before = state(store)
    (line,) = store.compact().tables
    assert (line.parts_before, line.parts_after) == (1, 1)
    assert not store.resolve().inline(store.resolve().find("t").id)
    assert state(store) == before


def test_columns_are_stored_as_the_schema_has_them_now(store: Store) -> None:
    """Dropped columns vanish from the files, added ones get their value for older rows."""
    fill(store)
    store.alter("t", DropColumn("v"), AddColumn("n", pa.int32(), default=7))
    before, head = state(store), store.head()
    store.compact()
    view = store.resolve()
    table = view.find("t")
    for ref in view.segments(table.id):
        segment = Segment.open(ref)
        assert segment.has(table.column("n").id)
        assert not segment.has(3)
    assert state(store) == before == state(store, head)
    assert {row["n"] for row in before} == {7}
    assert [row["v"] for row in state(store, head - 1)][:2] == rows(40).column("v").to_pylist()[:2]


def test_rows_deleted_while_it_runs_stay_deleted(store: Store) -> None:
    fill(store, time_column="t", series_key="s")
    base, schema, job = job_of(store)

    def meanwhile(_: int) -> None:
        if store.head() == base.id:
            store.delete("t", np.arange(3, 255, 5))
            store.write("t", rows(30, 99), mode="append")

    done = run_job(tools_of(store), base, schema, job, meanwhile)
    assert done.snapshot == store.head() == base.id + 3
    found = [row["_rowid"] for row in state(store)]
    assert found == [n for n in range(285) if n >= 255 or n % 5 != 3]
    # And once more, now that ids are stored in the segments that are rewritten.
    base, schema, job = job_of(store)
    deleted = iter([np.array([0, 17, 254])])
    done = run_job(
        tools_of(store), base, schema, job, lambda _: [store.delete("t", ids) for ids in deleted] and None
    )
    assert done.snapshot is not None
    assert [row["_rowid"] for row in state(store)] == [n for n in found if n not in (0, 17, 254)]


@pytest.mark.parametrize("other", ["replace", "drop", "compact", "alter"])
def test_the_loser_leaves_nothing_and_is_skipped(store: Store, other: str) -> None:
    fill(store)
    base, schema, job = job_of(store)
    once = iter([True])

    def meanwhile(_: int) -> None:
        if next(once, False):
            match other:
                case "replace":
                    store.write("t", rows(5), mode="replace")
                case "drop":
                    store.drop_table("t")
                case "alter":
                    store.alter("t", DropColumn("v"))
                case _:
                    store.compact()

    done = run_job(tools_of(store), base, schema, job, meanwhile)
    assert done.snapshot is None
    assert "changed by snapshot" in done.skipped
    assert len(files_of(store)) == 6 + {"replace": 1, "compact": 3}.get(other, 0)
    assert catalog_of(store).leases() == []
    assert store.check().ok


def test_cancelling_leaves_what_was_committed(store: Store) -> None:
    fill(store)
    fill(store, "u")
    stop = threading.Event()

    def progress(done: int, total: int | None) -> None:
        if done > 300:
            stop.set()

    before = state(store), state(store, table="u")
    with pytest.raises(CancelledError):
        store.compact(progress=progress, stop=stop)
    assert (state(store), state(store, table="u")) == before
    assert catalog_of(store).leases() == []
    assert not store.check().notes
    assert store.check().ok
    assert len(store.compact().tables) == 2


def test_an_error_while_storing_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    real = runs.write_segment
    calls = iter(range(10))

    def full(*arguments: Any, **named: Any) -> Any:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        return real(*arguments, **named)

    before, present = state(store), files_of(store)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "write_segment", full)
        with pytest.raises(OSError, match="No space"):
            store.compact()
    assert files_of(store) == present
    assert catalog_of(store).leases() == []
    assert state(store) == before
    store.compact()
    assert state(store) == before


def test_a_damaged_part_is_not_written_anew(store: Store) -> None:
    fill(store)
    path = files_of(store)[2]
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 255
    path.write_bytes(bytes(data))
    broken = store.check().problems
    assert broken
    head = store.head()
    try:
        store.compact()
    except CorruptionError:
        assert store.head() == head
    else:  # the byte lay outside of every chunk
        assert store.head() > head


def test_progress_counts_rows(store: Store) -> None:
    fill(store)
    seen: list[tuple[int, int | None]] = []
    store.compact(progress=lambda done, total: seen.append((done, total)))
    assert seen[0][0] == 0
    assert seen[-1] == (255, 255)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_levels_rise_and_amplification_stays_low(store: Store) -> None:
    """Many small writes, compacted as they come: each row is written a few times, not hundreds."""
    for number in range(64):
        store.write(
            "t", rows(30, number), mode="append" if number else "create", sort_by=() if number else ["t"]
        )
        (line,) = store.compact("t", full=False, retention="forever").tables
    view = store.resolve()
    parts = parts_of(catalog_of(store), view, view.find("t"))
    assert max(part.level for part in parts) >= 3
    assert len({part.run for part in parts}) <= 12
    assert line.write_amplification < 6
    assert len(state(store)) == 1920


def test_the_report_reads_as_a_table(store: Store) -> None:
    fill(store)
    text = str(store.compact(retention=0))
    head, line, last = text.split("\n")
    assert head.split("  ")[0] == "table"
    assert line.startswith("t ")
    assert "6 → 3" in line
    assert "6 files removed" in last
    assert "No table." in str(Store.open(store.path.parent / "empty").compact())


def test_refusals(store: Store) -> None:
    with pytest.raises(CatalogError, match="no table"):
        store.compact("nope")
    with pytest.raises(ConfigError, match="no length of time"):
        store.compact(retention="blue")
    with Store.open(store.path, mode="r") as reader, pytest.raises(ReadOnlyError):
        reader.compact()


def wait_for(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about")


def test_the_background_thread_compacts_and_stops(store: Store) -> None:
    fill(store, times=5)
    before = state(store)
    compactor = Compactor(catalog_of(store), store.pool, store.settings, every=0.01)
    compactor.start()
    wait_for(lambda: store.snapshots()[-1].operation == "compact")
    compactor.close()
    assert compactor.warnings == ()
    assert state(store) == before
    assert len(store.resolve().segments(1)) < 5


def test_the_background_thread_keeps_its_errors(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, times=5)

    def fails(*_: object, **__: object) -> None:
        raise CatalogError("The disk is on fire.")

    monkeypatch.setattr("luma_bench.storage.compact.background.compact_tables", fails)
    compactor = Compactor(catalog_of(store), store.pool, store.settings, every=0.01)
    compactor.start()
    wait_for(lambda: compactor.warnings)
    compactor.close()
    assert "The disk is on fire." in compactor.warnings[0]


def test_the_setting_starts_it(tmp_path: Path) -> None:
    settings = Settings(background_compaction=True, threads=1)
    with Store.open(tmp_path / "b", settings=settings) as store:
        names = [thread.name for thread in threading.enumerate()]
        assert "luma-compact" in names
        store.write("t", rows(3))
    assert "luma-compact" not in [thread.name for thread in threading.enumerate()]
