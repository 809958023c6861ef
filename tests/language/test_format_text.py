"""The formatter: what it writes, and that it changes nothing but case and space."""

from __future__ import annotations

import ast
import functools
import json
import random
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language import format_text
from luma_bench.language.tokens import tokenize

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"```(?:sql|kadeql)[^\n]*\n(.*?)```", re.DOTALL)

SET_OUT = [
    ("select 1", "SELECT 1"),
    ("", ""),
    ("  -- nothing\n", "-- nothing"),
    ("select A,b from T where x=1 and y is not null", "SELECT A, b FROM T WHERE x = 1 AND y IS NOT NULL"),
    ("begin;update t set a=1;commit;", "BEGIN;\nUPDATE t SET a = 1;\nCOMMIT;"),
    ("select 1;\n\n\n\nselect 2", "SELECT 1;\n\nSELECT 2"),
    ("select Sum(a)filter(where b)over(order by c)", "SELECT Sum(a) FILTER (WHERE b) OVER (ORDER BY c)"),
    ("select left(a,1), replace(b,'x','y'), map{'a':1}", "SELECT left(a, 1), replace(b, 'x', 'y'), map{'a': 1}"),
    ("select * exclude(a) replace(1 as b) from t", "SELECT * EXCLUDE (a) REPLACE (1 AS b) FROM t"),
    ("select a.from, 1 as from, x.\"Group\" from t", 'SELECT a.from, 1 AS from, x."Group" FROM t'),
    ("select values, range, filter from t as sample", "SELECT values, range, filter FROM t AS sample"),
    ("select -1, - - a, a- -b, a*-1, 10%3, x::int[], l[1:2]", "SELECT -1, - -a, a - -b, a * -1, 10%3, x::int[], l[1:2]"),
    ("select j->'a'->>'b', x -> x+1, a<->b", "SELECT j->'a'->>'b', x -> x + 1, a <-> b"),
    ("select 'a'\n'b', 'c'", "SELECT\n  'a'\n  'b',\n  'c'"),
    ("select interval 3 day, interval (x) hours, date '2020-01-01', day from t", "SELECT INTERVAL 3 DAY, INTERVAL (x) HOURS, date '2020-01-01', day\nFROM t"),
    ("execute p(lo:=3,hi => 4)", "EXECUTE p(lo := 3, hi => 4)"),
    ("insert into t(a,b)values(1,2),(3,4)", "INSERT INTO t (a, b) VALUES (1, 2), (3, 4)"),
    ("match (a:x where a.k=1)-[:r]->{1,2}(b) return b.k", "MATCH (a:x WHERE a.k = 1)-[:r]->{1,2}(b) RETURN b.k"),
    ("match ( a {k:1} ) - [ r:x|y cost r.km*2 ] -> { 1 , 3 } (b)-->(c) return *", "MATCH (a {k: 1})-[r:x|y COST r.km * 2]->{1,3}(b)-->(c)\nRETURN *"),
    ("match p=any shortest (a)-[r]->+(b) return distinct a skip 3", "MATCH p = ANY SHORTEST (a)-[r]->+(b)\nRETURN DISTINCT a\nSKIP 3"),
    ("with x as (optional match (a)--(b) return a.k) from x", "WITH x AS (OPTIONAL MATCH (a)--(b) RETURN a.k) FROM x"),
    ("from graph_table(g match (a) columns(a.k)), bfs(graph g)", "FROM GRAPH_TABLE (g MATCH (a) COLUMNS(a.k)), bfs(GRAPH g)"),
    ("select match, return, path, cost from match skip", "SELECT match, return, path, cost FROM match skip"),
    ("drop property graph g", "DROP PROPERTY GRAPH g"),
    ("select $a::date, $b", "SELECT $a::date, $b"),
    ("select a at time zone 'UTC' from t at (version=>3)", "SELECT a AT TIME ZONE 'UTC' FROM t AT (version => 3)"),
    ("tag snapshot 'x'", "TAG SNAPSHOT 'x'"),
]  # fmt: skip

LONG = """\
WITH busy AS (
  SELECT dest, count(*) AS n, -- every leg
    avg(delay) AS late
  FROM flights
  GROUP BY dest
),
quiet AS (FROM airports)
select b.dest, case when b.n > 1000 and b.late > 30 then 'busy and late' when b.n > 1000 then 'busy' else 'quiet' end as kind
from busy b left join airports a on a.iata = b.dest and a.country = 'United States of America' and a.kind is not null
where b.n > 10 and (b.late > 5 or b.late is null) and b.dest in (select iata from airports where name like '%International%')
-- the busiest first
order by b.n desc limit 10
"""

