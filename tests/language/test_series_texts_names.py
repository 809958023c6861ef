"""The words of series constructs are names everywhere else, and no text fails with anything but an error of ours."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLSyntaxError, LumaError
from luma_bench.language import Query
from luma_bench.language.series.applied import SERIES_FUNCTIONS
from luma_bench.language.series.windows import WINDOW_FUNCTIONS
from luma_bench.language.syntax_hints import TABLE_FUNCTIONS

VERBATIM = [
    "SELECT tumble, hop, session, sample, latest, tolerance, direction, ewma, forecast, descriptor, window_start FROM tumble, hop h, session s, latest",
    "SELECT session(x), hop(y), t.window, cumulate FROM t WHERE tumble(1) > ewma(2)",
    "WITH tumble(a, b) AS (SELECT 1, 2), session AS (FROM tumble) SELECT * FROM tumble, session",
    "FROM t tumble(a, b), u AS hop(c)",
    "SELECT sum(x) OVER w FROM t WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW)",
    "SELECT * FROM a JOIN b ON a.tolerance = b.direction AND a.nearest > tolerance",
    "SELECT x AS sample, y latest, z tolerance FROM t sample JOIN u latest ON latest.k = sample.k",
    "SELECT direction 'x', range FROM range(3) prevailing",
    "SELECT extract(hour FROM ts), x IS DISTINCT FROM tolerance FROM t",
    "SELECT left(a, 2) FROM t JOIN u ON left(t.k, 2) = right(u.k, 2)",
    "SELECT * FROM forecast((SELECT 3), x => 1), downsample('a')",
    "SELECT 1h, 2 direction, 3 tolerance",
    'SELECT "ASOF", "window" FROM "tumble" AS "WINDOW"',
    "TABLE session",
    "SELECT 'FROM TUMBLE(TABLE t, DESCRIPTOR(ts), 1h)' /* FROM TUMBLE(t) */, 2",
]


@pytest.mark.parametrize("text", VERBATIM)
def test_the_words_stay_names(one, text):
    query = one(text)
    assert isinstance(query, Query)
    assert query.sql == text
    assert query.islands == ()


NAMES = st.sampled_from(
    ["tumble", "hop", "session", "cumulate", "sample", "latest", "tolerance", "direction", "nearest", "ewma", "forecast", "descriptor",
     "window_start", "prevailing", "preceding", "zone", "fill", "gapfill_", "t", '"asof"', '"window"', "x1"]
)  # fmt: skip
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["1", "'a'", "$p", "NULL", "INTERVAL '1' HOUR"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " = ", " AND ", " >= "]), inner).map("".join),
        st.tuples(NAMES.filter(lambda name: name[0] != '"'), inner).map(lambda both: f"{both[0]}({both[1]})"),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"CASE WHEN {one} THEN {one} END"),
    ),
    max_leaves=5,
)


@st.composite
def queries(draw: st.DrawFn) -> str:
    items = ", ".join(
        draw(EXPRESSIONS) + draw(st.sampled_from(["", " AS sample", " AS tumble"]))
        for _ in range(draw(st.integers(1, 3)))
    )
    one, other = draw(NAMES), draw(NAMES)
    source = draw(
        st.sampled_from(
            [f"{one}", f"{one} AS {other}", f"{one}, {other} z", f"{one} JOIN {other} y ON {draw(EXPRESSIONS)}", f"(SELECT * FROM {one}) {other}"]
        )
    )  # fmt: skip
    tail = draw(st.sampled_from(["", f" WHERE {draw(EXPRESSIONS)}", f" ORDER BY {draw(NAMES)}", " LIMIT 3"]))
    return f"SELECT {items} FROM {source}{tail}"


@settings(deadline=None, max_examples=150)
@given(text=queries())
def test_a_text_without_constructs_comes_through_unchanged(one, inspector, text):
    try:
        inspector.classify(text)
    except KadeQLSyntaxError:
        return  # some of the words may be no alias where the text uses them as one
    statement = one(text)
    assert isinstance(statement, Query)
    assert statement.sql == text
    assert statement.islands == ()


def test_messages_know_every_function_that_takes_a_table():
    assert set(TABLE_FUNCTIONS) == SERIES_FUNCTIONS | WINDOW_FUNCTIONS


WORDS = st.sampled_from(
    ["SELECT", "FROM", "t", "q", "u", "k", "ts", "*", ",", "(", ")", "JOIN", "ON", "USING", "(k, ts)", "ASOF", "LEFT", "WINDOW", "WHERE",
     "TOLERANCE", "DIRECTION", "NEAREST", "BACKWARD", "'1h'", "1h", "INTERVAL", "'1'", "HOUR", "t.k = q.k", "AND", "t.ts >= q.ts", "RANGE",
     "BETWEEN", "2s PRECEDING", "1s FOLLOWING", "CURRENT ROW", "TIME", "avg(q.x)", "count(*)", "q.*", "q.k", "AS", "TUMBLE", "SESSION",
     "TUMBLE(TABLE t, DESCRIPTOR(ts), 1h)", "HOP(TABLE", "DESCRIPTOR(ts)", "PARTITION BY", "EWMA((FROM t)", "=>", "OFFSET", "$p", "GROUP BY ALL",
     "UNION", "WITH", "w AS (FROM t)", "LIMIT 3", "ORDER BY", "SAMPLE BY", "LATEST ON", "FILL(PREV)", "EXPLAIN", "TABLE", ";", "LATERAL", "."]
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(words=st.lists(WORDS, max_size=16))
def test_no_text_fails_with_anything_but_an_error_of_ours(read, inspector, words):
    text = " ".join(words)
    try:
        statements = read(text)
    except LumaError as error:
        span = getattr(error, "span", None)
        assert span is None or 0 <= span[0] <= span[1] <= len(text)
        return
    for statement in statements:
        query = getattr(statement, "query", statement)
        if isinstance(query, Query):
            inspector.classify(query.sql)
            for island in query.islands:
                for asked in island.queries:
                    inspector.classify(asked.sql)
