"""Random inserts, deletes, updates, transactions, compactions and time travel: a topology is always that of the rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from topology_worlds import check, expected, graph_of, read

from luma_bench.bench.graph import topology_making
from luma_bench.bench.graph.topologies import Topologies
from luma_bench.config import Settings
from luma_bench.models.control import Control
from luma_bench.storage.store import Store

KEYS = st.integers(0, 5)
ENDS = st.one_of(st.none(), KEYS)
GRAPH = graph_of(
    {"person": ("id",), "place": ("country", "name")},
    {
        "knows": (("a",), "person", ("b",), "person"),
        "lives": (("who",), "person", ("country", "name"), "place"),
    },
)


class Machine(RuleBasedStateMachine):
    """One store, two handles' worth of caches, and the rows as Python sees them."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store.open(
            Path(self.folder.name) / "b.luma",
            settings=Settings(inline_bytes=600, shard_rows=64, chunk_rows=8, key_chunk_rows=8),
        )
        self.topologies = Topologies(self.store)
        self.other = Topologies(self.store, budget=20_000)
        self.transaction = None
        self.people: set[int] = set()
        self.snapshots: list[int] = []
        tables = {
            "person": {"id": pa.int32(), "note": pa.string()},
            "place": {"country": pa.string(), "name": pa.int64()},
            "knows": {"a": pa.int64(), "b": pa.int16(), "w": pa.float64()},
            "lives": {"who": pa.int64(), "country": pa.string(), "name": pa.int32()},
        }
        for name, columns in tables.items():
            self.store.create_table(pa.schema(list(columns.items())), name)
        self.write("place", {"country": ["DE", "DE", "FR"], "name": [1, 2, 1]})
        self.write("person", {"id": [0, 1, 2, 3], "note": ["", "", "", ""]})
        edges = [(i % 4, (i * 7) % 5, float(i)) for i in range(40)]
        self.write("knows", dict(zip("abw", map(list, zip(*edges, strict=True)), strict=True)))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            if self.transaction is not None:
                self.transaction.rollback()
            self.store.close()
            self.folder.cleanup()

    def write(self, table: str, columns: dict[str, list]) -> None:
        (self.transaction or self.store).write(table, self.table(table, columns), mode="append")

    def table(self, name: str, columns: dict[str, list]) -> pa.Table:
        schema = self.view().find(name).arrow
        return pa.table([pa.array(columns[item.name], item.type) for item in schema], schema=schema)

    def view(self):
        return self.store.resolve() if self.transaction is None else self.transaction.view()

    def rows(self, table: str) -> pa.Table:
        scan = self.store.scan(self.view(), table)
        return scan.read(["_rowid", *scan.table.names])

    @rule(edges=st.lists(st.tuples(ENDS, ENDS), min_size=1, max_size=6))
    def know(self, edges) -> None:
        a, b = zip(*edges, strict=True)
        self.write("knows", {"a": list(a), "b": list(b), "w": [1.0] * len(a)})

    @rule(
        edges=st.lists(
            st.tuples(ENDS, st.sampled_from(["DE", "FR", "XX", None]), st.integers(1, 2)),
            min_size=1,
            max_size=4,
        )
    )
    def live(self, edges) -> None:
        who, country, name = zip(*edges, strict=True)
        self.write("lives", {"who": list(who), "country": list(country), "name": list(name)})

    @rule(keys=st.sets(KEYS, min_size=1, max_size=3))
    def arrive(self, keys) -> None:
        keys = sorted(keys - set(self.rows("person").column("id").to_pylist()))
        if keys:
            self.write("person", {"id": keys, "note": ["new"] * len(keys)})

    @rule(table=st.sampled_from(["person", "knows", "lives", "place"]), data=st.data())
    def delete(self, table, data) -> None:
        ids = self.rows(table).column("_rowid").to_pylist()
        if ids:
            gone = data.draw(st.sets(st.sampled_from(ids), min_size=1, max_size=3))
            (self.transaction or self.store).delete(table, np.array(sorted(gone)))

    @rule(table=st.sampled_from(["person", "knows", "lives", "place"]), data=st.data())
    def touch(self, table, data) -> None:
        """Rows written anew as they are: a change of columns that are no keys."""
        rows = self.rows(table)
        if rows.num_rows:
            places = data.draw(st.sets(st.integers(0, rows.num_rows - 1), min_size=1, max_size=3))
            some = rows.take(pa.array(sorted(places)))
            some = some.sort_by("_rowid")
            (self.transaction or self.store).update(
                table, some.column("_rowid").to_numpy(), some.drop_columns(["_rowid"])
            )

    @rule(data=st.data(), key=KEYS)
    def rekey(self, data, key) -> None:
        """Another key for a vertex: its edges dangle, others may find it."""
        rows = self.rows("person")
        if rows.num_rows and key not in rows.column("id").to_pylist():
            row = rows.slice(data.draw(st.integers(0, rows.num_rows - 1)), 1)
            new = self.table("person", {"id": [key], "note": ["x"]})
            (self.transaction or self.store).update("person", row.column("_rowid").to_numpy(), new)

    @rule(data=st.data(), ends=st.tuples(ENDS, ENDS))
    def redirect(self, data, ends) -> None:
        rows = self.rows("knows")
        if rows.num_rows:
            row = rows.slice(data.draw(st.integers(0, rows.num_rows - 1)), 1)
            new = self.table("knows", {"a": [ends[0]], "b": [ends[1]], "w": [2.0]})
            (self.transaction or self.store).update("knows", row.column("_rowid").to_numpy(), new)

    @precondition(lambda self: self.transaction is None)
    @rule()
    def open_transaction(self) -> None:
        self.transaction = self.store.begin()

    @precondition(lambda self: self.transaction is not None)
    @rule(commit=st.booleans())
    def end_transaction(self, commit) -> None:
        transaction, self.transaction = self.transaction, None
        if commit:
            transaction.commit()
        else:
            transaction.rollback()

    @precondition(lambda self: self.transaction is None)
    @rule()
    def compact(self) -> None:
        self.store.compact(retention="forever")

    @precondition(lambda self: self.transaction is None)
    @rule()
    def replace(self) -> None:
        rows = self.rows("knows").drop_columns(["_rowid"])
        self.store.write("knows", rows.slice(0, 30), mode="replace")

    @rule(data=st.data())
    def travel(self, data) -> None:
        at = data.draw(st.sampled_from(self.snapshots)) if self.snapshots else self.store.head()
        self.look(self.store.resolve(at))

    @invariant()
    def right(self) -> None:
        if hasattr(self, "store"):
            view = self.view()
            if self.transaction is None:
                self.snapshots.append(view.id)
            self.look(view)

    def look(self, view) -> None:
        wanted = expected(GRAPH, read(self.store, view, GRAPH))
        for topologies in (self.topologies, self.other):
            found = topologies.get(GRAPH, view, Control())
            check(found, wanted)
            assert topologies.get(GRAPH, view, Control()) is found


@pytest.fixture
def share(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deltas in small tables too, so that they are what is tested."""
    monkeypatch.setattr(topology_making, "SMALL", 0)
    monkeypatch.setattr(topology_making, "SHARE", request.param)


SHARES = pytest.mark.parametrize("share", [1, 4, 100], indirect=True)


@SHARES
@pytest.mark.usefixtures("share")
def test_a_topology_is_that_of_the_rows() -> None:
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=6, stateful_step_count=20, deadline=None)
    )


@SHARES
@pytest.mark.slow
@pytest.mark.usefixtures("share")
def test_a_topology_is_that_of_the_rows_in_many_lives() -> None:
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=100, stateful_step_count=40, deadline=None)
    )
