"""Constraints on random statements and on scripts: against a plain model, and against DuckDB itself."""

from __future__ import annotations

import tempfile

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import ConstraintError


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        yield opened


def rows(bench: lb.Bench, text: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in bench.kadeql(text, cache=False).to_arrow().to_pylist()]


# The model knows nothing of the code: rules in plain Python, rows in a dict.

CELL = st.one_of(st.none(), st.integers(-2, 6))
STEP = st.one_of(
    st.tuples(st.just("insert"), st.lists(st.tuples(st.integers(0, 7), CELL, CELL), min_size=1, max_size=3)),
    st.tuples(st.just("update"), st.tuples(st.integers(0, 7), CELL, CELL)),
    st.tuples(st.just("delete"), st.integers(0, 7)),
    st.tuples(st.just("parent"), st.integers(-2, 6)),
    st.tuples(st.just("orphan"), st.integers(-2, 6)),
)


def _holds(held: dict[int, tuple[int | None, int | None]], parents: set[int]) -> bool:
    firsts = [a for a, _ in held.values() if a is not None]
    return (
        len(firsts) == len(set(firsts))
        and all(a is None or a >= 0 for a, _ in held.values())
        and all(a is None or b is None or a + b < 9 for a, b in held.values())
        and all(b is None or b in parents for _, b in held.values())
    )


@settings(deadline=None, max_examples=drawn(25))
@given(st.lists(STEP, max_size=14))
def test_random_statements_against_a_plain_model(steps):
    with tempfile.TemporaryDirectory() as folder, lb.open(f"{folder}/b.luma") as bench:
        bench.kadeql("CREATE TABLE p (k INTEGER PRIMARY KEY)")
        bench.kadeql(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER UNIQUE CHECK (a >= 0), b INTEGER REFERENCES p,"
            " CHECK (a + b < 9), s INTEGER AS (a + b))"
        )
        held: dict[int, tuple[int | None, int | None]] = {}
        parents: set[int] = set()
        for kind, value in steps:
            after, around = dict(held), set(parents)
            params: dict[str, object] = {}
            match kind:
                case "insert":
                    good = len({item[0] for item in value}) == len(value) and all(
                        i not in held for i, _, _ in value
                    )
                    after |= {i: (a, b) for i, a, b in value}
                    listed = ", ".join(f"({i}, {_sql(a)}, {_sql(b)})" for i, a, b in value)
                    text = f"INSERT INTO t VALUES {listed}"
                case "update":
                    i, a, b = value
                    good = True
                    if i in after:
                        after[i] = (a, b)
                    text = f"UPDATE t SET a = {_sql(a)}, b = {_sql(b)} WHERE id = {i}"
                case "delete":
                    good = True
                    after.pop(value, None)
                    text, params = "DELETE FROM t WHERE id = $i", {"i": value}
                case "parent":
                    good = value not in parents
                    around.add(value)
                    text = f"INSERT INTO p VALUES ({value})"
                case _:
                    good = True
                    around.discard(value)
                    text = f"DELETE FROM p WHERE k = {value}"
            if good and _holds(after, around):
                bench.kadeql(text, params=params)
                held, parents = after, around
            else:
                with pytest.raises(ConstraintError):
                    bench.kadeql(text, params=params)
            want = sorted((i, a, b, None if a is None or b is None else a + b) for i, (a, b) in held.items())
            assert rows(bench, "FROM t ORDER BY id") == want


def _sql(value: int | None) -> str:
    return "NULL" if value is None else str(value)


SCRIPTS = [
    ["CREATE TABLE t (a INTEGER CHECK (a > 0), b INTEGER)", "INSERT INTO t VALUES (1, 1), (NULL, 2)", "INSERT INTO t VALUES (0, 1)",
     "UPDATE t SET a = a - 1", "UPDATE t SET b = 7", "INSERT INTO t (b) VALUES (3)"],
    ["CREATE TABLE t (a INTEGER CHECK (a), b DOUBLE CHECK (b))", "INSERT INTO t VALUES (0, 1)", "INSERT INTO t VALUES (2, 0.4)",
     "INSERT INTO t VALUES (-1, 0.6)"],
    ["CREATE TABLE t (a VARCHAR UNIQUE, b DOUBLE UNIQUE)", "INSERT INTO t VALUES ('x', 'nan'::DOUBLE), ('y', -0.0)", "INSERT INTO t VALUES ('z', 'nan')",
     "INSERT INTO t VALUES ('w', 0.0)", "INSERT INTO t VALUES (NULL, NULL), (NULL, NULL)", "INSERT INTO t VALUES ('x', 3)"],
    ["CREATE TABLE t (d DECIMAL(9, 2) UNIQUE, ts TIMESTAMP UNIQUE)", "INSERT INTO t VALUES (1.10, '2024-01-01')", "INSERT INTO t VALUES (1.1, '2024-01-02')",
     "INSERT INTO t VALUES (1.2, '2024-01-01 00:00:00')", "INSERT INTO t VALUES (1.3, '2024-01-01 00:00:00.000001')"],
    ["CREATE TABLE t (a INTEGER, g INTEGER AS (a * 2), h VARCHAR AS (g || '!'))", "INSERT INTO t VALUES (1), (NULL)", "INSERT INTO t (a, g) VALUES (1, 2)",
     "UPDATE t SET a = 5 WHERE a = 1", "UPDATE t SET g = 5", "INSERT INTO t VALUES (1, 2)"],
    ["CREATE TABLE t (a INTEGER, g TINYINT AS (a + 1))", "INSERT INTO t VALUES (3)", "INSERT INTO t VALUES (500)"],
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_same_as_duckdb(bench, script):
    twin = duckdb.connect()
    for text in script:
        try:
            twin.execute(text)
            failed = False
        except duckdb.Error:
            failed = True
        if failed:
            with pytest.raises(lb.errors.LumaError):
                bench.kadeql(text)
        else:
            bench.kadeql(text)
        want = sorted(map(repr, twin.execute("FROM t").fetchall()))
        assert sorted(map(repr, rows(bench, "FROM t"))) == want, text
    twin.close()
