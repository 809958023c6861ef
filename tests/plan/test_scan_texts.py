"""What the rules read off texts: before the text, after what a scan is told. Texts that only look alike give nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.plan.scanrules.from_statistics import Figures, figures
from luma_bench.plan.scanrules.key_ranges import MOST_RANGES, key_predicate
from luma_bench.plan.scanrules.semi_join import reductions
from luma_bench.plan.scanrules.texts import ParsedText, parsed
from luma_bench.plan.scanrules.top_rows import top_rows
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate
from luma_bench.types.schema import SQL_TYPE, Column, TableSchema
from luma_bench.types.statistics import TopRows

KINDS: Mapping[str, pa.DataType] = {
    "id": pa.int64(), "k": pa.int32(), "x": pa.float64(), "s": pa.string(), "day": pa.date32(), "d": pa.decimal128(9, 2),
    "at": pa.timestamp("us"), "tz": pa.timestamp("us", "UTC"), "b": pa.bool_(), "f": pa.float32(), "ns": pa.timestamp("ns"),
}  # fmt: skip


def table(name: str) -> TableSchema:
    columns = [Column(i, key, kind) for i, (key, kind) in enumerate(KINDS.items())]
    columns.append(Column(90, "mood", pa.string(), metadata=((SQL_TYPE, b"ENUM('a', 'b')"),)))
    return TableSchema(1, name, tuple(columns))


TABLES = {"t": table("T"), "u": table("u"), "v": table("v")}


def read(text: str) -> ParsedText:
    found = parsed(text)
    assert found is not None
    return found


CONDITIONS: list[tuple[str, Predicate | None]] = [
    ("k > 3", Comparison("k", ">", 3, "INTEGER")),
    ("3 < k", Comparison("k", ">", 3, "INTEGER")),
    ("T.K = -7", Comparison("k", "=", -7, "INTEGER")),
    ("k > 3000000000", None),
    ("k > 2.5", None),
    ("k > '3'", None),
    ("x >= 1", Comparison("x", ">=", 1.0, "DOUBLE")),
    ("x <> 0.25", Comparison("x", "!=", 0.25, "DOUBLE")),
    ("x < 1e3", None),
    ("x = 'nan'", None),
    ("f < 1.5", None),
    ("d <= 1.25", Comparison("d", "<=", Decimal("1.25"), "DECIMAL(9,2)")),
    ("d = 1.255", None),
    ("s = 'it''s'", Comparison("s", "=", "it's", "VARCHAR")),
    ("s LIKE 'a%'", None),
    ("s = k", None),
    ("mood > 'a'", None),
    ("ns > TIMESTAMP '2024-01-01'", None),
    ("day >= DATE '2024-02-29'", Comparison("day", ">=", dt.date(2024, 2, 29), "DATE")),
    ("day = '2024-02-30'", None),
    ("day > TIMESTAMP '2024-01-01'", None),
    ("at < '2024-01-01 10:30'", Comparison("at", "<", dt.datetime(2024, 1, 1, 10, 30), "TIMESTAMP")),
    ("at > now()", None),
    ("tz > '2024-01-01'", None),
    ("b = TRUE", Comparison("b", "=", True, "BOOLEAN")),
    ("k IN (1, 2)", In("k", (1, 2), "INTEGER")),
    ("k NOT IN (1, 2)", Not(In("k", (1, 2), "INTEGER"))),
    ("k IN (1, NULL)", None),
    ("s IS NOT NULL", Not(IsNull("s"))),
    ("NOT k = 1", Not(Comparison("k", "=", 1, "INTEGER"))),
    ("k = $p", Comparison("k", "=", 5, "INTEGER")),
    ("k = $text", None),
    ("k = $missing", None),
    ("s = $text", Comparison("s", "=", "x", "VARCHAR")),
    ("k = 1 OR s = 'a'", Or(Comparison("k", "=", 1, "INTEGER"), Comparison("s", "=", "a", "VARCHAR"))),
    ("k BETWEEN 1 AND 2", And(Comparison("k", ">=", 1, "INTEGER"), Comparison("k", "<=", 2, "INTEGER"))),
    ("random() < 0.5", None),
    ("other.k = 1", None),
    ("nothing = 1", None),
    ("k IS DISTINCT FROM 1", None),
    ("k = ANY ([1])", None),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_conditions(condition: str, expected: Predicate | None) -> None:
    found = figures(read(f"SELECT count(*) FROM t WHERE {condition}"), TABLES, {"p": 5, "text": "x"})
    if expected is None:
        assert isinstance(found, str)
    else:
        assert isinstance(found, Figures)
        assert found.predicates == (expected,)


TOP: list[tuple[str, TopRows | None]] = [
    ("SELECT * FROM t ORDER BY k LIMIT 3", TopRows("k", False, False, 3)),
    ("FROM t ORDER BY k DESC NULLS FIRST LIMIT 3 OFFSET 4", TopRows("k", True, True, 7)),
    ("SELECT k + 1, s FROM t a ORDER BY a.k DESC, s LIMIT $n", TopRows("k", True, False, 9)),
    ("SELECT k FROM t WHERE k > 3 ORDER BY day LIMIT 2", TopRows("day", False, False, 2, (Comparison("k", ">", 3, "INTEGER"),))),
    ("SELECT k AS s FROM t ORDER BY s LIMIT 2", None),
    ("SELECT k AS s FROM t ORDER BY t.s LIMIT 2", TopRows("s", False, False, 2)),
    ("SELECT k FROM t ORDER BY k LIMIT 2 + 1", None),
    ("SELECT k FROM t ORDER BY k LIMIT 0", None),
    ("SELECT k FROM t ORDER BY k", None),
    ("SELECT k FROM t LIMIT 2", None),
    ("SELECT k FROM t ORDER BY 1 LIMIT 2", None),
    ("SELECT k FROM t ORDER BY ALL LIMIT 2", None),
    ("SELECT k FROM t ORDER BY mood LIMIT 2", None),
    ("SELECT k FROM t ORDER BY ns LIMIT 2", None),
    ("SELECT k FROM t WHERE s LIKE 'a' ORDER BY k LIMIT 2", None),
    ("SELECT k, sum(id) FROM t ORDER BY k LIMIT 2", None),
    ("SELECT k FROM t GROUP BY k ORDER BY k LIMIT 2", None),
    ("SELECT k FROM t QUALIFY row_number() OVER () > 3 ORDER BY k LIMIT 2", None),
    ("SELECT * EXCLUDE (s) FROM t ORDER BY k LIMIT 2", None),
    ("SELECT unnest([1, 2]) FROM t ORDER BY k LIMIT 2", None),
    ("SELECT nextval('q') FROM t ORDER BY k LIMIT 2", None),
    ("SELECT t.k FROM t, u ORDER BY t.k LIMIT 2", None),
    ("(SELECT k FROM t) ORDER BY k LIMIT 2", None),
    ("SELECT k FROM t UNION SELECT k FROM t ORDER BY k LIMIT 2", None),
    ("SELECT k FROM missing ORDER BY k LIMIT 2", None),
    ("SELECT k FROM t AS x (k, id) ORDER BY k LIMIT 2", None),
    ("SELECT (SELECT max(k) FROM t) FROM t ORDER BY k LIMIT 2", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TOP)
def test_first_rows(text: str, expected: TopRows | None) -> None:
    read_ = parsed(text)
    found = None if read_ is None else top_rows(read_, TABLES, {"n": 9})
    assert found == (None if expected is None else ("t", expected))


FIGURES: list[tuple[str, object]] = [
    ("SELECT count(*), count(k) AS c, min(s), max(day) FROM t", (("rows", None), ("valid", "k"), ("low", "s"), ("high", "day"))),
    ("SELECT count(), count(1) FROM t x", (("rows", None), ("rows", None))),
    ("SELECT max(x.k) FROM t x", (("high", "k"),)),
    ("SELECT max(t.k) FROM t x", None),
    ("SELECT count(*) + 1 FROM t", None),
    ("SELECT count(k + 1) FROM t", None),
    ("SELECT min(mood) FROM t", None),
    ("SELECT count(DISTINCT k) FROM t", None),
    ("SELECT max(k ORDER BY s) FROM t", None),
    ("SELECT max(k, 2) FROM t", None),
    ("SELECT any_value(k) FROM t", None),
    ("SELECT count(*) FROM t LIMIT 0", None),
    ("SELECT count(*) FROM t, u", None),
    ("SELECT count(*)", None),
    ("SELECT count(*) FROM (SELECT * FROM t)", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIGURES)
def test_figures(text: str, expected: object) -> None:
    found = figures(read(text), TABLES, {})
    assert (found.items if isinstance(found, Figures) else None) == expected


JOINS: list[tuple[str, list[tuple[str, str, str, str, int]]]] = [
    ("SELECT * FROM t JOIN u ON t.k = u.id", [("t", "k", "u", "id", 0)]),
    ("SELECT * FROM t, u WHERE t.k = u.k AND u.s = 'a' AND u.x + 1 > 2", [("t", "k", "u", "k", 1)]),
    ("SELECT * FROM u JOIN t USING (k) WHERE u.s = 'a'", [("t", "k", "u", "k", 1)]),
    ("SELECT * FROM t SEMI JOIN u ON t.s = u.s AND u.k = 3", [("t", "s", "u", "s", 1)]),
    ("SELECT * FROM t WHERE k IN (SELECT id FROM u WHERE s = 'a')", [("t", "k", "u", "id", 1)]),
    ("SELECT * FROM t WHERE EXISTS (FROM u WHERE u.k = t.k)", [("t", "k", "u", "k", 0)]),
    ("SELECT * FROM t JOIN u ON t.k = u.k LEFT JOIN v ON v.k = t.id", [("t", "k", "u", "k", 0)]),
    ("SELECT * FROM t LEFT JOIN v ON t.k = v.k JOIN u ON t.day = u.day", [("t", "day", "u", "day", 0)]),
    ("SELECT * FROM v LEFT JOIN t ON t.k = v.k JOIN u ON t.day = u.day", []),
    ("SELECT * FROM t LEFT JOIN u ON t.k = u.k", []),
    ("SELECT * FROM t LEFT JOIN u ON t.k = u.k WHERE t.k = u.k", []),
    ("SELECT * FROM t RIGHT JOIN u ON t.k = u.k", []),
    ("SELECT * FROM t JOIN u ON t.k = u.k RIGHT JOIN v ON v.k = t.k", []),
    ("SELECT * FROM t ANTI JOIN u ON t.k = u.k", []),
    ("SELECT * FROM t ASOF JOIN u ON t.k = u.k AND t.at >= u.at", []),
    ("SELECT * FROM t POSITIONAL JOIN u WHERE t.k = u.k", []),
    ("SELECT * FROM t NATURAL JOIN u", []),
    ("SELECT * FROM t JOIN u ON t.k = u.k OR t.s = u.s", []),
    ("SELECT * FROM t JOIN u ON t.k = u.x", []),
    ("SELECT * FROM t JOIN u ON t.mood = u.mood", []),
    ("SELECT * FROM t JOIN u ON t.k + 0 = u.k", []),
    ("SELECT * FROM t JOIN u ON t.f = u.f", []),
    ("SELECT * FROM t JOIN u ON t.k = u.k JOIN t x ON x.id = t.id", []),
    ("SELECT * FROM t WHERE k NOT IN (SELECT id FROM u)", []),
    ("SELECT * FROM t WHERE k IN (SELECT id FROM u) OR k = 1", []),
    ("SELECT * FROM t WHERE NOT EXISTS (FROM u WHERE u.k = t.k)", []),
    ("SELECT * FROM t WHERE EXISTS (SELECT max(k) FROM u WHERE u.k = t.k)", []),
    ("SELECT * FROM t WHERE k IN (SELECT max(id) FROM u)", []),
    ("SELECT * FROM t WHERE k IN (SELECT id FROM u LIMIT 1 OFFSET 3)", []),
    ("SELECT * FROM t WHERE k = (SELECT id FROM u)", []),
    ("SELECT k IN (SELECT id FROM u) FROM t", []),
    ("SELECT * FROM t JOIN (SELECT id AS k FROM u) u ON t.k = u.k", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), JOINS)
def test_reductions(text: str, expected: list[tuple[str, str, str, str, int]]) -> None:
    text_ = parsed(text)
    found = () if text_ is None else reductions(text_, TABLES, frozenset({"t"}), {})
    told = [(one.table, one.column.name, one.keys_from, one.key_column.name, len(one.where)) for one in found]
    assert told == expected


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; SELECT 2", "SELECT * FROM range(5)", "SELECT * FROM read_parquet('x')", "SELECT * FROM 'x.csv'",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT * FROM r", "PIVOT t ON k USING count(*)",
        "SELECT * FROM t USING SAMPLE 10", "SELECT * FROM t, LATERAL (SELECT t.k)", "SELECT * FROM t, unnest([1])",
        "SELEC", "DESCRIBE t", "SELECT " + "1 + " * 6_000 + "1",
    ],
)  # fmt: skip
def test_texts_that_are_left_alone(text: str) -> None:
    found = parsed(text)
    assert found is None or not {"t"} & set(found.tables)


def test_names_of_common_table_expressions_are_told() -> None:
    found = read("WITH u AS (SELECT * FROM t) SELECT * FROM u, u b")
    assert (dict(found.tables), found.common) == ({"t": 1, "u": 2}, frozenset({"u"}))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=200, unique=True),
    st.sampled_from(["k", "id"]),
)
def test_key_ranges_hold_every_key(keys: list[int], name: str) -> None:
    column = TABLES["t"].column(name)
    found = key_predicate(pa.array(keys, pa.int64()), column)
    assert found is not None
    ranges = list(_ranges(found))
    assert len(ranges) <= MOST_RANGES
    assert all(any(low <= key <= high for low, high in ranges) for key in keys)
    assert {low for low, _ in ranges} | {high for _, high in ranges} <= set(keys)


def _ranges(predicate: Predicate) -> list[tuple[int, int]]:
    match predicate:
        case Or(left, right):
            return _ranges(left) + _ranges(right)
        case And(Comparison(value=low), Comparison(value=high)):
            return [(low, high)]  # type: ignore[list-item]
        case Comparison(op="=", value=value):
            return [(value, value)]  # type: ignore[list-item]
    raise AssertionError(predicate)


def test_keys_that_do_not_fit_are_left_out() -> None:
    column = TABLES["t"].column("k")
    assert key_predicate(pa.array([2**40, 5], pa.int64()), column) == Comparison("k", "=", 5, "INTEGER")
    assert key_predicate(pa.array([2**40], pa.int64()), column) is None
    assert key_predicate(pa.array([], pa.int64()), column) is None
    assert key_predicate(pa.array([2**64 - 1, 7], pa.uint64()), TABLES["t"].column("id")) == Comparison(
        "id", "=", 7, "BIGINT"
    )
    days = pa.array(np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"))
    found = key_predicate(days, TABLES["t"].column("day"))
    assert isinstance(found, And)
    texts = key_predicate(pa.array([f"{i:04d}" for i in range(100)]), TABLES["t"].column("s"))
    assert texts == And(Comparison("s", ">=", "0000", "VARCHAR"), Comparison("s", "<=", "0099", "VARCHAR"))
