"""Joins by time in the shapes that statements have: where DuckDB runs the same text, rows and names are the same."""

from __future__ import annotations

import random

import duckdb
import pyarrow as pa
import pytest
from join_statements import TABLES, statement

import luma_bench as lb

SAME = [
    "SELECT * FROM t ASOF JOIN q USING (k, ts)",
    "SELECT *, q.* FROM t ASOF LEFT JOIN q USING (k, ts) WHERE t.k = 'a' AND q.bid > 100",
    "SELECT t.k, q.k, q.ts - t.ts, q.bid FROM t ASOF LEFT JOIN q ON t.k = q.k AND t.ts < q.ts WHERE t.x > 100",
    "SELECT k, count(q.k), sum(bid) FROM t ASOF JOIN q USING (k, ts) WHERE t.x > 100 GROUP BY ALL HAVING count(*) > 2 ORDER BY 1",
    "SELECT q.k, max(q.ts) FROM t ASOF JOIN q USING (k, ts) GROUP BY q.k",
    "SELECT * EXCLUDE (x), q.k AS kk FROM t ASOF JOIN q USING (k, ts) ORDER BY q.ts, t.x LIMIT 20",
    "FROM t ASOF JOIN q USING (k, ts) WHERE q.ts > '2026-01-01 03:00'",
    "SELECT a.x, q.bid, r.bid FROM t a ASOF JOIN q ON a.k = q.k AND a.ts >= q.ts ASOF JOIN q r ON r.k = a.k AND r.ts <= q.ts",
    "SELECT t.x, q.bid FROM t JOIN (SELECT k AS kk, max(x) m FROM t GROUP BY ALL) g ON g.kk = t.k ASOF JOIN q ON q.k = t.k AND q.ts <= t.ts",
    "SELECT t.x, q.bid, z.n FROM t ASOF JOIN q ON q.k = t.k AND q.ts <= t.ts LEFT JOIN (SELECT k, count(*) n FROM q GROUP BY k) z ON z.k = t.k",
    "SELECT t.x, (SELECT max(b.bid) FROM t a ASOF JOIN q b ON a.k = b.k AND a.ts >= b.ts WHERE a.x = t.x) m FROM t",
    "SELECT * FROM t ASOF JOIN (SELECT k AS j, ts AS u, bid FROM q) q ON j = k AND u <= ts",
    "SELECT x, bid FROM t ASOF LEFT JOIN (SELECT k AS j, ts AS u, bid FROM q) q ON k = j AND u > ts",
    "SELECT COLUMNS('b.*') FROM t ASOF JOIN q USING (k, ts)",
    "SELECT count(*) FROM t ASOF JOIN q ON t.k = q.k AND t.ts >= q.ts, q z WHERE z.bid < 100",
    "SELECT x, bid, u.k FROM (t ASOF JOIN q USING (k, ts)) u",
    "SELECT t.x, q.bid FROM t ASOF LEFT JOIN q ON chr(ascii(t.k) + 1) = q.k AND t.ts - INTERVAL 1 HOUR >= q.ts",
    "SELECT x, bid FROM t ASOF LEFT JOIN q ON t.ts > q.ts WHERE t.ts BETWEEN '2026-01-01 02:00' AND '2026-01-01 05:00' AND lower(t.k) <> 'b'",
    "WITH c AS (SELECT k, ts + INTERVAL 1 MINUTE AS w FROM q) SELECT count(*), max(w) FROM t ASOF JOIN c ON c.k = t.k AND t.ts >= c.w",
    "SELECT k, n FROM (SELECT t.k, count(*) n FROM t ASOF JOIN q USING (k, ts) GROUP BY t.k) UNION ALL SELECT 'z', 0",
]
AROUND = [
    (
        (
            "SELECT t.x, avg(q.bid), count(*) AS n FROM t WINDOW JOIN q ON t.k = q.k"
            " RANGE BETWEEN INTERVAL '2' HOUR PRECEDING AND INTERVAL '30' MINUTE FOLLOWING"
        ),
        (
            'SELECT t.x, (SELECT avg(q.bid) FROM q WHERE q.k = t.k AND q.ts BETWEEN t.ts - INTERVAL 2 HOUR AND t.ts + INTERVAL 30 MINUTE) AS "avg(q.bid)",'
            " (SELECT count(*) FROM q WHERE q.k = t.k AND q.ts BETWEEN t.ts - INTERVAL 2 HOUR AND t.ts + INTERVAL 30 MINUTE) AS n FROM t"
        ),
    ),
    (
        "SELECT *, max(q.bid * 2) - t.x AS m FROM t WINDOW JOIN q RANGE BETWEEN 3h PRECEDING AND 1h PRECEDING WHERE t.k = 'a' AND x > 10",
        (
            "SELECT *, (SELECT max(q.bid * 2) FROM q WHERE q.ts BETWEEN t.ts - INTERVAL 3 HOUR AND t.ts - INTERVAL 1 HOUR) - t.x AS m FROM t"
            " WHERE t.k = 'a' AND x > 10"
        ),
    ),
    (
        (
            "SELECT k, sum(m) FROM (SELECT t.k, min(bid) AS m FROM t WINDOW JOIN (SELECT * FROM q WHERE bid > 50) r ON r.k = t.k"
            " RANGE BETWEEN CURRENT ROW AND 90m FOLLOWING USING TIME (t.ts, r.ts)) GROUP BY k"
        ),
        (
            "SELECT k, sum(m) FROM (SELECT t.k, (SELECT min(bid) FROM q WHERE bid > 50 AND q.k = t.k AND q.ts BETWEEN t.ts AND t.ts + INTERVAL 90 MINUTE)"
            " AS m FROM t) GROUP BY k"
        ),
    ),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A bench with two tables, and DuckDB with the same."""
    with lb.open(tmp_path_factory.mktemp("joins") / "joins.luma") as bench, duckdb.connect() as plain:
        for text in TABLES:
            bench.kadeql(text)
            plain.execute(text)
        yield bench, plain


def rows(table: pa.Table) -> list[str]:
    return sorted(map(repr, zip(*(column.to_pylist() for column in table.columns), strict=True)))


@pytest.mark.parametrize(("text", "told"), [(text, text) for text in SAME] + AROUND)
def test_rows_and_names_are_those_that_duckdb_gives(both, text, told):
    bench, plain = both
    found, expected = bench.kadeql(text).to_arrow(), plain.sql(told).to_arrow_table()
    assert found.column_names == expected.column_names
    assert rows(found) == rows(expected)
    assert found.num_rows


def agrees(both, seed: int) -> None:
    bench, plain = both
    text = statement(random.Random(seed))
    try:
        expected = plain.sql(text).to_arrow_table()
    except duckdb.BinderException:
        # A name that stands in several tables, for one.
        with pytest.raises(lb.errors.KadeQLBindError):
            bench.kadeql(text)
        return
    found = bench.kadeql(text).to_arrow()
    assert found.column_names == expected.column_names, text
    assert rows(found) == rows(expected), text


def test_random_statements_give_what_duckdb_gives(both):
    for seed in range(25):
        agrees(both, seed)


@pytest.mark.slow
def test_many_random_statements_give_what_duckdb_gives(both):
    for seed in range(25, 600):
        agrees(both, seed)
