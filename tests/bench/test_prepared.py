"""PREPARE, EXECUTE, DEALLOCATE and `bench.prepare`: values by name, everything checked, nothing bypassed."""

from __future__ import annotations

import datetime as dt
import decimal
import threading

import pyarrow as pa
import pytest

import luma_bench as lb


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "p.luma", threads=1) as opened:
        opened.kadeql(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR, since TIMESTAMP);"
            "INSERT INTO t SELECT i, 'n' || i, TIMESTAMP '2026-01-01' + i * INTERVAL 1 DAY FROM range(10) r(i)"
        )
        yield opened


def values(result) -> list[dict[str, object]]:
    return result.to_arrow().to_pylist()


# --- as text ---


def test_a_query_is_prepared_and_executed_with_other_values(bench):
    made = bench.kadeql("PREPARE part AS SELECT id FROM t WHERE id BETWEEN $lo AND $hi ORDER BY id")
    assert values(made) == [{"operation": "prepare", "name": "part", "parameters": ["$lo", "$hi"]}]
    assert values(bench.kadeql("EXECUTE part(lo := 2, hi := 3)")) == [{"id": 2}, {"id": 3}]
    assert values(bench.kadeql("execute PART (hi => 1 + 1, $lo => 2)")) == [{"id": 2}]


def test_what_was_prepared_sees_the_newest_rows(bench):
    bench.kadeql("PREPARE n AS SELECT count(*) AS n FROM t")
    before = bench.snapshot
    bench.kadeql("DELETE FROM t WHERE id < 4")
    assert values(bench.kadeql("EXECUTE n")) == [{"n": 6}]
    assert values(bench.kadeql("EXECUTE n()", at=before)) == [{"n": 10}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("1.50", decimal.Decimal("1.50")),
        ("'it''s'", "it's"),
        ("E'a\\nb'", "a\nb"),
        ("NULL", None),
        ("true", True),
        ("DATE '2026-01-31'", dt.date(2026, 1, 31)),
        ("TIMESTAMP '2026-01-31 12:00:00'", dt.datetime(2026, 1, 31, 12)),
        ("[1, 2]", [1, 2]),
        ("{'a': 1}", {"a": 1}),
        ("INTERVAL 2 DAY + INTERVAL 1 HOUR", pa.MonthDayNano([0, 2, 3600 * 10**9])),
        ("upper('x') || 'y'", "Xy"),
        ("9223372036854775808", 9223372036854775808),
    ],
)
def test_values_are_constant_expressions(bench, text, value):
    bench.kadeql("PREPARE v AS SELECT $x AS x")
    found = bench.kadeql(f"EXECUTE v(x := {text})").to_arrow()["x"][0].as_py()
    assert found == value or found == decimal.Decimal(str(value))


def test_declared_types_cast_the_values(bench):
    bench.kadeql("PREPARE v (x DATE, y DECIMAL(6, 2)) AS SELECT $x AS x, $y AS y, $z AS z")
    (row,) = values(bench.kadeql("EXECUTE v(x := '2026-01-31', y := 3, z := '3')"))
    assert row == {"x": dt.date(2026, 1, 31), "y": decimal.Decimal("3.00"), "z": "3"}
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql("EXECUTE v(x := 'soon', y := 3, z := 1)")
    assert caught.value.span == (10, 11)
    assert "TRY_CAST" in caught.value.hint


def test_a_value_may_be_a_parameter_of_the_call(bench):
    bench.kadeql("PREPARE part AS SELECT name FROM t WHERE id = $id")
    assert values(bench.kadeql("EXECUTE part(id := $n + 1)", {"n": 4})) == [{"name": "n5"}]
    with pytest.raises(lb.errors.KadeQLBindError) as caught:
        bench.kadeql("EXECUTE part(id := $n + 1)")
    assert caught.value.column == 20


def test_rows_are_changed_by_prepared_statements_inside_of_transactions_too(bench):
    bench.kadeql("PREPARE put AS INSERT INTO t (id, name) VALUES ($id, $name)")
    bench.kadeql("PREPARE rename AS UPDATE t SET name = $name WHERE id = $id")
    bench.kadeql("PREPARE gone AS DELETE FROM t WHERE id = $id")
    before = bench.snapshot
    bench.kadeql("BEGIN; EXECUTE put(id := 99, name := 'x'); EXECUTE rename(id := 99, name := 'y'); COMMIT")
    assert bench.snapshot == before + 1
    assert bench.get("t", 99)["name"] == "y"
    with bench.transaction() as tx:
        tx.kadeql("EXECUTE gone(id := 99)")
        assert tx.get("t", 99) is None
        tx.rollback()
    assert bench.get("t", 99)["name"] == "y"


def test_the_same_name_is_prepared_anew_and_names_have_no_case(bench):
    bench.kadeql("PREPARE v AS SELECT 1 AS x; PREPARE V AS SELECT 2 AS x")
    assert values(bench.kadeql('EXECUTE "v"')) == [{"x": 2}]
    bench.kadeql("DEALLOCATE PREPARE v")
    with pytest.raises(lb.errors.KadeQLBindError, match="no prepared statement"):
        bench.kadeql("EXECUTE v")
    bench.kadeql("PREPARE v AS SELECT 1 AS x; PREPARE w AS SELECT 2 AS x; DEALLOCATE ALL")
    with pytest.raises(lb.errors.KadeQLBindError, match="no prepared statement"):
        bench.kadeql("EXECUTE w")


def test_a_session_is_the_handles_and_every_threads(bench):
    bench.kadeql("PREPARE v AS SELECT $x AS x")
    found = []
    thread = threading.Thread(target=lambda: found.extend(values(bench.kadeql("EXECUTE v(x := 1)"))))
    thread.start()
    thread.join()
    assert found == [{"x": 1}]
    with pytest.raises(lb.errors.KadeQLBindError, match="no prepared statement"):
        bench.at(bench.snapshot).kadeql("EXECUTE v(x := 1)")


