"""SAMPLE BY, gapfill and LATEST ON: what they say, what they become, and what is wrong with those that say something else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from series_relations import ROWS, WINDOWED, answer, rows

from luma_bench.errors import KadeQLBindError, KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language import CreateTableAs, Explain, Query
from luma_bench.language.series.pattern import Constant, Grouped
from luma_bench.language.series.sample_by import settled

BASE = "SELECT ts, avg(x) AS m FROM t SAMPLE BY "


def sampled(query: Query) -> Grouped:
    (island,) = query.islands
    assert isinstance(island, Grouped)
    return island


def told(constant: Constant | str | None) -> object:
    return constant.literal or constant.text if isinstance(constant, Constant) else constant


def test_whole_statement(one):
    text = "SELECT time_hour, origin, avg(temp) FROM weather WHERE temp > 0 SAMPLE BY '1h' FILL(LINEAR)"
    query = one(text)
    grouped = sampled(query)
    assert (
        query.sql.split()
        == (
            f'SELECT "@k0" AS "time_hour", "@k1" AS "origin", "@a0" AS "avg(""temp"")" FROM "{grouped.alias}"'
        ).split()
    )
    windows = grouped.windows
    assert (windows.kind, windows.time, windows.keys, windows.sizes[0].literal) == ("tumble", None, (), "1h")
    assert (windows.input.table, windows.input.where and windows.input.where.sql) == (
        "weather",
        'SELECT * FROM weather AS "weather" WHERE (temp > 0)',
    )
    assert [(key.column, key.name and key.name.name) for key in grouped.keys] == [
        ("@k0", "time_hour"),
        ("@k1", "origin"),
        ("@t", "window_start"),
    ]
    assert [fill.kind for fill in grouped.fills] == ["linear"]
    assert grouped.sampled
    assert grouped.sql.sql == (
        'SELECT time_hour AS "@k0", origin AS "@k1", window_start AS "@t", avg(temp) AS "@a0" '
        f'FROM "{windows.alias}" AS "weather" GROUP BY 1, 2, 3'
    )
    assert [island.alias for island in grouped.sql.islands] == [windows.alias]
    for segment in query.offsets.segments:
        if segment.verbatim:
            assert query.sql[segment.new_start : segment.new_end] == text[segment.old_start : segment.old_end]


@pytest.mark.parametrize(
    ("length", "literal"),
    [
        ("1h", "1h"),
        ("15m", "15m"),
        ("1M", "1mo"),
        ("'1 day'", "1 day"),
        ("INTERVAL '6' HOUR", "6h"),
        ("INTERVAL 6 HOUR", "6h"),
        ("$every", "$every"),
        ("$fill", "$fill"),
        ("to_hours(3)", "to_hours(3)"),
        ("(INTERVAL 1 HOUR * 2)", "(INTERVAL 1 HOUR * 2)"),
        ("'1h'::INTERVAL", "'1h'::INTERVAL"),
    ],
)
@pytest.mark.parametrize("behind", ["", " FILL(NULL)", " ORDER BY 1", " ZONE 'UTC'"])
def test_lengths(one, length, literal, behind):
    assert told(sampled(one(f"{BASE}{length}{behind}")).windows.sizes[0]) == literal


@pytest.mark.parametrize(
    ("clauses", "found"),
    [
        ("FROM '2026-01-01' TO $to", {"bounds": ("2026-01-01", "$to")}),
        ("TO now()", {"bounds": (None, "now()")}),
        ("FROM TIMESTAMP '2026-01-01' AT TIME ZONE 'UTC' ZONE 'UTC'", {"bounds": ("TIMESTAMP '2026-01-01' AT TIME ZONE 'UTC'", None), "zone": "UTC"}),
        ("ALIGN TO CALENDAR TIME ZONE 'Europe/Berlin' WITH OFFSET '00:15'", {"align": "calendar", "zone": "Europe/Berlin", "offset": "900s"}),
        ("ALIGN TO CALENDAR WITH OFFSET '-01:30'", {"align": "calendar", "offset": "-5400s"}),
        ("ALIGN TO FIRST OBSERVATION", {"align": "first observation"}),
        ("ALIGN TO DATE '2026-01-03' ZONE $zone", {"align": "DATE '2026-01-03'", "zone": "$zone"}),
        ("FILL(PREV) FROM $from TO $to", {"bounds": ("$from", "$to"), "fills": [("prev", False, None)]}),
        ("FILL(PREV IGNORE NULLS)", {"fills": [("prev", True, None)]}),
        ("FILL(null)", {"fills": [("null", False, None)]}),
        ("FILL(NONE)", {}),
        ("FILL(-1.5)", {"fills": [("value", False, -1.5)]}),
        ("FILL($x + 1)", {"fills": [("value", False, "$x + 1")]}),
    ],
)  # fmt: skip
def test_clauses(one, clauses, found):
    grouped = sampled(one(f"{BASE}1h {clauses} ORDER BY ts"))
    windows = grouped.windows
    given = {
        "bounds": tuple(map(told, grouped.bounds)),
        "zone": told(windows.zone),
        "offset": told(windows.offset),
        "align": told(windows.align),
        "fills": [(fill.kind, fill.ignore_nulls, told(fill.constant)) for fill in grouped.fills],
    }
    wanted = {"bounds": (None, None), "zone": None, "offset": None, "align": None, "fills": []} | found
    assert given == wanted


def test_fills_in_order_and_one_for_all(one):
    items = "SELECT ts, avg(x), k, max(x) - min(x), count(*) FROM t SAMPLE BY 1h "
    grouped = sampled(one(f"{items} FILL(PREV, 5, NULL)"))
    assert [(item.sql, fill.kind) for item, fill in zip(grouped.aggregates, grouped.fills, strict=True)] == [
        ("avg(x)", "prev"),
        ("max(x) - min(x)", "value"),
        ("count(*)", "null"),
    ]
    # A difference is filled itself: the difference of two filled values would be another one.
    assert grouped.aggregates[1].arguments is None
    assert [fill.kind for fill in sampled(one(f"{items} FILL(LINEAR)")).fills] == ["linear"] * 3
    assert len(sampled(one(items)).aggregates) == 4


def test_keys_name_the_start_of_the_bucket_once_the_time_is_known(one):
    grouped = sampled(
        one(
            "SELECT date_trunc('day', w.TS) d, j, max(ts), first(x), last(y, ts) FROM t w SAMPLE BY 1h GROUP BY ts, j ORDER BY w.ts"
        )
    )
    found = settled(grouped, "Ts")
    assert found.sql.sql.startswith(
        'SELECT window_start AS "@k0", j AS "@k1", window_start AS "@t", max(ts) AS "@a0", '
        'first(x ORDER BY "Ts") AS "@a1", arg_max(y, ts) AS "@a2" FROM'
    )
    assert [key.name and key.name.name for key in found.keys] == ["window_start", "j", "window_start"]
    found = settled(
        sampled(one("SELECT date_trunc('day', w.TS), k.ts, count(*) FROM t w SAMPLE BY 1h")), "ts"
    )
    assert found.sql.sql.startswith(
        'SELECT date_trunc(\'day\', window_start) AS "@k0", k.ts AS "@k1", window_start AS "@t", '
    )
    whole = found.sql.whole
    for segment in found.sql.offsets.segments:
        if segment.verbatim:
            assert (
                found.sql.sql[segment.new_start : segment.new_end]
                == whole[segment.old_start : segment.old_end]
            )


def test_other_columns_outside_of_aggregates_are_told_when_the_time_is_known(one):
    text = "SELECT k, avg(x) FROM t SAMPLE BY 1h ORDER BY ts, z"
    query = one(text)
    assert query.sql.endswith('ORDER BY "@t", "@t"')
    with pytest.raises(KadeQLBindError, match="z is neither grouped by nor in an aggregate") as caught:
        settled(sampled(query), "ts")
    assert caught.value.span == (text.index("z"), len(text))


def test_sampled_samples_and_what_they_read(one):
    query = one(
        "WITH q AS (SELECT * FROM t AT (VERSION => 3) WHERE x > $low) "
        "SELECT ts, avg(m) FROM (SELECT ts, avg(x) AS m FROM q SAMPLE BY 1h) s WHERE m IN (SELECT x FROM q) SAMPLE BY 1d"
    )
    outer = sampled(query)
    inner = sampled(outer.windows.input.query).windows.input
    assert inner.query.sql.startswith("WITH q AS (SELECT * FROM ")
    assert [pin.value for pin in inner.query.pins] == [3]
    assert inner.table is None
    where = outer.windows.input.where
    assert where is not None
    assert where.sql.startswith("WITH q AS (SELECT * FROM ")
    assert where.sql.endswith(" WHERE (m IN (SELECT x FROM q))")
    assert outer.params == {"low"}
    assert query.sql.startswith("WITH q AS (SELECT * FROM ")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("EXPLAIN {}", Explain),
        ("CREATE TABLE z AS {}", CreateTableAs),
        ("SELECT * FROM ({}) WHERE m > 3", Query),
        ("{} UNION ALL SELECT a, b FROM c ORDER BY a", Query),
    ],
)
def test_in_any_statement(one, text, kind):
    statement = one(text.format(f"{BASE}1h"))
    assert isinstance(statement, kind)
    query = statement if isinstance(statement, Query) else statement.query
    assert f'FROM "{sampled(query).alias}"' in query.sql


@pytest.mark.parametrize(
    "text",
    [
        "SELECT sample, fill, latest, locf, zone FROM sample USING SAMPLE 10%",
        "SELECT a.x FROM t sample, fill a TABLESAMPLE 10%",
        "SELECT latest.x FROM t latest JOIN u latest2 ON latest.k = latest2.k",
        "SELECT x AS sample, align AS fill FROM gapfill",
        "SELECT t.sample, t.latest FROM t WHERE sample > 3 ORDER BY latest",
        "SELECT sum(x) OVER (PARTITION BY latest) FROM t",
        "SELECT gapfill AS locf FROM interpolate",
    ],
)
def test_the_words_stay_names(one, text):
    query = one(text)
    assert (query.sql, query.islands) == (text, ())


@pytest.mark.parametrize(
    ("marked", "message", "hint"),
    [
        ("SELECT ts, avg(x) FROM t SAMPLE BY «bogus»", "length of a bucket", "INTERVAL"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY«»", "length of a bucket", "1h"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h «FIL»(PREV)", "FROM, TO, FILL", "Did you mean FILL"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h FILL(«)»", "what to fill with", "PREV"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h FILL(«PREF»)", "NULL, PREV, LINEAR", "Did you mean PREV"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h FILL(PREV «a»)", "IGNORE NULLS", "FILL"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h FILL(«PREV(b)»)", "own last value", "coalesce"),
        ("SELECT ts, avg(x), sum(x), max(x) FROM t SAMPLE BY 1h FILL(«PREV, 0»)", "2 values for 3", "one for each"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h ZONE«»", "time zone", "Europe/Berlin"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h ZONE 'a' «ZONE» 'b'", "twice", "once"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h ALIGN TO FIRST«»", "OBSERVATION", "ALIGN TO"),
        ("SELECT ts, avg(x) FROM t «SAMPLE» BY 1h ALIGN TO FIRST OBSERVATION FROM '2026-01-01'", "FIRST OBSERVATION", "Leave one"),
        ("SELECT ts, x FROM t «SAMPLE» BY 1h", "needs an aggregate", "avg"),
        ("SELECT «*» FROM t SAMPLE BY 1h", "columns by name", "avg"),
        ("SELECT ts, «t».*, avg(x) FROM t SAMPLE BY 1h", "columns by name", "avg"),
        ("FROM t «SAMPLE» BY 1h", "needs a SELECT", "SAMPLE BY"),
        ("SELECT avg(x) «SAMPLE» BY 1h", "needs a FROM", "SAMPLE BY"),
        ("SELECT a.ts, avg(x) FROM a «JOIN b ON a.k = b.k» SAMPLE BY 1h", "one relation", "the join into a subquery"),
        ("SELECT ts, avg(x) FROM a«, b» SAMPLE BY 1h", "one relation", "the join into a subquery"),
        ("SELECT ts, avg(x) FROM t «TABLESAMPLE 10%» SAMPLE BY 1h", "one relation", "into a subquery"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h «USING SAMPLE 3»", "before they are grouped", "subquery"),
        ("SELECT ts, avg(x) FROM t WHERE «SAMPLE» BY 1h", "condition after WHERE", "condition"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h GROUP BY «ROLLUP (ts)»", "groups its rows once", "GROUP BY ALL"),
        ("SELECT ts, k, «j», avg(x) FROM t SAMPLE BY 1h GROUP BY k", "j is neither grouped", "Leave GROUP BY out"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h GROUP BY «9»", "no item 9", "SAMPLE BY"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h «LATEST» ON ts PARTITION BY k", "in one SELECT", "into a subquery"),
        ("SELECT ts, avg(x) FROM t SAMPLE BY 1h «SAMPLE» BY 2h", "in one SELECT", "into a subquery"),
        ("SELECT ts, «locf»(avg(x)) FROM t SAMPLE BY 1h", "beside SAMPLE BY", "FILL(PREV)"),
        ("SELECT «gapfill»('1h', ts), avg(x) FROM t SAMPLE BY 1h", "beside SAMPLE BY", "FILL(PREV)"),
        ("SELECT «gapfill»('1h', ts) FROM t", "GROUP BY", "GROUP BY ALL"),
        ("SELECT gapfill('1h'«)», avg(x) FROM t GROUP BY ALL", "time column", "gapfill"),
        ("SELECT gapfill('1h', «ts + INTERVAL 1 DAY»), avg(x) FROM t GROUP BY ALL", "no expression", "subquery"),
        ("SELECT gapfill('1h', ts), «gapfill»('2h', ts), avg(x) FROM t GROUP BY ALL", "one gapfill", "same one"),
        ("SELECT «locf»(avg(x)) FROM t GROUP BY ALL", "none in this SELECT", "gapfill"),
        ("SELECT gapfill('1h', ts), «interpolate»(x) FROM t GROUP BY ALL", "gaps of an aggregate", "interpolate(avg(x))"),
        ("SELECT gapfill('1h', ts), locf(avg(x), «3») FROM t GROUP BY ALL", "one aggregate", "treat_null_as_missing"),
        ("SELECT gapfill('1h', ts), «j», avg(x) FROM t GROUP BY 1, k", "j is neither grouped", "gapfill"),
        ("SELECT * FROM t LATEST ON ts PARTITION BY k «WHERE» x > 3", "before LATEST ON", "SELECT * FROM (SELECT"),
        ("SELECT * FROM a «JOIN b USING (k)» LATEST ON ts PARTITION BY k", "one relation", "the join into a subquery"),
        ("SELECT * FROM t LATEST ON ts PARTITION BY«»", "behind PARTITION BY", "LATEST ON"),
        ("SELECT * FROM t LATEST ON ts PARTITION BY k «+» 1", "the end of the block", "LATEST ON"),
    ],
)  # fmt: skip
def test_errors_point_at_the_place_and_say_what_to_write(read, marked, message, hint):
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises((KadeQLSyntaxError, KadeQLUnsupportedError), match=message) as caught:
        read(f"SELECT 1;\n{text}")
    assert caught.value.span == (start + 10, end + 10)
    assert hint in (caught.value.hint or "")


def test_gapfill(one):
    query = one(
        "SELECT time_bucket_gapfill('1 hour', ts, '2026-01-01', $finish) AS bucket, k, avg(x), locf(avg(x)), interpolate(avg(x)), "
        "coalesce(locf(max(x), treat_null_as_missing => true), 0) AS m FROM t WHERE x > 0 GROUP BY bucket, k ORDER BY 1"
    )
    grouped = sampled(query)
    assert (
        query.sql.split()
        == (
            'SELECT "@k0" AS bucket, "@k1" AS "k", "@a0" AS "avg(x)", "@a1" AS "locf(avg(x))", "@a2" AS "interpolate(avg(x))", '
            f'coalesce("@a3", 0) AS m FROM "{grouped.alias}" ORDER BY 1'
        ).split()
    )
    assert [(item.sql, fill.kind, fill.ignore_nulls) for item, fill in zip(grouped.aggregates, grouped.fills, strict=True)] == [
        ("avg(x)", "null", False), ("avg(x)", "prev", False), ("avg(x)", "linear", False), ("max(x)", "prev", True)
    ]  # fmt: skip
    assert (grouped.windows.time and grouped.windows.time.name, told(grouped.windows.sizes[0])) == (
        "ts",
        "1 hour",
    )
    assert tuple(map(told, grouped.bounds)) == ("2026-01-01", "$finish")
    assert [key.name and key.name.name for key in grouped.keys] == ["window_start", "k", "window_start"]


@pytest.mark.parametrize(
    ("call", "zone", "bounds"),
    [
        ("gapfill('1h', ts)", None, (None, None)),
        ("gapfill('1h', ts, NULL, $f)", None, (None, "$f")),
        ("time_bucket_gapfill('1h', ts, 'Europe/Berlin', $s, $f)", "Europe/Berlin", ("$s", "$f")),
        (
            "time_bucket_gapfill('1h', ts, timezone => 'Europe/Berlin', finish => $f)",
            "Europe/Berlin",
            (None, "$f"),
        ),
    ],
)
@pytest.mark.parametrize("group", ["ALL", "1", "{}"])
def test_gapfill_forms(one, call, zone, bounds, group):
    grouped = sampled(one(f"SELECT {call}, count(*) FROM t GROUP BY {group.format(call)}"))
    assert (told(grouped.windows.zone), tuple(map(told, grouped.bounds))) == (zone, bounds)


def test_what_is_made_of_the_bucket_is_no_key(one):
    query = one("SELECT gapfill('1h', ts)::DATE AS d, avg(x) FROM t GROUP BY ALL ORDER BY gapfill('1h', ts)")
    assert query.sql.startswith('SELECT "@k0"::DATE AS d')
    assert query.sql.endswith('ORDER BY "@k0"')


SPACE = st.sampled_from([" ", "\n\t", " /* SAMPLE BY 1d */ ", " -- FILL(PREV)\n"])
ITEMS = st.sampled_from(
    [("ts", "window_start AS ts"), ("origin", "origin"), ("w.day AS d", "w.day AS d"), ("upper(origin) AS u", "upper(origin) AS u"),
     ("date_trunc('day', ts) AS start", "date_trunc('day', window_start) AS start")]
)  # fmt: skip
AGGREGATES = st.sampled_from(
    ["avg(temp)", "count(*) AS n", "max(w.ts) AS newest", "last(temp, ts) AS l", "first(wind, w.ts) l2", "max(temp) - min(temp) AS r",
     "sum(wind) FILTER (temp > 0)", "count(DISTINCT day)", "round(avg(temp), 1)", "sum(count(*)) OVER () AS share", "7 AS seven"]
)  # fmt: skip


@st.composite
def statements(draw) -> tuple[str, str]:
    """A block with SAMPLE BY, and the same one over rows that have their buckets."""
    space = draw(SPACE)
    keys = draw(st.lists(ITEMS, min_size=1, max_size=4, unique=True))
    aggregates = draw(st.lists(AGGREGATES, min_size=1, max_size=3, unique=True))
    aggregates += ["count(*) AS n"] if "7 AS seven" in aggregates and len(aggregates) == 1 else []
    both = [
        *keys,
        *((item, item.replace("last(", "arg_max(").replace("first(", "arg_min(")) for item in aggregates),
    ]
    order = draw(st.permutations(both))
    where = draw(st.sampled_from(["", "WHERE temp > 0", "WHERE w.wind IS NOT NULL AND temp < 60 OR day = 1"]))
    having = draw(st.sampled_from(["", "HAVING count(*) > 2", "HAVING max(temp) > 0 OR min(temp) < 5"]))
    tail = draw(
        st.sampled_from(["", "LIMIT 1000", "ORDER BY 1", "ORDER BY count(*), avg(temp) DESC NULLS LAST"])
    )
    head = f"SELECT{space}{f',{space}'.join(item for item, _ in order)}"
    source = f"FROM{space}weather w"
    first = [head, source] if draw(st.booleans()) else [source, head]
    text = space.join(filter(None, [*first, where, "SAMPLE BY 6h", having, tail]))
    plain_head = f"SELECT {', '.join(plain for _, plain in order)}"
    grouping = ", ".join(plain.rpartition(" AS ")[0] or plain for _, plain in keys)
    plain = " ".join(
        filter(
            None,
            [plain_head, f"FROM {WINDOWED} w", where, f"GROUP BY {grouping}, window_start", having, tail],
        )
    )
    return text, plain


@settings(deadline=None, max_examples=60)
@given(made=statements())
def test_any_sample_gives_what_its_buckets_give(one, inspector, made):
    text, plain = made
    query = one(text)
    for segment in query.offsets.segments:
        if segment.verbatim:
            assert query.sql[segment.new_start : segment.new_end] == text[segment.old_start : segment.old_end]
    inspector.connection.execute(ROWS)
    names, found = answer(inspector.connection, query)
    wanted_names, wanted = rows(inspector.connection, plain)
    assert names == wanted_names
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))


PARTS = st.sampled_from(
    ["SAMPLE", "BY", "1h", "FILL", "(", ")", "PREV", "NULL", ",", "FROM", "TO", "'2026-01-01'", "ALIGN", "CALENDAR", "ZONE", "'UTC'", "$p",
     "LATEST", "ON", "ts", "PARTITION", "k", "gapfill", "locf", "avg", "x", "GROUP", "ALL", "ORDER", "WHERE", "INTERVAL", "1", "HOUR", "WITH", "OFFSET"]
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    head=st.sampled_from(["SELECT ts, avg(x) FROM t ", "FROM t SELECT avg(x) ", "SELECT "]),
    parts=st.lists(PARTS, max_size=12),
)
def test_misspelt_text_is_read_or_refused_in_its_own_place(read, head, parts):
    text = head + " ".join(parts)
    caught: KadeQLError | None = None
    found: list[str] = []
    try:
        found = [statement.whole for statement in read(text)]
    except KadeQLError as error:
        caught = error
    start, end = (0, len(text)) if caught is None or caught.span is None else caught.span
    assert 0 <= start <= end <= len(text)
    assert caught is not None or found == [text]
