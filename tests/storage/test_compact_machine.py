"""Compaction and collection against a list: any writes, deletes and compactions, read back at every kept snapshot."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from luma_bench.config import Settings
from luma_bench.errors import SnapshotExpired
from luma_bench.storage.catalog.retire import gaps
from luma_bench.storage.collect import collect
from luma_bench.storage.compact.parts import parts_of
from luma_bench.storage.compact.plan import Job
from luma_bench.storage.compact.run import Tools, run_job
from luma_bench.storage.store import Store

TABLES = st.sampled_from(["plain", "sorted"])
KEYS = st.one_of(st.none(), st.integers(0, 6))
VALUES = st.one_of(st.none(), st.text("abc", max_size=3))
ROWS = st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=40)
SCHEMA = pa.schema([("k", pa.int64()), ("s", pa.string())])
Row = tuple[int, Any, Any]


def in_key_order(row: Row) -> tuple[Any, ...]:
    number, key, text = row
    return (key is None, key or 0, text is None, text or "", number)


class CompactMachine(RuleBasedStateMachine):
    """The oracle: for every snapshot the tables as dictionaries from row id to row."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        # One row in four columns takes about 100 bytes: the last limit makes a merge of several partitions likely.
        self.settings = Settings(
            inline_bytes=700, shard_rows=30, chunk_rows=8, threads=1, author="m", compaction_bytes=2000
        )
        self.store = Store.open(self.folder / "b", settings=self.settings)
        self.catalog = self.store._catalog
        self.history: dict[int, dict[str, dict[int, tuple[Any, Any]]]] = {}
        self.next = {"plain": 0, "sorted": 0}
        self.tagged: set[int] = set()
        self.leased: dict[int, Any] = {}
        self.expired: set[int] = set()
        for name, keys in (("plain", ()), ("sorted", ("k", "s"))):
            made = self.store.create_table(SCHEMA, name, replace=False)
            if keys:
                self.store.write(name, SCHEMA.empty_table(), mode="replace", sort_by=keys)
            del made
        self.history[self.store.head()] = {"plain": {}, "sorted": {}}

    @property
    def now(self) -> dict[str, dict[int, tuple[Any, Any]]]:
        return self.history[max(self.history)]

    def committed(self, name: str, rows: dict[int, tuple[Any, Any]]) -> None:
        self.history[self.store.head()] = {**self.now, name: rows}

    def same(self) -> None:
        """Snapshots that compactions made show what the one before did."""
        now = self.now
        for snapshot in range(max(self.history) + 1, self.store.head() + 1):
            self.history[snapshot] = now

    @rule(name=TABLES, rows=ROWS)
    def append(self, name: str, rows: list[tuple[Any, Any]]) -> None:
        if name == "sorted":
            # A write is sorted before it gets its row ids.
            rows = [row[1:] for row in sorted(((n, *row) for n, row in enumerate(rows)), key=in_key_order)]
        table = pa.table({"k": [k for k, _ in rows], "s": [s for _, s in rows]}, schema=SCHEMA)
        first = self.next[name]
        self.store.write(name, table, mode="append")
        self.next[name] += len(rows)
        self.committed(name, {**self.now[name], **{first + n: row for n, row in enumerate(rows)}})

    @rule(name=TABLES, data=st.data())
    def delete(self, name: str, data: st.DataObject) -> None:
        held = sorted(self.now[name])
        if not held:
            return
        gone = data.draw(st.lists(st.sampled_from(held), min_size=1, max_size=20, unique=True))
        self.store.delete(name, np.array(sorted(gone)))
        self.committed(name, {number: row for number, row in self.now[name].items() if number not in gone})

    @rule(name=TABLES, full=st.booleans())
    def compact(self, name: str, full: bool) -> None:
        report = self.store.compact(name, full=full, retention="forever")
        self.same()
        assert not report.warnings
        assert not any(item.skipped for item in report.tables)
        if full:
            again = self.store.compact(name, retention="forever")
            assert again.bytes_written == 0, "a compacted table was compacted again"

    @rule(name=TABLES, data=st.data())
    def compact_some(self, name: str, data: st.DataObject) -> None:
        """Any parts together, and rows of them deleted while it runs."""
        base = self.store.resolve()
        schema = base.find(name)
        parts = parts_of(self.catalog, base, schema)
        if not parts:
            return
        low = data.draw(st.integers(0, len(parts) - 1))
        high = data.draw(st.integers(low + 1, len(parts)))
        chosen = sorted(parts, key=lambda part: (part.inline, part.span or ()))[low:high]
        held = sorted(self.now[name])
        gone = data.draw(st.lists(st.sampled_from(held), max_size=10, unique=True)) if held else []

        def meanwhile(rows: int) -> None:
            if gone:
                self.store.delete(name, np.array(sorted(gone)))
                left = {number: row for number, row in self.now[name].items() if number not in gone}
                self.committed(name, left)
                gone.clear()

        tools = Tools(self.catalog, self.store.pool, self.settings, "m", False, lambda: None)
        done = run_job(tools, base, schema, Job(tuple(chosen), 1), meanwhile)
        assert done.snapshot is not None, done.skipped
        self.same()

    @rule()
    def tag(self) -> None:
        head = self.store.head()
        self.store.tag(f"t{head}", head)
        self.tagged.add(head)

    @rule()
    def lease(self) -> None:
        head = self.store.head()
        if head not in self.leased and len(self.leased) < 3:
            self.leased[head] = self.catalog.take_lease(head, kind="read")

    @precondition(lambda self: self.leased)
    @rule()
    def give_back(self) -> None:
        _, lease = self.leased.popitem()
        with lease:
            pass

    @rule()
    def forget(self) -> None:
        """Collect with no retention at all: only the newest, the tagged and the leased snapshots stay."""
        collect(self.catalog, retention=0)
        kept = {self.store.head(), *self.tagged, *self.leased}
        self.expired |= set(range(1, self.store.head())) - kept
        for snapshot in self.expired:
            with pytest.raises(SnapshotExpired):
                self.store.resolve(snapshot)
        # What is on disk is what the kept snapshots list.
        views = [self.store.resolve(snapshot) for snapshot in kept]
        listed = {
            ref.ulid for view in views for table in view.tables.values() for ref in view.segments(table.id)
        }
        files = {path.name.split(".")[0] for path in (self.folder / "b/segments").glob("*/*")}
        assert files == listed
        assert all(gap.before <= self.store.head() for gap in self.catalog.read(gaps))

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder / "b", settings=self.settings)
        self.catalog = self.store._catalog
        self.leased.clear()
        self.catalog.write(lambda c: c.exec_driver_sql("DELETE FROM lease"))

    @invariant()
    def reads_back(self) -> None:
        kept = [snapshot for snapshot in self.history if snapshot not in self.expired]
        for snapshot in {kept[0], kept[len(kept) // 2], *kept[-2:]}:
            view = self.store.resolve(snapshot)
            for name, rows in self.history[snapshot].items():
                read = self.store.scan(view, name).read(["_rowid", "k", "s"])
                found = list(zip(*(column.to_pylist() for column in read.columns), strict=True))
                assert sorted(found) == sorted((n, *row) for n, row in rows.items())
                assert view.rows(name) == len(rows)

    @invariant()
    def ordered(self) -> None:
        """Row-id order where there are no keys; key order inside what a compaction made."""
        view = self.store.resolve()
        plain = view.find("plain")
        ids = self.store.scan(view, "plain").read(["_rowid"]).column(0).to_pylist()
        tail = sum(blob.live_rows for blob in view.inline(plain.id))
        stored = ids[: len(ids) - tail]
        assert stored == sorted(stored)
        table = view.find("sorted")
        levels = {part.name: part for part in parts_of(self.catalog, view, table)}
        runs: dict[Any, list[Any]] = {}
        for ref in view.segments(table.id):
            if levels[ref.ulid].level:
                runs.setdefault(levels[ref.ulid].run, []).append(ref)
        for refs in runs.values():
            rows = [self._rows(table, ref) for ref in refs]
            assert all(part == sorted(part, key=in_key_order) for part in rows)
            spans = sorted((in_key_order(part[0]), in_key_order(part[-1])) for part in rows if part)
            assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))

    def _rows(self, table: Any, ref: Any) -> list[Row]:
        from luma_bench.storage.scan import TableScan

        read = TableScan(table, [ref], (), self.store.pool, self.settings).read(["_rowid", "k", "s"])
        return list(zip(*(column.to_pylist() for column in read.columns), strict=True))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            problems = self.store.check().problems
            self.store.close()
            shutil.rmtree(self.folder)
            assert not problems, problems


TestCompactMachine = CompactMachine.TestCase
TestCompactMachine.settings = settings(
    max_examples=10, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
def test_compact_machine_for_longer() -> None:
    many = settings(
        max_examples=300, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(CompactMachine, settings=many)
