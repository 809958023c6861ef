"""`table AT (…)`: the one rewrite of a query, wherever a table may stand."""

from __future__ import annotations

import datetime as dt

import pytest

from luma_bench.errors import KadeQLBindError, KadeQLSyntaxError
from luma_bench.language import Parameter, Pin, relocate

CASES = [
    ("SELECT * FROM flights AT (VERSION => 3)", 'SELECT * FROM "flights @VERSION 3" AS flights'),
    ("FROM flights AT (VERSION => 1_000)", 'FROM "flights @VERSION 1000" AS flights'),
    ("FROM flights at(version=>3) f", 'FROM "flights @VERSION 3"  f'),
    ("FROM flights AT (VERSION => 3) AS f(a, b)", 'FROM "flights @VERSION 3"  AS f(a, b)'),
    ("FROM flights f AT (VERSION => 3)", 'FROM "flights @VERSION 3" f '),
    ("FROM flights AS f AT (VERSION => 3) WHERE f.a", 'FROM "flights @VERSION 3" AS f  WHERE f.a'),
    ("FROM f: flights AT (VERSION => 3)", 'FROM f: "flights @VERSION 3" '),
    ("FROM main.flights AT (VERSION => 3)", 'FROM "flights @VERSION 3" AS flights'),
    ("FROM \"my \"\"t\" AT (TAG => 'v''1')", 'FROM "my ""t @TAG v\'1" AS "my ""t"'),
    ("FROM `my t` AT (TAG => 'x')", 'FROM "my t @TAG x" AS `my t`'),
    ("FROM a, b AT (VERSION => 2), c", 'FROM a, "b @VERSION 2" AS b, c'),
    ("FROM a JOIN b AT (VERSION => 2) USING (k)", 'FROM a JOIN "b @VERSION 2" AS b USING (k)'),
    (
        "FROM a ASOF RIGHT JOIN b AT (VERSION => 2) ON a.t >= b.t",
        'FROM a ASOF RIGHT JOIN "b @VERSION 2" AS b ON a.t >= b.t',
    ),
    ("FROM a ON_ JOIN b ON true, c AT (VERSION => 2)", 'FROM a ON_ JOIN b ON true, "c @VERSION 2" AS c'),
    ("FROM (a AT (VERSION => 2) CROSS JOIN b)", 'FROM ("a @VERSION 2" AS a CROSS JOIN b)'),
    ("SELECT (SELECT max(x) FROM a AT (VERSION => 2))", 'SELECT (SELECT max(x) FROM "a @VERSION 2" AS a)'),
    ("WITH a AS (FROM a AT (VERSION => 2)) FROM a", 'WITH a AS (FROM "a @VERSION 2" AS a) FROM a'),
    ("FROM a AT (VERSION => 2) TABLESAMPLE 10%", 'FROM "a @VERSION 2" AS a TABLESAMPLE 10%'),
    ("FROM a AT (VERSION => 2) SEMI JOIN b USING (k)", 'FROM "a @VERSION 2" AS a SEMI JOIN b USING (k)'),
    ("FROM a AT (VERSION => 2) UNION ALL FROM a", 'FROM "a @VERSION 2" AS a UNION ALL FROM a'),
    ("TABLE a AT (VERSION => 2)", 'TABLE "a @VERSION 2" '),
    ("PIVOT a AT (VERSION => 2) ON x", 'PIVOT "a @VERSION 2" AS a ON x'),
    ("UNPIVOT a AT (VERSION => 2) ON x, y", 'UNPIVOT "a @VERSION 2" AS a ON x, y'),
    ("SUMMARIZE a AT (VERSION => 2)", 'SUMMARIZE "a @VERSION 2" '),
    ("FROM match AT (VERSION => 2) search", 'FROM "match @VERSION 2"  search'),
    (
        "SELECT ts AT TIME ZONE 'UTC' FROM t AT (VERSION => 2)",
        "SELECT ts AT TIME ZONE 'UTC' FROM \"t @VERSION 2\" AS t",
    ),
    (
        "FROM t /* AT (VERSION => 9) */ AT -- x\n (VERSION => 2)",
        'FROM "t @VERSION 2" /* AT (VERSION => 9) */ AS t',
    ),
]


@pytest.mark.parametrize(("text", "sql"), CASES)
def test_at_is_rewritten_where_a_table_stands(one, text, sql):
    statement = one(text)
    query = getattr(statement, "query", statement)
    assert query.sql == sql
    (pin,) = query.pins
    assert text[slice(*pin.span)].upper().startswith("AT")
    assert text[slice(*pin.span)].endswith(")")
    assert f'"{pin.alias.replace(chr(34), chr(34) * 2)}"' in sql


