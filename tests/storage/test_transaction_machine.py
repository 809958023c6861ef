"""Transactions against a model: what is seen inside, what a commit makes, and which commits must lose.

Rows carry a number of their own, so that the model knows which row a deletion meant; a row that was written anew under
its key is another row.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ConflictError
from luma_bench.storage import inline
from luma_bench.storage.evolve import CommentTable
from luma_bench.storage.store import Store
from luma_bench.storage.transaction import Transaction

NAMES = ("t", "k")
SCHEMA = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64())])
Rows = dict[int, int]  # a → b; b is new with every write, so (a, b) names one row
State = dict[str, Rows]


@dataclass
class Done:
    """What somebody did to one table since some moment."""

    kinds: set[str] = field(default_factory=set)
    written: set[int] = field(default_factory=set)
    deleted: set[tuple[int, int]] = field(default_factory=set)


class Log(dict[str, Done]):
    def of(self, name: str) -> Done:
        return self.setdefault(name, Done())


class TransactionMachine(RuleBasedStateMachine):
    @initialize()
    def begin_store(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.limits = (inline.TAIL_BLOBS, inline.TAIL_ROWS)
        inline.TAIL_BLOBS, inline.TAIL_ROWS = 3, 40
        self.store = Store.open(
            self.folder / "b",
            settings=Settings(inline_bytes=900, shard_rows=25, chunk_rows=8, key_chunk_rows=4, threads=1),
        )
        self.state: State = {}
        self.history: dict[int, State] = {1: {}}
        self.count = 0
        self.tx: Transaction | None = None
        self.steps = 0
        self.inner: State = {}
        self.mine = Log()
        self.others = Log()
        for name in NAMES:
            self.act("create", name, self.fresh(5), inside=False)

    def fresh(self, count: int, keys: list[int] | None = None) -> Rows:
        numbers = range(self.count, self.count + count) if keys is None else keys
        rows = {key: self.count + n for n, key in enumerate(numbers)}
        self.count += max(count, len(rows))
        return rows

    # --- one action, in the open transaction or as a commit of its own ---

    def act(self, what: str, name: str, rows: Rows, *, inside: bool) -> None:
        target: Any = self.tx if inside else self.store
        state, log = (self.inner, self.mine) if inside else (self.state, self.others)
        assert target is not None
        data = pa.table({"a": list(rows), "b": list(rows.values())}, schema=SCHEMA)
        key = {"primary_key": ("a",)} if name == "k" else {}
        done = log.of(name)
        if what in ("create", "replace"):
            target.write(name, data, mode=what, **key)
            state[name] = dict(rows)
        elif what in ("append", "upsert"):
            target.write(name, data, mode=what)
            done.deleted |= {(a, state[name][a]) for a in rows if a in state[name]}
            state[name] |= rows
        elif what == "delete":
            view = target.resolve()
            held = self.store.scan(view, name).read(["_rowid", "a"])
            ids = [
                row
                for row, a in zip(held["_rowid"].to_pylist(), held["a"].to_pylist(), strict=True)
                if a in rows
            ]
            target.delete(name, np.array(ids, np.int64))
            if not ids:
                return
            done.deleted |= {(a, state[name].pop(a)) for a in rows}
        elif what == "drop":
            target.drop_table(name)
            del state[name]
        else:
            target.alter(name, CommentTable(str(self.count)))
            self.count += 1
        done.kinds.add(what)
        done.written |= set(rows) if what in ("create", "append", "replace", "upsert") else set()
        if not inside:
            self.history[self.store.head()] = copy.deepcopy(self.state)

    @rule(name=st.sampled_from(NAMES), what=st.sampled_from(["append"] * 9 + ["upsert"] * 9 + ["delete"] * 9 + ["create", "replace", "drop", "alter"]),
          inside=st.booleans(), size=st.sampled_from([1, 3, 60]), data=st.data())  # fmt: skip
    def change(self, name: str, what: str, inside: bool, size: int, data: st.DataObject) -> None:
        inside = inside and self.tx is not None
        self.steps += 1
        state = self.inner if inside else self.state
        there = name in state
        if (what == "create") == there or (what == "upsert" and name != "k"):
            return
        rows = self.fresh(size)
        if what in ("delete", "upsert"):
            present = sorted(state[name])
            some = data.draw(st.lists(st.sampled_from(present), unique=True, max_size=4)) if present else []
            rows = {a: state[name][a] for a in some} if what == "delete" else self.fresh(0, some) | rows
        if what in ("drop", "alter"):
            rows = {}
        self.act(what, name, rows, inside=inside)

    @precondition(lambda self: getattr(self, "tx", None) is None and hasattr(self, "store"))
    @rule()
    def begin(self) -> None:
        self.tx = self.store.begin(message="m")
        self.inner = copy.deepcopy(self.state)
        self.mine, self.others = Log(), Log()
        self.steps = 0

    @precondition(lambda self: getattr(self, "tx", None) is not None and self.steps > 2)
    @rule(how=st.sampled_from(["commit", "commit", "commit", "rollback"]))
    def end(self, how: str) -> None:
        transaction, self.tx = self.tx, None
        assert transaction is not None
        before = self.store.head()
        if how == "rollback":
            transaction.rollback()
            assert self.store.head() == before
            return
        if self.loses(transaction):
            with pytest.raises((ConflictError, CatalogError)):
                transaction.commit()
            assert self.store.head() == before
            return
        made = transaction.commit()
        if not any(done.kinds for done in self.mine.values()):
            assert made.id == transaction.base.id
            return
        assert made.id == before + 1
        for name, done in self.mine.items():
            if not done.kinds:
                continue
            if done.kinds & {"create", "replace", "drop"}:
                self.state.pop(name, None)
                if name in self.inner:
                    self.state[name] = self.inner[name]
                continue
            gone = done.deleted
            kept = {a: b for a, b in self.state[name].items() if (a, b) not in gone}
            base = self.history[transaction.base.id][name]
            self.state[name] = kept | {a: b for a, b in self.inner[name].items() if base.get(a) != b}
        self.history[made.id] = copy.deepcopy(self.state)

    def loses(self, transaction: Transaction) -> bool:
        base = self.history[transaction.base.id]
        for name, done in self.mine.items():
            other = self.others.get(name)
            if not done.kinds or other is None or not other.kinds:
                continue
            whole = {"create", "replace", "drop", "alter"}
            if name not in base:
                if name in self.inner and name in self.state:
                    return True
            elif (
                done.kinds & whole
                or other.kinds & whole
                or done.deleted & other.deleted
                or (
                    name == "k"
                    and any(a in done.written and base[name].get(a) != b for a, b in self.state[name].items())
                )
            ):
                return True
        return False

    @invariant()
    def all_is_seen(self) -> None:
        if not hasattr(self, "store"):
            return
        self.compare(self.store.resolve(), self.state)
        if self.tx is not None:
            self.compare(self.tx.view(), self.inner)

    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        at = data.draw(st.sampled_from(sorted(self.history)))
        self.compare(self.store.resolve(at), self.history[at])

    @precondition(lambda self: getattr(self, "tx", None) is None and hasattr(self, "store"))
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder / "b", settings=self.store.settings)

    def compare(self, view: Any, state: State) -> None:
        assert set(view.tables) == set(state)
        for name, rows in state.items():
            assert view.rows(name) == len(rows)
            table = self.store.scan(view, name).read(["a", "b", "_rowid"])
            assert dict(zip(table["a"].to_pylist(), table["b"].to_pylist(), strict=True)) == rows
            assert table.num_rows == len(rows) == len(set(table["_rowid"].to_pylist()))

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        inline.TAIL_BLOBS, inline.TAIL_ROWS = self.limits
        if self.tx is not None:
            self.tx.rollback()
        report = self.store.check()
        assert report.ok, report.problems
        assert not report.notes, report.notes
        self.store.close()
        shutil.rmtree(self.folder)


TransactionMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestTransactionMachine = TransactionMachine.TestCase


@pytest.mark.slow
def test_many_more_sequences() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        TransactionMachine,
        settings=settings(
            max_examples=800, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