LONG_SET_OUT = """\
WITH
  busy AS (
    SELECT
      dest,
      count(*) AS n, -- every leg
      avg(delay) AS late
    FROM flights
    GROUP BY dest
  ),
  quiet AS (FROM airports)
SELECT
  b.dest,
  CASE
    WHEN b.n > 1000 AND b.late > 30 THEN 'busy and late'
    WHEN b.n > 1000 THEN 'busy'
    ELSE 'quiet'
  END AS kind
FROM busy b
LEFT JOIN airports a
  ON a.iata = b.dest AND a.country = 'United States of America' AND a.kind IS NOT NULL
WHERE
  b.n > 10
  AND (b.late > 5 OR b.late IS NULL)
  AND b.dest IN (SELECT iata FROM airports WHERE name LIKE '%International%')
-- the busiest first
ORDER BY b.n DESC
LIMIT 10"""


@pytest.mark.parametrize(("text", "expected"), SET_OUT)
def test_a_text_is_set_out(text, expected):
    assert format_text(text) == expected
    assert format_text(expected) == expected


def test_a_long_query_has_a_clause_a_line():
    assert format_text(LONG) == LONG_SET_OUT


@pytest.mark.parametrize("text", ["SELECT (1", "SELECT 'a", "SELECT 1 /* x", "SELECT 1)"])
def test_what_is_never_closed_is_refused_with_its_place(text):
    with pytest.raises(KadeQLSyntaxError) as caught:
        format_text(text)
    assert caught.value.line == 1


def texts() -> list[str]:
    """Every KadeQL text of the documentation, the benchmarks and the tests that DuckDB parses."""
    found = [path.read_text("utf-8") for path in sorted((ROOT / "benchmarks").rglob("*.sql"))]
    for path in sorted((ROOT / "docs").rglob("*.md")):
        found += FENCED.findall(path.read_text("utf-8"))
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                found.append(node.value)
    return [text for text in dict.fromkeys(found) if kinds(text)]


def kinds(text: str) -> list[str] | None:
    """What DuckDB's parser says the statements are; None where it refuses the text."""
    try:
        return [statement.type.name for statement in duckdb.extract_statements(text)]
    except (duckdb.Error, TypeError):  # a lone surrogate is no text to it at all
        return None


@functools.cache
def corpus() -> list[str]:
    found = []
    for text in texts():
        try:
            tokenize(text)
        except KadeQLSyntaxError:
            continue
        found.append(text)
    assert len(found) > 500
    return found


def test_every_text_keeps_its_statements_and_comes_out_the_same_twice():
    for text in corpus():
        done = format_text(text)
        assert format_text(done) == done, text
        assert kinds(done) == kinds(text), text


def test_every_query_keeps_its_parse_tree():
    connection = duckdb.connect()

    def tree(text: str) -> object:
        (found,) = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
        return without_places(json.loads(found))

    queries = [text for text in corpus() if set(kinds(text)) == {"SELECT"}]
    assert len(queries) > 300
    for text in queries:
        assert tree(format_text(text)) == tree(text), text


def without_places(node: object) -> object:
    if isinstance(node, dict):
        return {
            name: without_places(value)
            for name, value in node.items()
            if not name.startswith("query_location")
        }
    return [without_places(item) for item in node] if isinstance(node, list) else node


GAPS = [" ", "\n", "  ", "\t", " \r\n", "\n\n\n", " /* c */ ", "/*d*/", " -- e\n", "\n-- f\n", "\n/* g\n h */\n", " /* i */\n", "\n/* j */ "]  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(choice=st.integers(0, 10**6), seed=st.integers(0, 10**6))
def test_space_and_comments_anywhere_change_nothing(choice, seed):
    text = corpus()[choice % len(corpus())]
    chosen = random.Random(seed)
    tokens = tokenize(text)
    parts, comments, position = [], [], 0
    for index in range(len(tokens)):
        start, end = tokens.span(index)
        gap = text[position:start]
        if gap and chosen.random() < 0.5:
            gap = chosen.choice(GAPS)
        parts += [gap, text[start:end]]
        comments += re.findall(r"/\*.*?\*/|--[^\r\n]*", gap, re.DOTALL)
        position = end
    mixed = "".join(parts)
    done = format_text(mixed)
    assert format_text(done) == done
    assert kinds(done) == kinds(mixed)
    place = 0
    for comment in comments:
        place = done.index(comment.rstrip(), place) + len(comment.rstrip())


@settings(deadline=None, max_examples=80)
@given(choice=st.integers(0, 10**6))
def test_keywords_in_any_case_come_out_the_same(choice):
    text = corpus()[choice % len(corpus())]
    done = format_text(text)
    tokens, before = tokenize(done), tokenize(text)
    lowered = list(done)
    for index, word in enumerate(tokens.words):
        start, end = tokens.span(index)
        if done[start:end] == word and word != before.slice(index, index + 1) and word.isascii():
            lowered[start:end] = word.lower()
    assert format_text("".join(lowered)) == done


PARTS = [*"ab1.,;:()[]{}'\"$-+*/<>=%| \n", "SELECT ", " FROM ", " AND ", "CASE ", " END ", "/* */", "--x\n"]


@settings(deadline=None, max_examples=150)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=20))
def test_no_characters_fail_with_anything_but_a_syntax_error(parts):
    text = "".join(parts)
    try:
        done = format_text(text)
    except KadeQLSyntaxError:
        return
    assert format_text(done) == done
    assert kinds(done) == kinds(text)