UTC = dt.UTC
MOMENTS = [
    ("VERSION => 3", "version", 3),
    ("VERSION => $v", "version", Parameter("v")),
    ("TAG => 'two'", "tag", "two"),
    ("TAG => $$two$$", "tag", "two"),
    ("TAG => $t", "tag", Parameter("t")),
    ("TIMESTAMP => $t", "timestamp", Parameter("t")),
    ("TIMESTAMP => '2026-01-31'", "timestamp", dt.datetime(2026, 1, 31)),
    ("TIMESTAMP => '2026-01-31 12:00:01.5'", "timestamp", dt.datetime(2026, 1, 31, 12, 0, 1, 500000)),
    ("TIMESTAMP => '2026-01-31T12:00:00Z'", "timestamp", dt.datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ("TIMESTAMP => TIMESTAMP '2026-01-31 12:00'", "timestamp", dt.datetime(2026, 1, 31, 12)),
    ("TIMESTAMP => DATE '2026-01-31'", "timestamp", dt.datetime(2026, 1, 31)),
    ("TIMESTAMP => TIMESTAMPTZ '2026-01-31 12:00+00'", "timestamp", dt.datetime(2026, 1, 31, 12, tzinfo=UTC)),
    (
        "TIMESTAMP => TIMESTAMP WITH TIME ZONE '2026-01-31 12:00+00'",
        "timestamp",
        dt.datetime(2026, 1, 31, 12, tzinfo=UTC),
    ),
    ("TIMESTAMP => '2026-01-31'::TIMESTAMP", "timestamp", dt.datetime(2026, 1, 31)),
]


@pytest.mark.parametrize(("inside", "by", "value"), MOMENTS)
def test_what_a_table_can_be_pinned_to(one, inside, by, value):
    text = f"SELECT a FROM t AT ({inside}) WHERE a = $a"
    query = one(text)
    (pin,) = query.pins
    assert (pin.table, pin.by, pin.value) == ("t", by, value)
    assert query.params == {"a"}
    assert query.pin_params == ({value.name} if isinstance(value, Parameter) else set())


def test_equal_pins_are_one_and_different_ones_are_not(one):
    query = one(
        "FROM t AT (VERSION => 3) a JOIN t AT (VERSION => 3) b USING (x) JOIN t c USING (x) JOIN t AT (VERSION => 4) d USING (x)"
    )
    assert [pin.alias for pin in query.pins] == ["t @VERSION 3", "t @VERSION 4"]
    assert isinstance(query.pins[0], Pin)


WRONG = [
    ("FROM t AT («)»", "VERSION, TIMESTAMP or TAG"),
    ("FROM t AT («VERSIN» => 3)", "VERSION, TIMESTAMP or TAG"),
    ("FROM t AT (VERSION «=» 3)", "=> after VERSION"),
    ("FROM t AT (VERSION => «'3'»)", "a snapshot's number"),
    ("FROM t AT (VERSION => «1.5»)", "a snapshot's number"),
    ("FROM t AT (VERSION => 3 «+» 1)", ") after the snapshot"),
    ("FROM t AT (VERSION => «)»", "a snapshot's number"),
    ("FROM t AT (TAG => «3»)", "a tag in single quotes"),
    ("FROM t AT (TIMESTAMP => «now»())", "a timestamp in single quotes"),
    ("FROM t AT (TIMESTAMP => «'soon'»)", "no timestamp"),
    ("SELECT t «AT» (VERSION => 3) FROM t", "name of a stored table"),
    ("SELECT a, b «AT» (VERSION => 3) FROM t", "name of a stored table"),
    ("FROM (SELECT 1) «AT» (VERSION => 3)", "name of a stored table"),
    ("FROM range(3) «AT» (VERSION => 3)", "name of a stored table"),
    ("FROM t AS f(a) «AT» (VERSION => 3)", "name of a stored table"),
    ("FROM t WHERE a «AT» (VERSION => 3)", "name of a stored table"),
    ("FROM «a».b.t AT (VERSION => 3)", "a schema at most"),
]


@pytest.mark.parametrize(("marked", "message"), WRONG)
def test_a_misspelt_at_points_at_the_mistake(read, marked, message):
    start, end = marked.index("«"), marked.index("»") - 1
    with pytest.raises(KadeQLSyntaxError) as caught:
        read(marked.replace("«", "").replace("»", ""))
    assert message in caught.value.plain
    assert caught.value.span == (start, end)
    assert (
        "AT (" in (caught.value.hint or "") or "TIMESTAMP" in message or "'2026" in (caught.value.hint or "")
    )


def test_the_rewritten_text_runs_and_names_keep_their_meaning(one, inspector):
    cursor = inspector.connection.cursor()
    cursor.execute('CREATE TEMP TABLE "t @VERSION 1" AS SELECT 1 AS a; CREATE TEMP TABLE t AS SELECT 2 AS a')
    query = one("SELECT t.a, n.a FROM t AT (VERSION => 1) JOIN t n ON true")
    assert cursor.execute(query.sql).fetchall() == [(1, 2)]
    query = one("SELECT f.a FROM t f AT (VERSION => 1)")
    assert cursor.execute(query.sql).fetchall() == [(1,)]
    assert cursor.execute(one("SUMMARIZE t AT (VERSION => 1)").query.sql).fetchone()[0] == "a"
    assert cursor.execute(one("TABLE t AT (VERSION => 1)").sql).fetchall() == [(1,)]
    assert cursor.execute(one("DESCRIBE t AT (VERSION => 1)").query.sql).fetchone()[0] == "a"
    assert cursor.execute(one("PIVOT t AT (VERSION => 1) ON a USING count(*)").sql).fetchall() == [(1,)]


def test_an_engine_error_behind_a_rewrite_points_into_the_users_text(read):
    text = "SELECT 1;\nSELECT kk FROM flights AT (VERSION => 3) WHERE kk = 1 AND bad > 2"
    statement = read(text)[1]
    at = statement.sql.index("bad")
    error = KadeQLBindError("no bad", text=statement.sql, span=(at, at + 3), hint="h")
    moved = relocate(error, statement.offsets, text)
    assert isinstance(moved, KadeQLBindError)
    assert moved.span == (text.index("bad"), text.index("bad") + 3)
    assert (moved.line, moved.column, moved.hint) == (2, text.split("\n")[1].index("bad") + 1, "h")
    in_alias = statement.sql.index("@VERSION")
    error = KadeQLBindError("x", text=statement.sql, span=(in_alias, in_alias + 8))
    assert text[slice(*relocate(error, statement.offsets, text).span)] == "flights"
    nowhere = relocate(KadeQLBindError("x"), statement.offsets, text)
    assert nowhere.span is None
