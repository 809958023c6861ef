"""Every lowered statement gives DuckDB's own answer, types included; what is refused says why."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lowering_statements import STATEMENTS as RELATIONS
from lowering_values import STATEMENTS as VALUES
from lowering_world import World, rows_of
from thorough import drawn

from luma_bench.engines.lowering import NotLowered
from luma_bench.plan.engine import View
from luma_bench.plan.relational.to_duck import program_sql

CORRELATED = "a subquery that hangs on the row around it in a way that no join expresses"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def _same(world: World, text: str, params: dict[str, Any] | None = None) -> None:
    try:
        wanted = world.wanted(text, params)
    except duckdb.Error as error:
        with pytest.raises(type(error), match=re.escape(str(error).splitlines()[0][:60])):
            world.lowered(text, params)
        return
    found = world.lowered(text, params)
    assert found.schema.types == wanted.schema.types
    ordered = bool(re.search(r"\border by\b", text)) and "over" not in text
    assert rows_of(found, ordered=ordered) == rows_of(wanted, ordered=ordered)


@pytest.mark.parametrize("text", [text for texts in (RELATIONS | VALUES).values() for text in texts])
def test_a_lowered_statement_answers_as_duckdb_does(world: World, text: str) -> None:
    _same(world, text)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("SELECT id, $a AS a FROM t WHERE k > $b", {"a": 5, "b": 10}),
        (
            "SELECT id + $a AS x FROM t WHERE s = $s AND d >= $d",
            {"a": 2.5, "s": "a", "d": dt.date(2020, 1, 1)},
        ),
        ("SELECT id::TINYINT + $a AS x FROM t", {"a": 1}),
        ("SELECT id FROM t LIMIT $n OFFSET $o", {"n": 2, "o": 1}),
        ("SELECT id FROM t WHERE k IN $l", {"l": [10, 30]}),
        ("SELECT id FROM t WHERE m = $m", {"m": Decimal("12.50")}),
        ("SELECT id FROM t WHERE s = $x", {"x": "a'b\"@0"}),
        ("SELECT id, $x AS q FROM t", {"x": dt.datetime(2020, 1, 1, 3, 4, 5, 6)}),
        ("SELECT id, $x AS q FROM t", {"x": uuid.UUID(int=5)}),
        ("SELECT id, $x AS q FROM t", {"x": {"a": 1, "b": [1, 2]}}),
        ("SELECT id, $x AS q FROM t", {"x": 2**40}),
        ("SELECT CASE WHEN id > 3 THEN $s ELSE s END AS x FROM t", {"s": "zzz"}),
    ],
)
def test_parameters_have_the_types_of_their_values(world: World, text: str, params: dict[str, Any]) -> None:
    _same(world, text, params)


@pytest.mark.parametrize(
    ("text", "views", "same"),
    [
        ("SELECT * FROM v WHERE n > 1", ["SELECT k, count(*) AS n FROM t GROUP BY k"], "SELECT * FROM (SELECT k, count(*) AS n FROM t GROUP BY k) WHERE n > 1"),
        ("SELECT a.k FROM v a JOIN v b USING (k)", ["SELECT DISTINCT k FROM t"], "SELECT DISTINCT k FROM t WHERE k IS NOT NULL"),
        ("WITH t AS (SELECT 1 AS id) SELECT v.id AS i, t.id FROM v, t", ["SELECT id FROM t"], "SELECT id AS i, 1 AS id FROM t"),
        ("SELECT q FROM v", ["SELECT id, k FROM t ORDER BY id DESC LIMIT 2"], "SELECT id AS q FROM t ORDER BY id DESC LIMIT 2"),
    ],
)  # fmt: skip
def test_views_are_read_as_they_were_made(world: World, text: str, views: list[str], same: str) -> None:
    made = [View("v", sql, ("q",) if "q " in text else ()) for sql in views]
    assert rows_of(world.lowered(text, views=made), ordered=False) == rows_of(
        world.wanted(same), ordered=False
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT string_agg(s, ',') FROM t", "string_agg() without ORDER BY takes rows as they come"),
        ("SELECT array(SELECT id FROM u) FROM t", "list() without ORDER BY takes rows as they come"),
        ("SELECT approx_quantile(id, 0.5) FROM t", "approx_quantile() hangs on the order in which rows come"),
        ("SELECT id, row_number() OVER () FROM t", "row_number() OVER without ORDER BY takes rows as they come"),
        ("SELECT sum(k) OVER (ROWS 1 PRECEDING) FROM t", "a window frame without ORDER BY takes rows as they come"),
        ("SELECT DISTINCT ON (s) s FROM t", "DISTINCT ON without ORDER BY takes rows as they come"),
        ("SELECT id, random() FROM t", "random() does not hang on its arguments alone"),
        ("SELECT current_setting('TimeZone')", "current_setting() does not hang on its arguments alone"),
        ("SELECT current_user", "current_user hangs on the session"),
        ("SELECT unnest(l) FROM t", "unnest() makes rows of a value"),
        ("SELECT * FROM range(5)", "a table function in FROM"),
        ("SELECT * FROM t TABLESAMPLE 10%", "a sample"),
        ("SELECT id FROM t LIMIT 50%", "a LIMIT in percent"),
        ("SELECT * FROM t ASOF JOIN ts ON t.d >= ts.a", "an asof inner join"),
        ("SELECT * FROM t POSITIONAL JOIN u", "rows that meet by their position, in a POSITIONAL JOIN or an ASOF join"),
        ("SELECT t.id, x.n FROM t, (SELECT count(*) AS n FROM u WHERE u.k = t.k) x", "a lateral subquery with an aggregate or a LIMIT"),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r", "a recursive CTE"),
        ("SELECT s, k, count(*) FROM t GROUP BY GROUPING SETS ((s, k), (s), (s))", "a grouping set that is given twice"),
        ("SELECT id FROM t WHERE id > ANY (SELECT id FROM u)", "a comparison with ANY or ALL of a subquery"),
        ("SELECT id FROM t WHERE (id, k) IN (SELECT id, k FROM w)", "a row of values IN a subquery"),
        ("SELECT id FROM t WHERE s COLLATE nocase = 'c'", "a collation"),
        ("SELECT columns('i.*') FROM t", "COLUMNS(…)"),
        ("SELECT id, (SELECT count(*) FROM u WHERE u.k < t.k) FROM t", CORRELATED),
        ("SELECT id, (SELECT max(u.id) FROM u WHERE u.k + 0 = t.k) FROM t", CORRELATED),
        ("SELECT id, (SELECT count_if(b.k > 10) FROM t b WHERE b.s = t.s) FROM t", "a count in a subquery that reads the row around it"),
        ("SELECT id, (SELECT sum(b.id * t.id) FROM t b WHERE b.k = t.k) FROM t", "an aggregate of another query's columns"),
        ("SELECT id FROM t WHERE EXISTS (SELECT count(*) FROM u WHERE u.k = t.k HAVING count(*) > 1)", "HAVING without GROUP BY in a subquery that reads the row around it"),
        ("SELECT * FROM (SELECT count(*) AS n FROM t) WHERE n IS NULL", "a condition that never holds"),
        ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k GROUP BY ROLLUP (u.id))", "grouping sets in a subquery that reads the row around it"),
        ("DESCRIBE t", "DESCRIBE or SUMMARIZE"),
        ("SELECT 1; SELECT 2", "it is no single SELECT"),
        ("SELECT nothing FROM t", "the embedded engine does not bind it"),
        ("FROM nowhere", "the embedded engine does not bind it"),
    ],
)  # fmt: skip
def test_what_might_be_answered_otherwise_is_refused(world: World, text: str, reason: str) -> None:
    with pytest.raises(NotLowered, match=re.escape(reason)) as caught:
        world.program(text)
    assert caught.value.reason.startswith(reason)
    assert not caught.value.reason.endswith(".")


_MAY_BE_REFUSED = (
    CORRELATED,
    "a subquery inside of a join, a group or an order",
    "a condition that never holds",
)
_OPERATORS = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"])


@st.composite
def _conditions(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 9 if depth else 4))
    left = draw(st.sampled_from(["a.id", "a.k", "a.k + a.id"]))
    match kind:
        case 0 | 1:
            return f"{left} {draw(_OPERATORS)} {draw(st.integers(0, 30))}"
        case 2:
            return f"a.s {draw(st.sampled_from(['=', '<', '>']))} '{draw(st.sampled_from('abC'))}'"
        case 3:
            return f"a.k IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
        case 4:
            return draw(
                st.sampled_from(["a.b", "a.k IN (10, NULL)", "a.k BETWEEN 5 AND 20", "a.s LIKE '%a%'"])
            )
        case 5:
            return f"NOT ({draw(_conditions(depth - 1))})"
        case 6 | 7:
            word = draw(st.sampled_from(["AND", "OR"]))
            return f"({draw(_conditions(depth - 1))} {word} {draw(_conditions(depth - 1))})"
        case 8:
            word = draw(st.sampled_from(["", "NOT "]))
            where = draw(
                st.sampled_from(["", " WHERE x.k IS NOT NULL", " WHERE x.id = a.id", " WHERE false"])
            )
            return f"{left} {word}IN (SELECT x.k FROM {draw(st.sampled_from('tuw'))} x{where})"
        case _:
            word = draw(st.sampled_from(["", "NOT "]))
            return f"{word}EXISTS (SELECT 1 FROM u x WHERE x.k = a.k AND x.id {draw(_OPERATORS)} a.id)"


@st.composite
def _statements(draw: st.DrawFn) -> str:
    condition = draw(_conditions())
    kind = draw(
        st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", ""])
    )
    other = f"{kind} w c ON a.id = c.id AND {draw(_conditions(1))}" if kind else ""
    if other and "(" in other:
        other = f"{kind} w c ON a.id = c.id AND a.k > c.id"
    listed = draw(st.sampled_from(["a.id, a.k", "a.s, count(*), sum(a.id)", f"a.id, ({condition}) AS x"]))
    tail = " GROUP BY a.s" if "count" in listed else ""
    return f"SELECT {listed} FROM t a {other} WHERE {condition}{tail}"


@settings(max_examples=drawn(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_statements())
def test_random_conditions_and_joins_answer_as_duckdb_does(world: World, text: str) -> None:
    try:
        _same(world, text)
    except NotLowered as refused:
        assert refused.reason in _MAY_BE_REFUSED  # noqa: PT017


def test_a_statement_of_the_moment_is_bound_to_it_and_not_kept(world: World) -> None:
    text = "SELECT now() AS n, current_date AS d, id FROM t"
    one, other = world.program(text), world.program(text)
    assert one.root != other.root
    assert "now()" not in program_sql(one)


def test_a_statement_is_planned_once(world: World) -> None:
    text = "SELECT k, count(*) FROM t GROUP BY k"
    assert world.program(text) is world.program(text)
    assert world.program("SELECT $a AS a", {"a": 1}) is not world.program("SELECT $a AS a", {"a": 2})