def test_an_error_of_the_statement_points_into_its_own_text(bench):
    text = "PREPARE v AS\n  SELECT $x::INTEGER AS x"
    bench.kadeql(text)
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql("EXECUTE v(x := 'abc')")
    assert caught.value.text == text
    assert (caught.value.line, caught.value.column) == (2, 12)


@pytest.mark.parametrize(
    "inner",
    [
        "COPY t TO 'x.csv'", "ATTACH 'x.db'", "SET threads = 1", "CREATE TABLE x (a INT)", "DROP TABLE t", "BEGIN", "TAG SNAPSHOT 'x'",
        "PREPARE y AS SELECT 1", "EXECUTE y", "SELECT * FROM read_csv_auto('/etc/passwd', sep = $s)", "INSTALL httpfs", "PRAGMA version",
    ],
)  # fmt: skip
def test_what_may_not_run_is_not_prepared_either(bench, inner):
    with pytest.raises(lb.errors.LumaError):
        bench.kadeql(f"PREPARE x AS {inner}; EXECUTE x(s := ',')")
    with pytest.raises(lb.errors.LumaError):
        bench.prepare(inner).run()
    assert bench.tables() == ["t"]


def test_a_reading_handle_changes_nothing_by_a_prepared_statement(bench):
    past = bench.at(bench.snapshot)
    past.kadeql("PREPARE gone AS DELETE FROM t")
    with pytest.raises(lb.errors.ReadOnlyError):
        past.kadeql("EXECUTE gone")
    with pytest.raises(lb.errors.ReadOnlyError):
        past.prepare("DELETE FROM t").run()


# --- Bench.prepare ---


def test_a_prepared_query_takes_values_by_keyword_and_by_mapping(bench):
    some = bench.prepare("SELECT name FROM t WHERE id = $id AND name <> $not ORDER BY id")
    assert some.params == ("id", "not")
    assert values(some.run({"not": "x"}, id=3)) == [{"name": "n3"}]
    assert values(some(**{"id": 3, "not": "n3"})) == []
    assert some.schema == pa.schema({"name": pa.string()})
    assert repr(some).startswith("Prepared('SELECT name FROM t")
    assert some.text.startswith("SELECT name")


def test_a_prepared_query_answers_as_the_text_does(bench):
    query = "SELECT id, name FROM t WHERE id > $lo ORDER BY id"
    some = bench.prepare(query)
    for lo in range(-1, 11):
        assert some(lo=lo).to_arrow().equals(bench.kadeql(query, {"lo": lo}).to_arrow())
    assert some(lo=3).run.cached
    assert not some.run({"lo": 3}, cache=False).run.cached
    bench.kadeql("DELETE FROM t WHERE id = 9")
    assert len(some(lo=3)) == 5


def test_a_missing_or_unknown_value_is_an_error(bench):
    some = bench.prepare("SELECT\n  $lo AS x")
    with pytest.raises(lb.errors.KadeQLBindError) as caught:
        some()
    assert (caught.value.line, caught.value.column) == (2, 3)
    assert "run(lo=…)" in caught.value.hint
    with pytest.raises(lb.errors.KadeQLBindError) as caught:
        some(lo=1, loo=2)
    assert "'lo'" in caught.value.hint


def test_prepared_changes_join_the_open_transaction(bench):
    put = bench.prepare("INSERT INTO t (id, name) VALUES ($id, $name)")
    before = bench.snapshot
    with bench.transaction():
        for number in range(20, 25):
            put(id=number, name="x")
        assert values(bench.prepare("SELECT count(*) AS n FROM t WHERE name = $n")(n="x")) == [{"n": 5}]
    assert bench.snapshot == before + 1
    with pytest.raises(lb.errors.ConstraintError):
        put(id=20, name="again")


def test_tables_of_the_call_are_seen(bench):
    some = bench.prepare(
        "SELECT sum(v) AS s FROM mine WHERE v > $lo", tables={"mine": pa.table({"v": [1, 2, 3]})}
    )
    assert values(some(lo=1)) == [{"s": 5}]
    assert values(some.run(lo=1, tables={"mine": pa.table({"v": [7]})})) == [{"s": 7}]


def test_only_one_statement_can_be_prepared_and_only_text(bench):
    with pytest.raises(lb.errors.UnsupportedError, match="not several"):
        bench.prepare("SELECT 1; SELECT 2")
    with pytest.raises(lb.errors.UnsupportedError, match="KadeQL is text"):
        bench.prepare(3)
    with pytest.raises(lb.errors.UnsupportedError):
        _ = bench.prepare("DELETE FROM t").schema


def test_a_closed_bench_runs_nothing(tmp_path):
    bench = lb.open(tmp_path / "c.luma", threads=1)
    some = bench.prepare("SELECT 1 AS x")
    bench.close()
    with pytest.raises(lb.errors.ClosedError):
        some()


def test_a_prepared_statement_keeps_the_relations_that_it_was_given(tmp_path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        one, other = pa.table({"a": [1, 2]}), pa.table({"a": [5]})
        bench.kadeql(
            "PREPARE p AS SELECT sum(a)::BIGINT AS s FROM names WHERE a > $low", tables={"names": one}
        )
        assert bench.kadeql("EXECUTE p(low := 1)").to_arrow().to_pylist() == [{"s": 2}]
        again = bench.kadeql("EXECUTE p(low := 0)", tables={"names": other})
        assert again.to_arrow().to_pylist() == [{"s": 5}]
