"""Window and series functions as relations: the SQL that stays, what the islands say, and carets into what is wrong."""

from __future__ import annotations

import re

import pytest

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language import CreateView, Explain, Insert, Query
from luma_bench.language.series.pattern import Applied, Grouped, Windows

_NUMBER = re.compile(r" [0-9a-f]{8}")


def bare(sql: str) -> str:
    """The text without the checksums of relations."""
    return _NUMBER.sub("", sql)


# text, and the SQL without checksums
REWRITTEN = [
    ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)", 'SELECT * FROM "@window" AS "t"'),
    ("SELECT w.x FROM hop(TABLE t, DESCRIPTOR(ts), 5m, '1h') AS w", 'SELECT w.x FROM "@window" AS w'),
    ("FROM CUMULATE(TABLE t, DESCRIPTOR(ts), 1h, 1d) w (a, b)", 'FROM "@window" w (a, b)'),
    ("SELECT * FROM u JOIN SESSION(TABLE t PARTITION BY k, DESCRIPTOR(t.ts), $gap) s USING (k)", 'SELECT * FROM u JOIN "@window" s USING (k)'),
    ("SELECT * FROM TUMBLE((SELECT * FROM t), DESCRIPTOR(ts), 1h)", 'SELECT * FROM "@window" AS "unnamed_subquery"'),
    ("SELECT * FROM TUMBLE(TABLE (FROM t), DESCRIPTOR(ts), 1h) x", 'SELECT * FROM "@window" x'),
    ("SELECT sales.t.x FROM TUMBLE(TABLE sales.t, DESCRIPTOR(ts), 1h)", 'SELECT "t".x FROM "@window" AS "t"'),
    ("SELECT * FROM TUMBLE(TABLE t AS b, DESCRIPTOR(ts), 1h)", 'SELECT * FROM "@window" AS "b"'),
    ("SELECT * FROM a, TUMBLE(TABLE t, DESCRIPTOR(ts), 1h) WHERE x IN (SELECT x FROM HOP(TABLE t, DESCRIPTOR(ts), 1h, 2h))",
     'SELECT * FROM a, "@window" AS "t" WHERE x IN (SELECT x FROM "@window" AS "t")'),
    ("WITH w AS (FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h)) SELECT * FROM w UNION ALL FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h)",
     'WITH w AS (FROM "@window" AS "t") SELECT * FROM w UNION ALL FROM "@window" AS "t"'),
    ("SELECT * FROM EWMA(TABLE t PARTITION BY k, DESCRIPTOR(ts), x, alpha => 0.1)", 'SELECT * FROM "@applied" AS "t"'),
    ("SELECT e.x FROM DOWNSAMPLE((SELECT * FROM t), DESCRIPTOR(ts), x, n => $n) e", 'SELECT e.x FROM "@applied" e'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql"), REWRITTEN)
def test_a_construct_becomes_one_relation(one, text, sql):
    query = one(text)
    assert isinstance(query, Query)
    assert bare(query.sql) == sql
    assert query.islands
    for island in query.islands:
        assert f'"{island.alias}"' in query.sql
        assert text[slice(*island.span)].casefold() == island.text.casefold()


def windows(query: Query) -> Windows:
    (island,) = query.islands
    assert isinstance(island, Windows)
    return island


def test_the_parts_of_a_window_function(one):
    found = windows(
        one(
            "FROM HOP(TABLE t PARTITION BY (k, \"a b\"), DESCRIPTOR(t.ts), INTERVAL 5 MINUTE, '1h', ZONE => $zone, OFFSET := 90s)"
        )
    )
    assert found.kind == "hop"
    assert [name.name for name in found.keys] == ["k", "a b"]
    assert found.time is not None
    assert found.time.name == "ts"
    assert [size.literal for size in found.sizes] == ["5m", "1h"]
    assert found.offset is not None
    assert found.offset.literal == "90s"
    assert found.offset.text == "90s"
    assert found.zone is not None
    assert found.zone.literal is None
    assert found.zone.query.sql == "SELECT ($zone) AS value"
    assert found.params == {"zone"}
    assert (found.input.table, found.input.alias) == ("t", "t")
    assert found.input.query.sql == 'SELECT * FROM t AS "t"'
    assert found.input.where is None


LENGTHS = [
    ("INTERVAL '6' HOUR", "6h"),
    ("INTERVAL 6 HOURS", "6h"),
    ("INTERVAL '6 hours'", "6h"),
    ("INTERVAL '-2' DAY", "-2d"),
    ("INTERVAL '1M'", "1m"),
    ("INTERVAL '3' MONTH", "3mo"),
    ("1M", "1mo"),
    ("1m", "1m"),
    ("250T", "250ms"),
    ("10 seconds", "10s"),
    ("5ns", "5ns"),
    ("'1h 30m'", "1h 30m"),
    ("INTERVAL '1' QUARTER", None),
    ("INTERVAL '1.5' HOUR", None),
    ("INTERVAL (1 + 1) HOUR", None),
    ("2 * INTERVAL '1' HOUR", None),
    ("$size", None),
]


@pytest.mark.parametrize(("written", "literal"), LENGTHS)
def test_a_length_is_read_where_it_is_written_out(one, inspector, written, literal):
    (size,) = windows(one(f"FROM TUMBLE(TABLE t, DESCRIPTOR(ts), {written})")).sizes
    assert (size.text, size.literal) == (written, literal)
    assert inspector.classify(size.query.sql)[0].kind == "SELECT"


def test_a_query_of_with_comes_along(one):
    query = one(
        "WITH a AS (SELECT * FROM t WHERE x = $x), b AS (FROM a) "
        "SELECT * FROM SESSION((FROM b WHERE y), DESCRIPTOR(ts), 1h), TUMBLE(TABLE a, DESCRIPTOR(ts), 1h) q"
    )
    session, tumble = query.islands
    assert isinstance(session, Windows)
    assert isinstance(tumble, Windows)
    assert session.input.query.sql == (
        "WITH a AS (SELECT * FROM t WHERE x = $x), b AS (FROM a) "
        'SELECT * FROM (FROM b WHERE y) AS "unnamed_subquery"'
    )
    assert tumble.input.table is None
    assert session.params == tumble.params == {"x"}
    assert [read.name for read in session.input.query.reads] == ["t"]


def test_equal_constructs_are_one_and_others_are_not(one):
    same = one("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h) a, TUMBLE(TABLE t, DESCRIPTOR(ts), 1h) b")
    assert len(same.islands) == 1
    shadowed = one(
        "SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h) a, "
        "(WITH t AS (FROM u) SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h)) b"
    )
    assert len({island.alias for island in shadowed.islands}) == 2


def test_constructs_nest(one):
    query = one(
        "FROM TUMBLE(TABLE HOP(TABLE t AT (VERSION => 3), DESCRIPTOR(ts), 1h, 2h), DESCRIPTOR(ts), 1h) w"
    )
    found = windows(query)
    assert bare(found.input.query.sql) == 'SELECT * FROM "@window" AS "t"'
    (inner,) = found.input.query.islands
    assert isinstance(inner, Windows)
    assert inner.input.query.sql == 'SELECT * FROM "t @VERSION 3" AS t'
    assert [pin.table for pin in inner.input.query.pins] == ["t"]
    assert inner.input.table is None


def test_statements_around_constructs(one):
    text = "FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h)"
    assert isinstance(one(f"EXPLAIN {text}"), Explain)
    assert one(f"EXPLAIN {text}").query.islands
    view = one(f"CREATE VIEW v AS {text}")
    assert isinstance(view, CreateView)
    assert view.body == text
    insert = one(f"INSERT INTO session (a) SELECT * {text}")
    assert isinstance(insert, Insert)
    assert insert.query is not None
    assert bare(insert.query.sql).endswith('SELECT * FROM "@window" AS "t"')


def test_a_whole_block_becomes_one_relation(one):
    query = one(
        "SELECT window_start, avg(x) AS m FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h) w WHERE w.x > 0 GROUP BY ALL"
    )
    (island,) = query.islands
    assert isinstance(island, Grouped)
    assert island.windows.input.where is not None
    assert island.windows.input.where.sql == 'SELECT * FROM t AS "w" WHERE (w.x > 0)'


def test_the_parts_of_a_series_function(one):
    (found,) = one(
        "FROM EWMA(TABLE t PARTITION BY k, j, DESCRIPTOR(ts), x, y, alpha => 0.1, Method => lttb, start => TRUE, at => now())"
    ).islands
    assert isinstance(found, Applied)
    assert (found.function, found.time.name) == ("EWMA", "ts")
    assert [name.name for name in found.keys] == ["k", "j"]
    assert [name.name for name in found.values] == ["x", "y"]
    assert {name: value.literal for name, value in found.options.items()} == {
        "alpha": 0.1,
        "method": "lttb",
        "start": None,
        "at": None,
    }
    assert found.options["method"].query.sql == "SELECT ('lttb') AS value"
    assert found.volatile


# «…» is where the caret line stands; then words of the message and of the hint
WRONG = [
    ("FROM TUMBLE(«t», DESCRIPTOR(ts), 1h)", "TABLE before t", "Write TUMBLE(TABLE t"),
    ("FROM TUMBLE(«)»", "TABLE before its name", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE«,» DESCRIPTOR(ts), 1h)", "name or a query", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t «DESCRIPTOR»(ts), 1h)", "a comma before DESCRIPTOR", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t, «DESCRPTOR»(ts), 1h)", "DESCRIPTOR(…)", "Did you mean DESCRIPTOR?"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR «ts», 1h)", "( and the time column", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(«)», 1h)", "the time column", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts«,» u), 1h)", ") behind the time column", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts)«)»", "a comma and the size", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h, «2h»)", "TUMBLE takes one interval", "OFFSET => 2h"),
    ("FROM HOP(TABLE t, DESCRIPTOR(ts), 1h«)»", "a comma and the size", "the slide, then the size"),
    ("FROM CUMULATE(TABLE t, DESCRIPTOR(ts)«)»", "a comma and the step", "the step, then the size"),
    ("FROM SESSION(TABLE t, DESCRIPTOR(ts)«)»", "a comma and the gap", "Write SESSION"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h, «OFSET» => 2h)", "no option OFSET", "Did you mean OFFSET?"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h, ZONE => 'a', «ZONE» => 'b')", "stands twice", "once"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h, ZONE =>«)»", "a value for ZONE", None),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h, ZONE => 'a', «2»h)", "=> behind another one", "Write TUMBLE"),
    ("FROM SESSION(TABLE t, DESCRIPTOR(ts), 1h, «ZONE» => 'UTC')", "SESSION has no option ZONE", "Take it out"),
    ("FROM TUMBLE(TABLE t PARTITION BY«,» DESCRIPTOR(ts), 1h)", "behind PARTITION BY", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t PARTITION BY k «j», DESCRIPTOR(ts), 1h)", "a comma and DESCRIPTOR", "Write TUMBLE"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' «HOR»)", "HOR is no unit", "Did you mean HOUR?"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1«x»)", "x is no unit", "INTERVAL '1' HOUR"),
    ("FROM TUMBLE(TABLE (SELECT * «FORM» t), DESCRIPTOR(ts), 1h)", "FORM is not expected", "FROM"),
    ("FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR +«)»", "the rest of", None),
    ("FROM EWMA(TABLE t, DESCRIPTOR(ts), x «+» 1)", "behind the column", "compute it in a query"),
    ("FROM EWMA(TABLE t, DESCRIPTOR(ts), «3»)", "a column, or an option", "Write EWMA"),
    ("FROM EWMA(TABLE t, DESCRIPTOR(ts), x, a => 1, «A» => 2)", "stands twice", "once"),
    ("FROM EWMA(TABLE t, DESCRIPTOR(ts), x, a =>«)»", "a value for a", None),
    ("FROM EWMA(TABLE t, DESCRIPTOR(ts), a => 1, «x»)", "behind another one", "Write EWMA"),
    ("FROM EWMA(TABLE t«)»", "a comma and DESCRIPTOR", "Write EWMA"),
    ("SELECT * FROM «TUMBEL»(TABLE t, DESCRIPTOR(ts), '1h')", "TUMBEL takes no TABLE", "Did you mean TUMBLE?"),
    ("SELECT * FROM «robust_zscor»(TABLE t, DESCRIPTOR(ts), x)", "takes no TABLE", "Did you mean ROBUST_ZSCORE?"),
    ("SELECT avg(x) FROM t SAMPLE BY 1h ALIGN TO «NOTHING» FILL(0)", "nothing that buckets", "CALENDAR, FIRST"),
    ("SELECT avg(x) FROM t SAMPLE BY 1h ALIGN TO «calender»", "nothing that buckets", "mean CALENDAR"),
    ("SELECT avg(x) FROM t SAMPLE BY 1h ALIGN TO «FRIST OBSERVATION»", "nothing", "mean FIRST OBSERVATION"),
    ("SELECT * FROM «xyz»(TABLE t, DESCRIPTOR(ts), x)", "xyz takes no TABLE", "These do: TUMBLE, HOP"),
]  # fmt: skip


@pytest.mark.parametrize("before", ["", "SELECT 1;\n"])
@pytest.mark.parametrize(("marked", "said", "hint"), WRONG)
def test_an_error_points_and_tells(read, before, marked, said, hint):
    marked = before + marked
    start = marked.index("«")
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(KadeQLSyntaxError) as caught:
        read(text)
    assert caught.value.span == (start, marked.index("»") - 1)
    assert said in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_a_recursive_query_cannot_be_cut_into_windows_inside_of_itself(read):
    text = "WITH RECURSIVE r AS (SELECT 1 UNION SELECT * FROM TUMBLE(TABLE r, DESCRIPTOR(ts), 1h)) FROM r"
    with pytest.raises(KadeQLUnsupportedError, match="recursive"):
        read(text)


def test_an_engine_error_inside_points_into_the_text(read):
    with pytest.raises(KadeQLError) as caught:
        read("SELECT * FROM TUMBLE((SELECT * FROM t WHERE ), DESCRIPTOR(ts), 1h)")
    assert caught.value.span is not None
    assert caught.value.text is not None
