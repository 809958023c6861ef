"""Joins by time as relations: ASOF JOIN with its options and ties, WINDOW JOIN with its aggregates, and their carets."""

from __future__ import annotations

import re

import pytest

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language import Query
from luma_bench.language.series.conditions import turned
from luma_bench.language.series.pattern import Asof, TiedRight, WindowJoin

_NUMBER = re.compile(r" [0-9a-f]{8}")
PAIR = '"@asof left" AS "{}" POSITIONAL JOIN "@asof right" AS "{}"'


def bare(sql: str) -> str:
    """The text without the checksums of relations."""
    return _NUMBER.sub("", sql)


# text, and the SQL without checksums
PAIRED = [
    ("SELECT * FROM t ASOF JOIN q ON t.k = q.k AND t.ts >= q.ts WHERE q.x > 1", f"SELECT * FROM {PAIR.format('t', 'q')} WHERE q.x > 1"),
    ("FROM t a ASOF LEFT JOIN sales.q AS b ON b.ts <= a.ts, u", f"FROM {PAIR.format('a', 'b')}, u"),
    ("SELECT * FROM u, t ASOF INNER JOIN (SELECT * FROM q) r ON (t.k = r.k) AND (t.ts > r.ts) JOIN z ON z.k = t.k",
     f"SELECT * FROM u, {PAIR.format('t', 'r')} JOIN z ON z.k = t.k"),
    ("SELECT * FROM (t ASOF JOIN q ON t.ts >= q.ts) JOIN u USING (k)", f"SELECT * FROM ({PAIR.format('t', 'q')}) JOIN u USING (k)"),
    ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h) w ASOF JOIN q ON w.ts >= q.ts", f"SELECT * FROM {PAIR.format('w', 'q')}"),
    ("SELECT 1 FROM t ASOF JOIN q ON k = j AND t.ts >= when_ TOLERANCE 1h LIMIT 3", f"SELECT 1 FROM {PAIR.format('t', 'q')} LIMIT 3"),
    # USING
    ("SELECT * FROM t ASOF JOIN q USING (k, ts)", f'SELECT * EXCLUDE ("@k", "@ts") FROM {PAIR.format("t", "q")}'),
    ("SELECT DISTINCT *, q.* FROM t ASOF JOIN q USING (k, ts)",
     f'SELECT DISTINCT * EXCLUDE ("@k", "@ts"), q.* RENAME ("@k" AS "k", "@ts" AS "ts") FROM {PAIR.format("t", "q")}'),
    ("SELECT * EXCLUDE (a, b), * EXCLUDE c, * REPLACE (1 AS d) FROM t ASOF JOIN q USING (ts)",
     f'SELECT * EXCLUDE ("@ts", a, b), * EXCLUDE ("@ts", c), * EXCLUDE ("@ts") REPLACE (1 AS d) FROM {PAIR.format("t", "q")}'),
    ("FROM t ASOF JOIN q USING (k, ts) WHERE Q.K = 'a'", f'FROM {PAIR.format("t", "q")} SELECT * EXCLUDE ("@k", "@ts") WHERE Q."@k" = \'a\''),
    ("SELECT q.k, q.k z, t.ts - q.ts, q.x, k FROM t ASOF JOIN q USING (k, ts) GROUP BY q.k",
     f'SELECT q."@k" AS "k", q."@k" z, t.ts - q."@ts" AS "(t.ts - q.ts)", q.x, k FROM {PAIR.format("t", "q")} GROUP BY q."@k"'),
    ("SELECT sales.q.k FROM sales.t ASOF JOIN sales.q USING (k, ts) WHERE sales.q.x",
     f'SELECT "q"."@k" AS "k" FROM {PAIR.format("t", "q")} WHERE "q".x'),
    ("SELECT (SELECT max(q.k) FROM z q), EXISTS (FROM z WHERE z.k = q.k) AS e FROM t ASOF JOIN q USING (k, ts)",
     f'SELECT (SELECT max(q.k) FROM z q), EXISTS (FROM z WHERE z.k = q."@k") AS e FROM {PAIR.format("t", "q")}'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql"), PAIRED)
def test_two_relations_go_together_row_by_row(one, text, sql):
    query = one(text)
    assert isinstance(query, Query)
    assert bare(query.sql) == sql
    (island,) = query.islands
    assert isinstance(island, Asof)
    assert f'"{island.alias} left"' in query.sql
    assert island.using == ("USING (k, ts)" in text or "USING (ts)" in text)


def joined(query: Query) -> Asof:
    (island,) = query.islands
    assert isinstance(island, Asof)
    return island


DIRECTIONS = [
    ("t.ts >= q.ts", ">=", "backward"),
    ("q.ts < t.ts", ">", "backward"),
    ("t.ts <= q.ts", "<=", "forward"),
    ("q.ts > t.ts", "<", "forward"),
    ("t.ts >= q.ts DIRECTION BACKWARD", ">=", "backward"),
    ("t.ts > q.ts DIRECTION FORWARD", ">", "forward"),
    ("t.ts <= q.ts DIRECTION FORWARD", "<=", "forward"),
    ("t.ts >= q.ts DIRECTION nearest TOLERANCE '1h'", ">=", "nearest"),
    ("q.ts <= ts TOLERANCE INTERVAL '1' HOUR DIRECTION NEAREST", ">=", "nearest"),
]


@pytest.mark.parametrize(("condition", "operator", "direction"), DIRECTIONS)
def test_the_condition_is_turned_to_the_left_side(one, condition, operator, direction):
    found = joined(one(f"SELECT * FROM t ASOF LEFT JOIN q ON {condition} WHERE x"))
    assert (found.operator, found.direction, found.outer) == (operator, direction, True)
    assert found.left.time is not None
    assert found.right.time is not None
    assert (found.left.time.name, found.right.time.name) == ("ts", "ts")
    assert (found.tolerance is None) == ("TOLERANCE" not in condition)


def test_the_sides_of_an_as_of_join(one):
    text = "WITH c AS (FROM u WHERE a = $a) SELECT * FROM c ASOF JOIN q b ON b.x = c.y AND c.z = b.z AND c.at >= b.ts TOLERANCE $tol"
    found = joined(one(text))
    assert [name.name for name in found.left.keys] == ["y", "z"]
    assert [name.name for name in found.right.keys] == ["x", "z"]
    assert found.left.input.query.sql == 'WITH c AS (FROM u WHERE a = $a) SELECT * FROM c AS "c"'
    assert (found.left.input.table, found.right.input.table) == (None, "q")
    assert found.right.input.query.sql == "SELECT * FROM q b"
    assert found.tolerance is not None
    assert found.tolerance.text == "$tol"
    assert found.params == {"a", "tol"}
    assert not found.outer
    assert text[slice(*found.left.keys[0].span)] == "c.y"


def test_unqualified_pairs_stand_the_way_that_they_fit(one):
    found = joined(one("SELECT * FROM t ASOF JOIN q ON j = k AND t.a = b AND u <= ts TOLERANCE 1h"))
    assert not found.sure
    assert [name.name for name in (*found.left.keys, *found.right.keys)] == ["j", "a", "k", "b"]
    assert (found.operator, found.direction) == ("<=", "forward")
    settled = turned(found, ["K", "a", "ts"], ["j", "b", "u"])
    assert [name.name for name in (*settled.left.keys, *settled.right.keys)] == ["k", "a", "j", "b"]
    assert settled.left.time is not None
    assert settled.right.time is not None
    assert (settled.left.time.name, settled.right.time.name) == ("ts", "u")
    assert (settled.operator, settled.direction, settled.sure) == (">=", "backward", True)
    assert turned(found, ["j", "a", "u"], ["k", "b", "ts"]).left.keys == found.left.keys
    assert turned(found, ["nosuch"], ["k"]).right.keys == found.right.keys
    nearest = joined(one("SELECT * FROM t ASOF JOIN q ON u <= ts DIRECTION NEAREST"))
    assert turned(nearest, ["ts"], ["u"]).direction == "nearest"
    assert joined(one("SELECT * FROM t ASOF JOIN q ON t.k = j AND u <= q.ts")).sure


# WHERE, and the part of it that is known to be about the left side alone
LEFT_ONLY = [
    ("t.k = 'a' AND q.x > 3", "(t.k = 'a')"),
    ("(t.x > $x OR t.y IS NULL) AND z = 3 AND t.ts BETWEEN '2026-01-01' AND '2026-02-01'",
     "(t.x > $x OR t.y IS NULL) AND (t.ts BETWEEN '2026-01-01' AND '2026-02-01')"),
    ("t.x > q.x", None),
    ("t.x > y", None),
    ("t.x > 1 OR q.x > 1", None),
    ("t.x > random()", None),
    ("t.ts < now() AND T.x IN (1, 2) AND t.ts < current_date", "(T.x IN (1, 2))"),
    ("t.x IN (SELECT x FROM z) AND EXISTS (FROM z)", None),
    ("lower(t.k) LIKE 'a%'", "(lower(t.k) LIKE 'a%')"),
    ("true AND 1 = 1", None),
]  # fmt: skip


@pytest.mark.parametrize(("where", "pushed"), LEFT_ONLY)
def test_what_where_says_of_the_left_side_reaches_it(one, where, pushed):
    for join in (
        "SELECT * FROM t ASOF LEFT JOIN q ON t.k = q.k AND t.ts >= q.ts",
        "SELECT t.x, max(q.x) AS m FROM t WINDOW JOIN q ON t.k = q.k RANGE BETWEEN 1h PRECEDING AND CURRENT ROW",
    ):
        if "WINDOW" in join and "q.x" in where:
            continue
        query = one(f"{join} WHERE {where} LIMIT 3")
        (island,) = query.islands
        assert isinstance(island, (Asof, WindowJoin))
        given = island.left.input.where
        assert (None if given is None else given.sql) == (pushed and f'SELECT * FROM t AS "t" WHERE {pushed}')
        assert query.sql.endswith(f"WHERE {where} LIMIT 3")


def test_a_later_outer_join_keeps_where_above(one):
    for kind, reaches in (("LEFT", True), ("RIGHT", False), ("FULL OUTER", False)):
        query = one(f"SELECT * FROM t ASOF JOIN q ON t.ts >= q.ts {kind} JOIN u ON u.k = t.k WHERE t.k = 'a'")
        assert (joined(query).left.input.where is not None) == reaches


# text, the SQL without checksums, and the columns whose ties are settled
TIED = [
    ("SELECT * FROM a JOIN b USING (k) ASOF JOIN q ON a.k = q.k AND b.ts >= q.ts",
     'SELECT * FROM a JOIN b USING (k) ASOF JOIN "@tied" AS "q" ON a.k = q.k AND b.ts >= q.ts', ["k", "ts"]),
    ("SELECT * FROM t ASOF LEFT JOIN q r ON t.k + 1 = r.k AND t.ts - INTERVAL 1 DAY >= r.ts",
     'SELECT * FROM t ASOF LEFT JOIN "@tied" AS "r" ON t.k + 1 = r.k AND t.ts - INTERVAL 1 DAY >= r.ts', ["k", "ts"]),
    ("SELECT COLUMNS('x') FROM t ASOF JOIN q USING (k, ts)", 'SELECT COLUMNS(\'x\') FROM t ASOF JOIN "@tied" AS "q" USING (k, ts)', ["k", "ts"]),
    ("SELECT q FROM t ASOF JOIN q USING (ts)", 'SELECT q FROM t ASOF JOIN "@tied" AS "q" USING (ts)', ["ts"]),
    ("SELECT * LIKE 'x%' FROM t ASOF JOIN q USING (ts)", 'SELECT * LIKE \'x%\' FROM t ASOF JOIN "@tied" AS "q" USING (ts)', ["ts"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql", "columns"), TIED)
def test_where_the_engine_joins_the_right_side_has_no_ties(one, text, sql, columns):
    query = one(text)
    assert bare(query.sql) == sql
    (island,) = query.islands
    assert isinstance(island, TiedRight)
    assert island.side.time is not None
    assert [name.name for name in (*island.side.keys, island.side.time)] == columns


def test_the_second_of_two_joins_reads_the_first(one):
    query = one("FROM t ASOF JOIN q ON t.k = q.k AND t.ts >= q.ts ASOF JOIN r ON q.k = r.k AND q.ts >= r.ts")
    assert (
        bare(query.sql)
        == f'FROM {PAIR.format("t", "q")} ASOF JOIN "@tied" AS "r" ON q.k = r.k AND q.ts >= r.ts'
    )
    assert [type(island) for island in query.islands] == [Asof, TiedRight]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM t ASOF RIGHT JOIN q ON t.k = q.k AND t.ts >= q.ts",
        "SELECT * FROM t ASOF FULL OUTER JOIN q ON t.k = q.k AND t.ts >= q.ts",
        "SELECT * FROM t ASOF SEMI JOIN q ON t.k = q.k AND t.ts >= q.ts",
        "SELECT * FROM t ASOF JOIN q ON t.k = q.k + 1 AND t.ts >= q.ts",
        "SELECT * FROM t ASOF JOIN q ON t.k = q.k AND t.ts >= q.ts AND q.x > 3",
        "SELECT * FROM t ASOF JOIN q ON t.k = q.k",
        "SELECT * FROM t ASOF JOIN q ON t.k <> q.k AND t.ts >= q.ts",
        "SELECT * FROM t ASOF JOIN q ON t.k = q.k OR t.ts >= q.ts",
        "SELECT * FROM t ASOF JOIN q ON lower(k) = j AND t.ts >= q.ts",
        "SELECT * FROM t ASOF JOIN LATERAL (SELECT t.x) q ON t.ts >= q.x",
    ],
)
def test_what_columns_do_not_settle_stays_the_engines(one, text):
    query = one(text)
    assert query.sql == text
    assert query.islands == ()


WINDOW = "t WINDOW JOIN q ON t.k = q.k RANGE BETWEEN 2s PRECEDING AND 1s FOLLOWING"
# text, the SQL without checksums, and each aggregate's function and arguments
AROUND = [
    (f"SELECT t.*, avg(q.x), max(x) - t.y, count(*) AS n FROM {WINDOW} ORDER BY avg(q.x) LIMIT 3",
     'SELECT t.* EXCLUDE ("@a0", "@a1", "@a2"), "@a0" AS "avg(q.x)", "@a1" - t.y AS "(max(x) - t.y)", "@a2" AS n FROM "@wjoin" AS "t" ORDER BY "@a0" LIMIT 3',
     [("avg", ["x"]), ("max", ["x"]), ("count_star", [])]),
    (f"SELECT *, sum(q.x * q.y) s, quantile_cont(q.x, 0.5) FROM {WINDOW} JOIN u ON u.k = t.k WHERE t.z",
     'SELECT * EXCLUDE ("@a0", "@a1"), "@a0" s, "@a1" AS "quantile_cont(q.x, 0.5)" FROM "@wjoin" AS "t" JOIN u ON u.k = t.k WHERE t.z',
     [("sum", ["@x0"]), ("quantile_cont", ["x", 0.5])]),
    (f"SELECT count(DISTINCT q.x) a, sum(avg(q.x)) OVER (ORDER BY t.ts) b, (SELECT avg(v) FROM z q) c FROM {WINDOW}",
     'SELECT "@a0" a, sum("@a1") OVER (ORDER BY t.ts) b, (SELECT avg(v) FROM z q) c FROM "@wjoin" AS "t"',
     [("count", None), ("avg", ["x"])]),
    (f"FROM {WINDOW} SELECT sum($f * q.x) AS s", 'FROM "@wjoin" AS "t" SELECT "@a0" AS s', [("sum", ["@x0"])]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql", "aggregates"), AROUND)
def test_aggregates_become_columns_of_the_left_side(one, text, sql, aggregates):
    query = one(text)
    assert bare(query.sql) == sql
    (island,) = query.islands
    assert isinstance(island, WindowJoin)
    assert [one.column for one in island.aggregates] == [f"@a{place}" for place in range(len(aggregates))]
    for aggregate, (function, arguments) in zip(island.aggregates, aggregates, strict=True):
        assert aggregate.function == function
        assert text[slice(*aggregate.span)] == aggregate.sql
        given = aggregate.arguments
        shown = (
            None if given is None else [one.name if hasattr(one, "name") else one.literal for one in given]
        )
        assert shown == arguments
    assert query.params == frozenset()


def test_the_parts_of_a_window_join(one):
    (found,) = one(
        "SELECT t.a, avg(r.x * $w) FROM sales.t LEFT WINDOW JOIN (SELECT * FROM q WHERE y) r ON r.j = t.k"
        " RANGE BETWEEN INTERVAL '3' SECOND FOLLOWING AND $m FOLLOWING EXCLUDE PREVAILING USING TIME (t.ts, r.at)"
    ).islands
    assert isinstance(found, WindowJoin)
    assert [(side.keys[0].name, side.time and side.time.name) for side in (found.left, found.right)] == [
        ("k", "ts"),
        ("j", "at"),
    ]
    assert found.left.input.table == "sales.t"
    assert found.right.input.query.sql == 'SELECT *, (r.x * $w) AS "@x0" FROM (SELECT * FROM q WHERE y) r'
    assert found.preceding is not None
    assert (found.preceding.literal, found.preceding.query.sql) == ("-3s", "SELECT ('-3s') AS value")
    assert found.following is not None
    assert found.following.query.sql == "SELECT ($m) AS value"
    assert found.params == {"w", "m"}


def test_ends_of_a_range_may_lie_on_one_side(one):
    (found,) = one("SELECT max(q.x) FROM t WINDOW JOIN q RANGE BETWEEN $a PRECEDING AND $b PRECEDING").islands
    assert isinstance(found, WindowJoin)
    assert found.left.keys == ()
    assert (found.left.time, found.right.time) == (None, None)
    assert found.preceding is not None
    assert found.following is not None
    assert found.preceding.query.sql == "SELECT ($a) AS value"
    assert found.following.query.sql == "SELECT (-($b)) AS value"
    (now,) = one("SELECT max(q.x) FROM t WINDOW JOIN q RANGE BETWEEN CURRENT ROW AND CURRENT ROW").islands
    assert isinstance(now, WindowJoin)
    assert (now.preceding, now.following) == (None, None)


# «…» is where the caret line stands; then words of the message and of the hint
WRONG = [
    ("FROM t ASOF JOIN q ON t.k = q.k AND t.ts >= q.ts «TOLERENCE» '1h'", "found TOLERENCE", "Did you mean TOLERANCE?"),
    ("FROM t ASOF JOIN q ON t.k = q.k AND t.ts >= q.ts TOLERANCE«»", "a length behind TOLERANCE", "Write FROM a ASOF"),
    ("FROM t ASOF JOIN q USING (k, ts) TOLERANCE 1 «our»", "our is no unit", "HOUR"),
    ("FROM t ASOF JOIN q ON t.ts >= q.ts TOLERANCE '1h' «TOLERANCE» '2h'", "stands twice", "once"),
    ("FROM t ASOF JOIN q ON t.ts >= q.ts DIRECTION «FORWRD»", "BACKWARD, FORWARD or NEAREST", "Did you mean FORWARD?"),
    ("FROM t ASOF JOIN q ON t.ts >= q.ts DIRECTION NEAREST DIRECTION NEAREST", "stands twice", "once"),
    ("FROM t ASOF JOIN q ON t.ts <= q.ts DIRECTION «BACKWARD»", "looks forward", "Write >="),
    ("FROM t ASOF JOIN q ON u <= ts DIRECTION «BACKWARD»", "which of the two times is the left one", "a.ts >= b.ts"),
    ("FROM t ASOF JOIN q ON t.ts >= q.ts DIRECTION NEAREST «z»", "TOLERANCE, DIRECTION or the next clause", "Write FROM"),
    ("FROM a JOIN b USING (k) ASOF JOIN q ON a.k = q.k AND b.ts >= q.ts «TOLERANCE» '1h'", "left side is a join itself", "subquery"),
    ("FROM t ASOF JOIN q ON t.k + 1 = q.k AND t.ts >= q.ts «TOLERANCE» '1h'", "with this condition", "compute others in a subquery"),
    ("FROM t ASOF JOIN q ON t.k = q.k «DIRECTION» NEAREST", "with this condition", "one pair of times"),
    ("FROM t ASOF RIGHT JOIN q ON t.k = q.k AND t.ts >= q.ts «TOLERANCE» '1h'", "ASOF RIGHT JOIN", "ASOF LEFT JOIN"),
    ("SELECT COLUMNS('x') FROM t ASOF JOIN q USING (k, ts) «DIRECTION» NEAREST", "of this shape", "with ON"),
    (f"SELECT «q.x» FROM {WINDOW}", "outside of an aggregate", "last(q.x)"),
    (f"SELECT avg(q.x), «q.*» FROM {WINDOW}", "outside of an aggregate", "last(q.*)"),
    (f"SELECT avg(q.x) FROM {WINDOW} WHERE «q.x» > 1", "outside of an aggregate", "ASOF JOIN"),
    (f"SELECT avg(«t.x») FROM {WINDOW}", "avg reads t.x", "columns of q"),
    ("SELECT t.x FROM t WINDOW JOIN «q» RANGE BETWEEN 2s PRECEDING AND 1s FOLLOWING", "Nothing asks for an aggregate of q", "avg(q.x)"),
    (f"SELECT avg(q.x) FROM {WINDOW} «GROUP BY» t.k", "cannot stand beside WINDOW JOIN", "outside"),
    (f"SELECT avg(r.x) FROM {WINDOW.replace('q', 'r').replace('t WINDOW', '«t JOIN u USING (k)» WINDOW')}", "one relation", "subquery"),
    ("SELECT avg(q.x) FROM t WINDOW JOIN q ON t.k = q.k«»", "RANGE BETWEEN", "Write FROM t WINDOW JOIN"),
    ("SELECT avg(q.x) FROM t WINDOW JOIN q «USING» (k) RANGE BETWEEN 2s PRECEDING AND CURRENT ROW", "ON and the columns", "Write FROM"),
    ("SELECT avg(q.x) FROM t WINDOW JOIN q ON «t.k > q.k» RANGE BETWEEN 2s PRECEDING AND CURRENT ROW", "have to be equal", "t.k = q.k"),
    ("SELECT avg(q.x) FROM t WINDOW JOIN q ON t.k = q.k RANGE «BETWEN» 2s PRECEDING AND CURRENT ROW", "RANGE BETWEEN", "Write FROM"),
    ("SELECT avg(q.x) FROM t WINDOW JOIN q RANGE BETWEEN 2s «PRECEDNG» AND CURRENT ROW", "PRECEDING or FOLLOWING", "Did you mean PRECEDING?"),
    ("SELECT avg(q.x) FROM t WINDOW JOIN q RANGE BETWEEN 2s PRECEDING AND «UNBOUNDED» FOLLOWING", "without bounds", "YEAR"),
    ("SELECT avg(q.x) FROM t WINDOW JOIN q RANGE BETWEEN 2s PRECEDING «,» u", "AND and the other end", "Write FROM"),
    (f"SELECT avg(q.x) FROM {WINDOW} «INCLUDE» PREVAILING", "INCLUDE PREVAILING", "ASOF JOIN"),
    (f"SELECT avg(q.x) FROM {WINDOW} USING TIME (t.ts«)»", "a comma and the time of q", "Write FROM"),
    (f"SELECT avg(q.x) FROM {WINDOW} «z»", "USING TIME or the next clause", "Write FROM"),
    ("SELECT avg(q.x) FROM (t «WINDOW» JOIN q RANGE BETWEEN 2s PRECEDING AND CURRENT ROW)", "outside of brackets", "Write FROM"),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "said", "hint"), WRONG)
def test_an_error_points_and_tells(read, marked, said, hint):
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises((KadeQLSyntaxError, KadeQLUnsupportedError)) as caught:
        read(text)
    error: KadeQLError = caught.value
    if "«" in marked:
        start = marked.index("«")
        assert error.span == (start, marked.index("»") - 1)
    assert said in error.message
    assert hint in (error.hint or "")
