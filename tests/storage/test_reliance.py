"""Rules between rows at the level of the store: what is compared, what a commit relies on, and how a statement is undone."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from luma_bench.bench.row_rules import EngineRules
from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import ConflictError, ConstraintError, SchemaError
from luma_bench.storage import evolve
from luma_bench.storage.catalog.schema import decode_rules, encode_settings
from luma_bench.storage.store import Store
from luma_bench.types.constraints import (
    ITSELF,
    Check,
    DefaultExpression,
    Expression,
    ForeignKey,
    Generated,
    TableRules,
    Unique,
)
from luma_bench.types.schema import Column, TableSettings


@pytest.fixture(scope="module")
def engine():
    made = DuckEngine(Settings(threads=1))
    yield made
    made.close()


@pytest.fixture
def store(tmp_path, engine):
    with Store.open(tmp_path / "b.luma") as opened:
        opened.rules = EngineRules(lambda: engine)
        yield opened


def twin(store, engine):
    opened = Store.open(store.path)
    opened.rules = EngineRules(lambda: engine)
    return opened


def ruled(store, name, columns, rules, **settings):
    store.create_table(
        pa.schema([(column, pa.int64()) for column in columns]), name, TableSettings(**settings)
    )
    store.alter(name, evolve.SetRules(rules))


def held(store, name="t"):
    return store.scan(store.resolve(), name).read().to_pylist()


def test_rules_survive_the_catalog(store, engine):
    rules = TableRules(
        checks=(Check("c", Expression((1, " > 0 AND ", 2, " <> '1'"))),),
        unique=(Unique("u", (1, 2)),),
        foreign=(ForeignKey("f", (1,), ITSELF, (2,)),),
        generated=(Generated(3, Expression((1, " + 1")), "BIGINT"),),
        defaults=(DefaultExpression(2, Expression(("0 + ", -1), ("token",)), "BIGINT", True),),
    )
    columns = [Column(i, name, pa.int64()) for i, name in enumerate("abc", 1)]
    assert decode_rules(encode_settings(TableSettings(), columns, rules), columns) == rules
    assert decode_rules(encode_settings(TableSettings(), columns), columns) == TableRules()
    ruled(store, "t", "abc", TableRules(unique=(Unique("u", (2,)),)))
    with twin(store, engine) as other:
        assert other.resolve().find("t").rules.unique == (Unique("u", (2,)),)


def test_expressions_know_what_they_read():
    made = Expression((1, " + list_sum([", 3, ", ", -1, "])"), ("q",))
    assert made.columns == {1, 3}
    assert made.sql({1: 'a"b', 3: "c"}, {"q": "s0"}) == '"a""b" + list_sum(["c", s0])'
    assert made.shown({1: "a", 3: "c"}) == "a + list_sum([c, nextval('q')])"


def test_a_statement_is_undone_as_a_whole(store):
    ruled(store, "t", "ab", TableRules(unique=(Unique("u", (1,)),)))
    with store.begin() as inside:
        inside.write("t", {"a": [1, 2], "b": [0, 0]}, mode="append")
        with pytest.raises(ConstraintError, match="'u'"):
            _both(inside)
        assert inside.view().rows("t") == 2
        with inside.statement():
            inside.write("t", {"a": [1], "b": [9]}, mode="append")
            inside.delete("t", _row_ids(inside, "t", 1, 0))
        inside.commit()
    assert sorted((row["a"], row["b"]) for row in held(store)) == [(1, 9), (2, 0)]


def _both(inside):
    with inside.statement():
        inside.write("t", {"a": [3], "b": [0]}, mode="append")
        inside.write("t", {"a": [1], "b": [0]}, mode="append")


def _row_ids(inside, name, a, b):
    from luma_bench.types.scan import ScanCounters

    table = inside.scan(inside.view().find(name)).stream(None, (), ScanCounters()).read_all().to_pylist()
    return [row["_rowid"] for row in table if (row["a"], row["b"]) == (a, b)]


def test_large_writes_are_compared_too(store):
    ruled(store, "t", "ab", TableRules(unique=(Unique("u", (1,)),)))
    count = 200_000
    store.write("t", {"a": list(range(count)), "b": [0] * count}, mode="append")
    with pytest.raises(ConstraintError):
        store.write("t", {"a": [*range(count, 2 * count), 5], "b": [0] * (count + 1)}, mode="append")
    assert store.resolve().rows("t") == count
    assert len(list((store.path / "segments").rglob("*.zip"))) == 1
    store.write("t", {"a": list(range(count, 2 * count)), "b": [1] * count}, mode="append")


def test_a_commit_that_comes_too_late_compares_again(store, engine):
    ruled(store, "t", "ab", TableRules(unique=(Unique("u", (1,)),)))
    with twin(store, engine) as other:
        inside = store.begin()
        inside.write("t", {"a": [1], "b": [0]}, mode="append")
        for value in range(10, 14):
            other.write("t", {"a": [value], "b": [0]}, mode="append")
        inside.commit()
        inside = store.begin()
        inside.write("t", {"a": [2], "b": [0]}, mode="append")
        other.write("t", {"a": [2], "b": [7]}, mode="append")
        with pytest.raises(ConflictError, match="two rows would have"):
            inside.commit()
        inside = store.begin()
        inside.delete("t", _row_ids(inside, "t", 2, 7))
        inside.write("t", {"a": [2], "b": [8]}, mode="append")
        other.write("t", {"a": [3], "b": [0]}, mode="append")
        inside.commit()
    assert sorted((row["a"], row["b"]) for row in held(store)) == [
        (1, 0), (2, 8), (3, 0), (10, 0), (11, 0), (12, 0), (13, 0),
    ]  # fmt: skip


def test_a_new_foreign_key_meets_a_parent_that_goes(store, engine):
    ruled(store, "p", "ab", TableRules(unique=(Unique("u", (1,)),)))
    ruled(store, "c", "x", TableRules())
    store.write("p", {"a": [1], "b": [0]}, mode="append")
    store.write("c", {"x": [1]}, mode="append")
    parent = store.resolve().find("p").id
    key = TableRules(foreign=(ForeignKey("f", (1,), parent, (1,)),))
    with twin(store, engine) as other:
        inside = store.begin()
        inside.alter("c", evolve.SetRules(key))
        other.delete("p", _row_ids_of(other, "p"))
        with pytest.raises(ConflictError):
            inside.commit()
        with pytest.raises(ConstraintError):
            store.alter("c", evolve.SetRules(key))
        other.write("p", {"a": [1], "b": [0]}, mode="append")
        inside = other.begin()
        inside.delete("p", _row_ids(inside, "p", 1, 0))
        store.alter("c", evolve.SetRules(key))
        with pytest.raises(ConflictError):
            inside.commit()


def _row_ids_of(store, name):
    from luma_bench.types.scan import ScanCounters

    return store.scan(store.resolve(), name).stream([0], (), ScanCounters()).read_all().column(0)


def test_keys_must_point_at_something_unique(store):
    ruled(store, "p", "ab", TableRules())
    ruled(store, "c", "x", TableRules())
    parent = store.resolve().find("p").id
    with pytest.raises(SchemaError, match="neither its PRIMARY KEY nor UNIQUE"):
        store.alter("c", evolve.SetRules(TableRules(foreign=(ForeignKey("f", (1,), parent, (1,)),))))
    store.alter("p", evolve.SetRules(TableRules(unique=(Unique("u", (1,)),))))
    store.alter("c", evolve.SetRules(TableRules(foreign=(ForeignKey("f", (1,), parent, (1,)),))))
    with pytest.raises(SchemaError, match="'f'"):
        store.alter("p", evolve.SetRules(TableRules()))
    with pytest.raises(SchemaError, match="names a column"):
        store.alter("c", evolve.SetRules(TableRules(unique=(Unique("u", (9,)),))))


def test_values_of_a_sequence_are_given_to_one_thread_alone(store):
    from luma_bench.types.sequence import Sequence

    made = Sequence("s", "token")
    taken = []

    def take():
        for _ in range(20):
            taken.extend(store._catalog.take_values(made, 3).to_pylist())

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 181))
    assert store.last_value(made) == 180
    assert store.advance(made, 180, 200)
    assert not store.advance(made, 180, 300)
    assert store.last_value(made) == 200
