"""Blocks over window functions become one relation, with the names, rows and other text that they had."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from series_relations import ROWS, WINDOWED, answer, rows

from luma_bench.language import Query
from luma_bench.language.draft import Draft
from luma_bench.language.scope import Scope
from luma_bench.language.series.blocks import block_at, conjuncts
from luma_bench.language.series.columns import mentions
from luma_bench.language.series.pattern import Grouped, Windows
from luma_bench.language.tokens import tokenize

TUMBLE = "TUMBLE(TABLE weather, DESCRIPTOR(ts), INTERVAL '6' HOUR)"


def clauses_at(text: str, word: str) -> list[tuple[str, str]]:
    tokens = tokenize(text)
    draft = Draft(tokens, Scope(tokens, 0, len(tokens)), None, lambda _: None)
    block = block_at(draft, tokens.words.index(word))
    return [(clause.word, tokens.slice(clause.body, clause.last)) for clause in block.clauses]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "SELECT a, b FROM t x WHERE p AND q GROUP BY ALL HAVING z ORDER BY 1 LIMIT 3",
            [("SELECT", "a, b"), ("FROM", "t x"), ("WHERE", "p AND q"), ("GROUP", "ALL"), ("HAVING", "z"), ("ORDER", "1"), ("LIMIT", "3")],
        ),
        ("FROM t x SELECT a LIMIT 1", [("FROM", "t x"), ("SELECT", "a"), ("LIMIT", "1")]),
        ("WITH x AS (SELECT 1) SELECT a FROM x", [("SELECT", "a"), ("FROM", "x")]),
        ("SELECT b FROM u UNION ALL SELECT a FROM x ORDER BY 1", [("SELECT", "a"), ("FROM", "x"), ("ORDER", "1")]),
        ("SELECT y FROM (SELECT a FROM x) WHERE b", [("SELECT", "a"), ("FROM", "x")]),
        ("SELECT extract(year FROM x) FROM t", [("SELECT", "extract(year FROM x)"), ("FROM", "t")]),
        ("SELECT x IS DISTINCT FROM b FROM t", [("SELECT", "x IS DISTINCT FROM b"), ("FROM", "t")]),
        ("SELECT * EXCEPT (a) FROM x", [("SELECT", "* EXCEPT (a)"), ("FROM", "x")]),
        ("SELECT x AS from, t.group FROM t WHERE $where", [("SELECT", "x AS from, t.group"), ("FROM", "t"), ("WHERE", "$where")]),
        (
            "SELECT a FROM x WHERE b SAMPLE BY 1h FROM c TO d FILL(PREV) ALIGN TO CALENDAR WITH OFFSET '00:15' ORDER BY a",
            [("SELECT", "a"), ("FROM", "x"), ("WHERE", "b"), ("SAMPLE", "1h FROM c TO d FILL(PREV) ALIGN TO CALENDAR WITH OFFSET '00:15'"), ("ORDER", "a")],
        ),
        ("SELECT a FROM x LATEST ON ts PARTITION BY k LIMIT 1", [("SELECT", "a"), ("FROM", "x"), ("LATEST", "ts PARTITION BY k"), ("LIMIT", "1")]),
        ("SELECT a FROM x LEFT WINDOW JOIN y ON x.a = y.b WINDOW w AS ()", [("SELECT", "a"), ("FROM", "x LEFT WINDOW JOIN y ON x.a = y.b"), ("WINDOW", "w AS ()")]),
        ("INSERT INTO u SELECT x FROM t", [("SELECT", "x"), ("FROM", "t")]),
        ("SELECT list(x ORDER BY y), mode() WITHIN GROUP (ORDER BY z) FROM t USING SAMPLE 3", [("SELECT", "list(x ORDER BY y), mode() WITHIN GROUP (ORDER BY z)"), ("FROM", "t"), ("USING", "3")]),
    ],
)  # fmt: skip
def test_clauses_of_the_block_around_a_token(text, found):
    assert clauses_at(text, "X") == found


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("a = 1 AND b BETWEEN 2 AND 3 AND (c OR d)", ["a = 1", "b BETWEEN 2 AND 3", "(c OR d)"]),
        ("a OR b AND c", ["a OR b AND c"]),
        ("CASE WHEN a AND b OR c THEN d END AND e", ["CASE WHEN a AND b OR c THEN d END", "e"]),
        ("NOT a AND f(b AND c)", ["NOT a", "f(b AND c)"]),
    ],
)
def test_parts_that_and_joins(condition, parts):
    tokens = tokenize(condition)
    assert [tokens.slice(*part) for part in conjuncts(tokens, 0, len(tokens))] == parts


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("a + t.b * s.c.d", ["a", "t.b", "s.c.d"]),
        ("date_trunc('day', ts)::TIMESTAMP WITH TIME ZONE", ["ts"]),
        ("CAST(x AS DOUBLE PRECISION) + INTERVAL '1' DAY + INTERVAL 1 HOUR", ["x"]),
        ("extract(year FROM ts) + year + day", ["ts", "year", "day"]),
        ("sum(x) FILTER (WHERE y) OVER (PARTITION BY k ORDER BY ts NULLS LAST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", ["x", "y", "k", "ts"]),
        ("CASE WHEN a THEN $b ELSE TRUE END", ["a"]),
        ("DATE '2026-01-01' < date AND TIMESTAMP '2026-01-01' < time AT TIME ZONE 'UTC'", ["date", "time"]),
        ("lag(x IGNORE NULLS) OVER w", ["x"]),
        ('"A b"."c" COLLATE NOCASE', ["A b.c"]),
        ("struct_pack(a := b, c => d)", ["b", "d"]),
        ("{'p': q, r: s}", ["q", "s"]),
        ("name.upper() || first", ["name", "first"]),
    ],
)  # fmt: skip
def test_words_that_may_be_columns(expression, columns):
    tokens = tokenize(expression)
    assert [".".join(mention.path) for mention in mentions(tokens, 0, len(tokens))] == columns


def grouped_of(query: Query) -> Grouped:
    (island,) = query.islands
    assert isinstance(island, Grouped)
    return island


def test_block_becomes_one_relation(one):
    text = (
        f"SELECT window_start, origin, avg(temp) AS t FROM {TUMBLE} w WHERE temp > $low GROUP BY ALL "
        "HAVING count(*) > 3 ORDER BY t LIMIT 5"
    )
    query = one(text)
    grouped = grouped_of(query)
    assert (
        query.sql.split()
        == (
            f'SELECT "@k0" AS "window_start", "@k1" AS "origin", "@a0" AS t FROM "{grouped.alias}" '
            'WHERE "@a1" > 3 ORDER BY t LIMIT 5'
        ).split()
    )
    assert [(key.column, key.name and key.name.name) for key in grouped.keys] == [
        ("@k0", "window_start"),
        ("@k1", "origin"),
    ]
    first, second = grouped.aggregates
    assert (first.column, first.function, [item.name for item in first.arguments or ()]) == (
        "@a0",
        "avg",
        ["temp"],
    )
    assert (second.column, second.function, second.arguments) == ("@a1", "count_star", ())
    assert grouped.windows.input.where is not None
    assert grouped.windows.input.where.sql == 'SELECT * FROM weather AS "w" WHERE (temp > $low)'
    assert grouped.sql.sql == (
        'SELECT window_start AS "@k0", origin AS "@k1", avg(temp) AS "@a0", count(*) AS "@a1" '
        f'FROM "{grouped.windows.alias}" AS "w" GROUP BY 1, 2'
    )
    assert (query.params, query.island_params, grouped.sampled) == (frozenset(), {"low"}, False)
    assert text[slice(*first.span)] == "avg(temp)"


def test_columns_by_schema_and_table(one):
    function = "TUMBLE(TABLE sales.f, DESCRIPTOR(ts), '1h')"
    query = one(
        f"SELECT sales.f.k, avg(sales.f.x) FROM {function} WHERE sales.f.x > 3 GROUP BY f.k ORDER BY sales.f.k"
    )
    grouped = grouped_of(query)
    assert grouped.sql.sql.startswith('SELECT f.k AS "@k0", avg(f.x) AS "@a0" FROM')
    assert grouped.sql.sql.endswith(' AS "f" GROUP BY 1')
    where = grouped.windows.input.where
    assert where is not None
    assert "sales.f.x" not in where.sql
    assert query.sql.endswith('ORDER BY "@k0"')


@pytest.mark.parametrize(
    "tail",
    [
        "SELECT * FROM {} GROUP BY ALL",
        "SELECT origin, avg(temp) FROM {} w JOIN b USING (k) GROUP BY ALL",
        "SELECT origin, (SELECT 1), avg(temp) FROM {} GROUP BY ALL",
        "SELECT origin, avg(temp) FROM {} GROUP BY ROLLUP (origin)",
        "SELECT origin, temp FROM {}",
        "SELECT avg(temp) FROM {}",
        "SELECT origin + temp, avg(temp) FROM {} GROUP BY origin",
        "SELECT origin, count(*) FROM {} WHERE window_start > TIMESTAMP '2026-01-01' GROUP BY origin",
        "SELECT origin AS x, count(*) FROM {} WHERE x = 'a' GROUP BY ALL",
        "SELECT origin, count(*) FROM {} GROUP BY ALL USING SAMPLE 3",
        "SELECT list_transform([1], lambda q: q + 1), count(*), origin FROM {} GROUP BY origin",
        "FROM {}",
    ],
)
def test_whatever_does_not_fit_stays_rows_with_their_windows(one, tail):
    query = one(tail.format(TUMBLE))
    (island,) = query.islands
    assert isinstance(island, Windows)
    assert f'"{island.alias}"' in query.sql
    assert '"@k0"' not in query.sql


def test_what_a_session_is_made_of_is_not_filtered_before(one):
    session = "SESSION(TABLE flights PARTITION BY tail, DESCRIPTOR(ts), INTERVAL '4' HOUR)"
    query = one(f"SELECT tail, window_start, count(*) FROM {session} WHERE delay > 3 GROUP BY ALL")
    assert isinstance(query.islands[0], Windows)
    query = one(f"SELECT tail, window_start, count(*) FROM {session} WHERE tail = 'N1' GROUP BY ALL")
    where = grouped_of(query).windows.input.where
    assert where is not None
    assert where.sql.endswith("WHERE (tail = 'N1')")


def test_one_relation_for_equal_blocks(one):
    block = f"SELECT origin, avg(temp) FROM {TUMBLE} GROUP BY ALL"
    query = one(f"({block}) UNION ALL ({block}) ORDER BY 1")
    assert len(query.islands) == 1
    assert query.sql.endswith("ORDER BY 1")


@pytest.mark.parametrize(
    ("function", "items", "keys"),
    [
        (TUMBLE, "window_end - INTERVAL '4' HOUR AS e, window_start", ["window_end", "window_start"]),
        (TUMBLE, "origin, upper(origin) || day AS e, day, window_start::DATE", ["origin", "day", None]),
        (TUMBLE, "origin, origin || random() AS e", ["origin", None]),
        ("HOP(TABLE t, DESCRIPTOR(ts), '1h', '2h')", "window_start::DATE, window_end", [None, "window_end"]),
        ("CUMULATE(TABLE t, DESCRIPTOR(ts), '1h', '2h')", "window_end::DATE, window_start", [None, "window_start"]),
        ("CUMULATE(TABLE t, DESCRIPTOR(ts), '1h', '2h')", "window_end, window_start::DATE", ["window_end", "window_start"]),
        ("SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), '1h')", "window_end::DATE, window_start", [None, "window_start"]),
        ("SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), '1h')", "window_end::DATE, window_start, k", ["window_end", "window_start", "k"]),
    ],
)  # fmt: skip
def test_what_keys_determine_is_computed_of_them(one, function, items, keys):
    grouped = grouped_of(one(f"SELECT {items}, count(*) FROM {function} GROUP BY ALL"))
    assert [key.name and key.name.name for key in grouped.keys] == keys


def test_aggregates_by_what_computes_them(one):
    query = one(
        "SELECT origin, quantile_cont(temp, 0.5), last(temp, ts), count(DISTINCT wind), sum(temp) FILTER (wind > 3), "
        f"max(temp + 1), quantile_cont(temp, $q), max(weather.temp) FROM {TUMBLE} GROUP BY origin, window_end"
    )
    found = {item.column: item for item in grouped_of(query).aggregates}
    assert [item.arguments is None for item in found.values()] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert [getattr(item, "name", None) or item.literal for item in found["@a0"].arguments or ()] == [
        "temp",
        0.5,
    ]
    assert (found["@a1"].function, found["@a1"].sql) == ("arg_max", "arg_max(temp, ts)")
    assert [item.name for item in found["@a6"].arguments or ()] == ["temp"]
    assert grouped_of(query).params == {"q"}


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT first(a, b), last(a, b), first(a), last(a ORDER BY b, c) FROM t", 'SELECT arg_min(a, b) AS "first(a, b)", arg_max(a, b) AS "last(a, b)", first(a), last(a ORDER BY b, c) FROM t'),
        ("SELECT first(a, b) OVER (ORDER BY c), l.first(a, b), FIRST (a, (b, c)) FROM t", 'SELECT arg_min(a, b) OVER (ORDER BY c), l.first(a, b), arg_min (a, (b, c)) AS "first(a, ""row""(b, c))" FROM t'),
        ("SELECT DISTINCT last(a, b) z, 1 + last(a, b) FROM t ORDER BY last(a, b)", "SELECT DISTINCT arg_max(a, b) z, 1 + arg_max(a, b) FROM t ORDER BY arg_max(a, b)"),
        ("WITH w AS (SELECT last(a, b) FROM t) FROM w, (FROM t SELECT last(a, b))", 'WITH w AS (SELECT arg_max(a, b) AS "last(a, b)" FROM t) FROM w, (FROM t SELECT arg_max(a, b) AS "last(a, b)")'),
        ("SELECT k, (SELECT last(a, b) FROM t) FROM u", "SELECT k, (SELECT arg_max(a, b) FROM t) FROM u"),
        ("SELECT a, b FROM first(a, b)", "SELECT a, b FROM first(a, b)"),
    ],
)  # fmt: skip
def test_first_and_last_take_a_time(one, text, sql):
    if "FROM first" in text:
        assert (
            one(text.replace("FROM first(a, b)", "FROM t first(a, b)")).sql
            == "SELECT a, b FROM t first(a, b)"
        )
    else:
        assert one(text).sql == sql


SPACE = st.sampled_from([" ", "\n", " /* FROM x GROUP BY y */ ", " -- HAVING\n"])
LABEL = st.sampled_from(["", ' AS "a label {}"', " AS l{}", " l{}"])
KEYS = st.sampled_from(
    [
        "origin",
        "w.origin",
        "day",
        "window_start",
        "w.window_end",
        '"origin"',
        "upper(origin)",
        "window_start::DATE",
        "window_end - INTERVAL 1 HOUR",
    ]
)
AGGREGATES = st.sampled_from(
    ["avg(temp)", "avg( w.temp )", "count(*)", "COUNT(wind)", "max(temp) - min(temp)", "sum(temp + 1)", "count(DISTINCT wind)",
     "sum(temp) FILTER (wind > 3)", "quantile_cont(temp, 0.5)", "max(temp)::INTEGER", "coalesce(sum(wind), 0)", "arg_max(temp, ts)",
     "CASE WHEN count(*) > 3 THEN 'many' ELSE 'few' END", "round(avg(temp), 2)", "1 + 1"]
)  # fmt: skip
CONDITIONS = st.sampled_from(
    ["temp > 0", "w.wind IS NOT NULL", "origin IN ('a', 'b')", "temp BETWEEN -5 AND 50", "(wind > 3 OR day = 1)",
     "window_start >= TIMESTAMP '2026-01-01 12:00'", "window_end < TIMESTAMP '2026-01-03'"]
)  # fmt: skip
HAVING = st.sampled_from(
    ["count(*) > 3", "max(temp) > 10 AND count(wind) > 1", "sum(temp) > -100 OR count(*) < 100"]
)
ORDER = st.sampled_from(["1", "2 DESC NULLS LAST", "count(*)", "max(temp) DESC", "window_start", "ALL"])


@st.composite
def blocks(draw) -> tuple[str, str]:
    """A block over a window function, and the same one over rows that have their windows."""
    space = draw(SPACE)
    keys = draw(
        st.lists(KEYS, min_size=1, max_size=3, unique_by=lambda key: key.removeprefix("w.").strip('"'))
    )
    conditions = draw(st.lists(CONDITIONS, max_size=3, unique=True))
    order = draw(st.lists(ORDER, max_size=2, unique=True))
    order = ["ALL"] if "ALL" in order else order
    for key in ("window_start", "w.window_end"):
        named = key.removeprefix("w.")
        used = any(named in condition for condition in conditions) or (
            named == "window_start" and named in order
        )
        if used and key not in keys and named not in keys:
            keys.append(key)
    items = keys + draw(st.lists(AGGREGATES, min_size=1, max_size=3))
    # One name for two results would make ORDER BY ambiguous.
    listed = [f"{item}{draw(LABEL).format(place)}" for place, item in enumerate(items)]
    grouping = draw(st.sampled_from(["ALL", "ordinals", "names"]))
    by = {
        "ALL": "ALL",
        "ordinals": ", ".join(str(place + 1) for place in range(len(keys))),
        "names": ", ".join(keys),
    }[grouping]
    parts = [
        f"SELECT{space}{draw(st.sampled_from(['', '', 'DISTINCT ']))}{f',{space}'.join(listed)}",
        "FROM {} w",
    ]
    if draw(st.booleans()):
        parts.reverse()
    if conditions:
        parts.append(f"WHERE {' AND '.join(conditions)}")
    parts.append(f"GROUP BY {by}")
    if draw(st.booleans()):
        parts.append(f"HAVING{space}{draw(HAVING)}")
    if order and "DISTINCT" not in parts[0] + parts[1]:
        parts.append(f"ORDER BY {', '.join(order)}")
    text = space.join(parts)
    frame = draw(
        st.sampled_from(["{}", "SELECT * FROM ({}) x", "WITH q AS ({}) SELECT * FROM q", "{} UNION ALL {}"])
    )
    if "ORDER BY" in text and "UNION" in frame:
        frame = "({}) UNION ALL ({})"
    text = frame.replace("{}", text.replace("\\", "").replace("{}", "\0")).replace("\0", "{}")
    return text.replace("{}", TUMBLE), text.replace("{}", WINDOWED)


@settings(deadline=None, max_examples=80)
@given(made=blocks())
def test_any_block_gives_what_it_gave(one, inspector, made):
    text, plain = made
    query = one(text)
    assert [type(island) for island in query.islands] == [Grouped]
    for segment in query.offsets.segments:
        if segment.verbatim:
            assert query.sql[segment.new_start : segment.new_end] == text[segment.old_start : segment.old_end]
    inspector.connection.execute(ROWS)
    names, found = answer(inspector.connection, query)
    wanted_names, wanted = rows(inspector.connection, plain)
    assert names == wanted_names
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))
