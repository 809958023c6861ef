"""Joins by time by keys and in orders of every SQL type: the engine's answer, or an error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from series_inputs import open_bench

import luma_bench as lb
from luma_bench.bench.series import sides as sides_module
from luma_bench.errors import KadeQLBindError, UnsupportedError

KEYS = (
    ("DECIMAL(4, 1)", "1.5"),
    ("DECIMAL(9, 2)", "-1.5"),
    ("DECIMAL(18, 3)", "1.5"),
    ("DECIMAL(38, 5)", "1.5"),
    ("HUGEINT", "170141183460469231731687303715"),
    ("UBIGINT", "18446744073709551615"),
    ("UUID", "'6f5b1d3e-1111-4222-8333-444455556666'"),
    ("BLOB", "'ab'::BLOB"),
    ("BIT", "'0101'"),
    ("TIME", "'10:00:00'"),
    ("TIME WITH TIME ZONE", "'10:00:00+02'"),
    ("TIMESTAMP_NS", "'2024-01-01'"),
    ("DATE", "'2024-01-01'"),
    ("ENUM('z', 'a')", "'z'"),
    ("FLOAT", "-0.0"),
    ("BOOLEAN", "true"),
    ("JSON", "'{}'"),
)
REFUSED = (
    ("INTERVAL", "INTERVAL '1' DAY"),
    ("STRUCT(a INTEGER)", "{'a': 1}"),
    ("INTEGER[]", "[1]"),
    ("INTEGER[2]", "[1, 2]"),
    ("MAP(INTEGER, INTEGER)", "MAP {1: 2}"),
    ("VARIANT", "5"),
)
JOINS = (
    "SELECT l.n, r.n AS m FROM {l} l ASOF LEFT JOIN {r} r ON l.k = r.k AND l.ts >= r.ts",
    "SELECT l.n, r.n AS m FROM {l} l ASOF LEFT JOIN {r} r USING (k, ts)",
    "SELECT l.n, r.n AS m FROM {l} l ASOF LEFT JOIN {r} r ON l.k = r.k AND l.ts >= r.ts TOLERANCE INTERVAL '0' SECOND",
    "SELECT l.n, r.n AS m FROM {l} l ASOF LEFT JOIN {r} r ON l.k = r.k AND l.ts >= r.ts DIRECTION NEAREST",
    "SELECT l.n, max(r.n) AS m FROM {l} l WINDOW JOIN {r} r ON l.k = r.k RANGE BETWEEN '1s' PRECEDING AND CURRENT ROW USING TIME (l.ts, r.ts)",
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with open_bench(tmp_path_factory.mktemp("types") / "b.luma") as made:
        yield made


def rows(kind: str, text: str) -> str:
    lines = ", ".join(
        f"({n}, {key}::{kind}, TIMESTAMP '2024-01-01 00:00:0{second}')"
        for n, key, second in ((1, text, 1), (2, "NULL", 1), (3, text, 3))
    )
    return f"(SELECT * FROM (VALUES {lines}) AS v(n, k, ts))"


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize(("kind", "text"), KEYS)
def test_series_are_told_by_keys_of_any_plain_type(
    bench: lb.Bench, monkeypatch: pytest.MonkeyPatch, kind: str, text: str, small: bool
) -> None:
    if small:
        monkeypatch.setattr(sides_module, "_SMALL", 0)
    given = rows(kind, text)
    if small:
        bench.kadeql(f"CREATE OR REPLACE TABLE k WITH (time_column = ts) AS FROM {given}")
        given = "k"
    for join in JOINS[:1] + JOINS[4:] if not small else JOINS:
        got = bench.kadeql(join.format(l=given, r=given), cache=False).to_arrow()
        assert (got["n"].to_pylist(), got["m"].to_pylist()) == ([1, 2, 3], [1, None, 3]), join


@pytest.mark.parametrize(("kind", "text"), REFUSED)
def test_keys_that_have_no_plain_equality_are_refused(bench: lb.Bench, kind: str, text: str) -> None:
    given = rows(kind, text)
    for join in JOINS[:1] + JOINS[4:]:
        with pytest.raises((UnsupportedError, KadeQLBindError), match=r"subquery\.$"):
            bench.kadeql(join.format(l=given, r=given))


ORDERED = (
    ("VARCHAR", ("''", "'B'", "'a'", "'ä'")),
    ("UUID", ("'00000000-0000-0000-0000-000000000001'", "'7f000000-0000-0000-0000-000000000000'", "'ff000000-0000-0000-0000-000000000000'")),
    ("BLOB", ("''::BLOB", "'a'::BLOB", "'\\xFF'::BLOB")),
    ("ENUM('z', 'it''s', 'a')", ("'z'", "'it''s'", "'a'")),
    ("HUGEINT", ("-1000000000000000000000", "7", "1000000000000000000000")),
    ("DECIMAL(9, 2)", ("-2.25", "1.5", "7")),
    ("UBIGINT", ("0", "5", "18446744073709551615")),
    ("TIME", ("'01:00:00'", "'02:03:00'")),
    ("BOOLEAN", ("false", "true")),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "texts"), ORDERED)
def test_columns_of_any_plain_order_are_joined_by(bench: lb.Bench, kind: str, texts: tuple[str, ...]) -> None:
    def values(places: list[int | None]) -> str:
        lines = ", ".join(
            f"({n}, {'NULL' if place is None else texts[place]}::{kind})" for n, place in enumerate(places)
        )
        return f"(SELECT * FROM (VALUES {lines}) AS v(n, v))"

    count = len(texts)
    left, right = values([*range(count), None]), values([count - 1, None, 0])
    ends = {count - 1: 0, 0: 2}
    reach: dict[str, Any] = {
        ">=": [ends[max(end for end in ends if end <= place)] for place in range(count)],
        ">": [None, *([2] * (count - 1))],
        "<=": [ends[min(end for end in ends if end >= place)] for place in range(count)],
        "<": [*([0] * (count - 1)), None],
    }
    for operator, wanted in reach.items():
        text = f"SELECT l.n, r.n AS m FROM {left} l ASOF LEFT JOIN {right} r ON l.v {operator} r.v"
        assert bench.kadeql(text).to_arrow()["m"].to_pylist() == [*wanted, None], operator


@pytest.mark.parametrize(("kind", "text"), [("BIGNUM", "5"), ("BIT", "'1'"), ("TIME WITH TIME ZONE", "'10:00:00+02'"), ("INTERVAL", "'1 day'"), ("INTEGER[]", "[1]")])  # fmt: skip
def test_columns_without_a_plain_order_are_refused(bench: lb.Bench, kind: str, text: str) -> None:
    given = f"(SELECT {text}::{kind} AS v)"
    with pytest.raises(KadeQLBindError, match="subquery"):
        bench.kadeql(f"SELECT * FROM {given} l ASOF JOIN {given} r ON l.v >= r.v")


@pytest.mark.parametrize("kind", ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"])
def test_sums_and_means_of_whole_numbers_are_exact(bench: lb.Bench, kind: str) -> None:
    most = {"TINYINT": 2**7, "SMALLINT": 2**15, "INTEGER": 2**31, "BIGINT": 2**62}[kind]
    given = [-5, -most, 3, most - 1, -most, -1, most - 1, 1, -most, -most, -most, most - 1]
    lines = ", ".join(f"(TIMESTAMP '2024-01-01 00:00:{at:02}', {value})" for at, value in enumerate(given))
    table = f"(SELECT ts, x::{kind} AS x FROM (VALUES {lines}) AS v(ts, x))"
    second = "RANGE BETWEEN '1s' PRECEDING AND CURRENT ROW"
    text = f"SELECT sum(r.x) AS s, avg(r.x) AS a FROM {table} l WINDOW JOIN {table} r {second}"
    series = bench._machinery.statements.runner.binder.series
    for plan in ("auto", "runs", "sql"):
        series.plan = plan
        try:
            joined = bench.kadeql(text, cache=False).to_arrow()
            pairs = bench.kadeql(
                f"SELECT sum(x) AS s, avg(x) AS a FROM {table} t SAMPLE BY 2s", cache=False
            ).to_arrow()
            hops = bench.kadeql(
                f"SELECT sum(x) AS s, avg(x) AS a FROM HOP(TABLE {table}, DESCRIPTOR(ts), '1s', '2s') GROUP BY window_start ORDER BY window_start",
                cache=False,
            ).to_arrow()
            (whole,) = (
                bench.kadeql(
                    f"SELECT sum(x) AS s, avg(x) AS a FROM SESSION(TABLE {table}, DESCRIPTOR(ts), '5s') GROUP BY window_start",
                    cache=False,
                )
                .to_arrow()
                .to_pylist()
            )
        finally:
            series.plan = "auto"
        two = [given[max(0, at - 1) : at + 1] for at in range(len(given))]
        same(joined, two)
        same(pairs, [given[at : at + 2] for at in range(0, len(given), 2)])
        same(hops, [*two, given[-1:]])
        assert whole["s"] == sum(given)
        assert whole["a"] == pytest.approx(sum(given) / len(given), rel=1e-15)


def same(got: Any, held: list[list[int]]) -> None:
    assert [None if one is None else Decimal(one) for one in got["s"].to_pylist()] == [
        sum(one) for one in held
    ]
    assert got["a"].to_pylist() == pytest.approx([sum(one) / len(one) for one in held], rel=1e-15)
