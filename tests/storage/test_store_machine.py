"""A store against plain Python lists: any sequence of operations, read back at any snapshot."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ConstraintError, LumaError
from luma_bench.storage import inline
from luma_bench.storage.store import Store

NAMES = st.sampled_from(["t", "u"])
FEW = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(-5, 5)), st.one_of(st.none(), st.text(max_size=3))), max_size=8
)
# More rows than a segment of this test's settings holds, which lists of drawn values seldom reach.
MANY = st.integers(20, 90).map(lambda count: [(n % 7 or None, f"s{n % 3}") for n in range(count)])
ROWS = st.one_of(FEW, MANY)
SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string())])
Row = tuple[int, Any, Any]


def as_table(rows: list[tuple[Any, Any]]) -> pa.Table:
    return pa.table({"a": [a for a, _ in rows], "b": [b for _, b in rows]}, schema=SCHEMA)


class StoreMachine(RuleBasedStateMachine):
    """The oracle: for every snapshot the tables, each a list of (row id, a, b), and each name's next row id."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.settings = Settings(inline_bytes=900, shard_rows=25, chunk_rows=8, threads=1, author="m")
        self.limits = (inline.TAIL_BLOBS, inline.TAIL_ROWS)
        inline.TAIL_BLOBS, inline.TAIL_ROWS = 3, 40
        self.store = Store.open(self.folder / "b", settings=self.settings)
        self.history: dict[int, dict[str, list[Row]]] = {1: {}}
        self.next: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.tokens: dict[str, tuple[int, str]] = {}

    @property
    def now(self) -> dict[str, list[Row]]:
        return self.history[max(self.history)]

    def committed(self, snapshot: int, name: str, rows: list[Row] | None) -> None:
        assert snapshot == max(self.history) + 1
        state = dict(self.now)
        if rows is None:
            del state[name]
        else:
            state[name] = rows
        self.history[snapshot] = state

    def numbered(self, name: str, rows: list[tuple[Any, Any]]) -> list[Row]:
        first = self.next[name]
        self.next[name] += len(rows)
        return [(first + n, a, b) for n, (a, b) in enumerate(rows)]

    @rule(name=NAMES, rows=ROWS)
    def create(self, name: str, rows: list[tuple[Any, Any]]) -> None:
        if name in self.now:
            with pytest.raises(CatalogError):
                self.store.write(name, as_table(rows))
            return
        made = self.store.write(name, as_table(rows))
        self.next[name] = 0
        self.committed(made.id, name, self.numbered(name, rows))

    @rule(name=NAMES, rows=ROWS)
    def append(self, name: str, rows: list[tuple[Any, Any]]) -> None:
        if name not in self.now:
            with pytest.raises(CatalogError):
                self.store.write(name, as_table(rows), mode="append")
            return
        made = self.store.write(name, as_table(rows), mode="append")
        if not rows:
            assert made.id == max(self.history)
            return
        self.committed(made.id, name, self.now[name] + self.numbered(name, rows))

    @rule(name=NAMES, rows=ROWS)
    def replace(self, name: str, rows: list[tuple[Any, Any]]) -> None:
        if name not in self.now:
            self.next[name] = 0
        made = self.store.write(name, as_table(rows), mode="replace")
        self.committed(made.id, name, self.numbered(name, rows))

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        if name not in self.now:
            with pytest.raises(CatalogError):
                self.store.drop_table(name)
            return
        self.committed(self.store.drop_table(name).id, name, None)

    @rule(name=NAMES, rows=ROWS, token=st.sampled_from(["x", "y"]))
    def append_with_token(self, name: str, rows: list[tuple[Any, Any]], token: str) -> None:
        if name not in self.now:
            return
        if token in self.tokens:
            written = self.tokens[token]
            if written[1] == name:
                assert self.store.write(name, as_table(rows), mode="append", token=token).id == written[0]
            else:
                with pytest.raises(CatalogError, match="belongs to snapshot"):
                    self.store.write(name, as_table(rows), mode="append", token=token)
            return
        made = self.store.write(name, as_table(rows), mode="append", token=token)
        if not rows:
            # Nothing was made, so that the token stays free.
            assert made.id == max(self.history)
            return
        self.tokens[token] = (made.id, name)
        self.committed(made.id, name, self.now[name] + self.numbered(name, rows))

    @rule(name=NAMES, rows=ROWS, mode=st.sampled_from(["create", "append", "replace"]))
    def fail(self, name: str, rows: list[tuple[Any, Any]], mode: str) -> None:
        def source() -> Iterator[pa.RecordBatch]:
            for _ in range(3):
                yield from as_table(rows).to_batches()
            raise RuntimeError("source")

        with pytest.raises((RuntimeError, LumaError)):
            self.store.write(name, pa.RecordBatchReader.from_batches(SCHEMA, source()), mode=mode)

    @rule(name=NAMES)
    def refuse_a_null_key(self, name: str) -> None:
        if name not in self.now:
            with pytest.raises(ConstraintError):
                self.store.write(name, {"a": [1, None]}, primary_key="a")

    @rule(tag=st.sampled_from(["v1", "v2"]), data=st.data())
    def tag(self, tag: str, data: st.DataObject) -> None:
        at = data.draw(st.sampled_from(sorted(self.history)))
        if self.tags.setdefault(tag, at) == at:
            assert tag in self.store.tag(tag, at).tags
        else:
            with pytest.raises(CatalogError):
                self.store.tag(tag, at)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder / "b", settings=self.settings)

    @precondition(lambda self: len(self.history) > 1)
    @rule(data=st.data(), read_only=st.booleans())
    def read_the_past(self, data: st.DataObject, read_only: bool) -> None:
        at = data.draw(st.sampled_from(sorted(self.history)))
        if not read_only:
            self.compare(self.store, at)
            return
        with Store.open(self.folder / "b", mode="r", settings=self.settings) as other:
            self.compare(other, at)

    @invariant()
    def the_present_is_right(self) -> None:
        if hasattr(self, "store"):
            assert self.store.head() == max(self.history)
            self.compare(self.store, max(self.history))
            for tag, at in self.tags.items():
                assert self.store.resolve(tag).id == at

    def compare(self, store: Store, at: int) -> None:
        resolved = store.resolve(at)
        assert set(resolved.tables) == set(self.history[at])
        for name, rows in self.history[at].items():
            assert resolved.rows(name) == len(rows)
            table = store.scan(resolved, name).read(["_rowid", "a", "b"])
            assert list(zip(*table.to_pydict().values(), strict=True)) == rows

    def teardown(self) -> None:
        if hasattr(self, "store"):
            report = self.store.check()
            inline.TAIL_BLOBS, inline.TAIL_ROWS = self.limits
            assert report.ok, report.problems
            assert not report.notes
            assert [item.id for item in self.store.snapshots()] == sorted(self.history)
            self.store.close()
            shutil.rmtree(self.folder)


StoreMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStoreMachine = StoreMachine.TestCase


@pytest.mark.slow
def test_many_more_sequences() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=500, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
