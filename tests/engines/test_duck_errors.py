"""What DuckDB reports comes out as one sentence, its place in the text, and real choices."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from arrow_source import ArrowSource

from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.errors import KadeQLBindError, KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.plan.engine import Inputs, SqlFragment

FLIGHTS = pa.table({"carrier": ["AA", "UA"], "dep_delay": [1, 2], "rating": pa.array([{"stars": 5}, None])})
SCHEMAS = {"flights": FLIGHTS.schema, "airports": pa.schema([("faa", pa.string())])}

# text, error, the marked part of the text, what the message says, what the hint says
BINDING = [
    (
        "SELECT carier FROM flights",
        KadeQLBindError,
        "carier",
        "no column 'carier'",
        "Did you mean 'carrier'?",
    ),
    (
        "SELECT\n  dep_delay,\n  dep_dely\nFROM flights",
        KadeQLBindError,
        "dep_dely",
        "no column 'dep_dely'",
        "'dep_delay'",
    ),
    ("SELECT 'é€😀', carier FROM flights", KadeQLBindError, "carier", "no column", "'carrier'"),
    (
        "SELECT * FROM flihgts",
        KadeQLBindError,
        "flihgts",
        "There is no table 'flihgts'.",
        "Did you mean 'flights'?",
    ),
    (
        "SELECT * FROM zzz",
        KadeQLBindError,
        "zzz",
        "There is no table 'zzz'.",
        "The tables are: airports, flights.",
    ),
    ("SELECT flor(1.5)", KadeQLBindError, "flor(1.5)", "no function 'flor'", "'floor'"),
    ("SELECT * FROM unnst([1])", KadeQLBindError, "unnst([1])", "no table function 'unnst'", None),
    ("SELECT sum(carrier) FROM flights", KadeQLBindError, "sum(carrier)", "'sum(VARCHAR)'", "It takes: sum("),
    ("SELECT dep_delay + carrier FROM flights", KadeQLBindError, "+", "'+(BIGINT, VARCHAR)'", "Cast a side"),
    (
        "SELECT carrier FROM flights a, flights b",
        KadeQLBindError,
        "carrier",
        "stands in several tables",
        None,
    ),
    (
        "SELECT dep_delay FROM flights GROUP BY carrier",
        KadeQLBindError,
        "dep_delay",
        "GROUP BY",
        "any_value(dep_delay)",
    ),
    ("SELECT CAST(1 AS INTEGR)", KadeQLBindError, "INTEGR", "no type 'INTEGR'", None),
    ("SELECT rating.star FROM flights", KadeQLBindError, "star", "star", None),
    ("SELECT x.carrier FROM flights", KadeQLBindError, "x.carrier", "x", None),
]
RUNNING = [
    (
        "SELECT carrier::INT FROM flights",
        KadeQLError,
        "::INT",
        "Could not convert string 'AA' to INTEGER",
        None,
    ),
    ("SELECT DATE '2024-13-01'", KadeQLError, "DATE '2024-13-01'", "out of range", None),
    ("SELECT 9223372036854775807 + dep_delay FROM flights", KadeQLError, "+", "Overflow", None),
    ("SELECT error('no such luck')", KadeQLError, "SELECT error('no such luck')", "no such luck", None),
    (
        "SELECT (SELECT dep_delay FROM flights)",
        KadeQLError,
        "SELECT (SELECT dep_delay FROM flights)",
        "More than one row",
        "LIMIT 1",
    ),
    ("SELECT $lo + 1", KadeQLBindError, "$lo", "The parameter $lo has no value.", "params="),
    (
        "SELECT nope::BIGINT FROM (SELECT carrier AS nope FROM flights)",
        KadeQLError,
        "::BIGINT",
        "convert string 'AA'",
        None,
    ),
]
SYNTAX = [
    ("SELEC 1", KadeQLSyntaxError, "SELEC", "syntax error", None),
    ("SELECT 1 +", KadeQLSyntaxError, "+", "syntax error", None),
    ("SELECT 'open", KadeQLSyntaxError, "'", "unterminated", None),
    ("SELECT\n\n   (1, 2))", KadeQLSyntaxError, ")", "syntax error", None),
    ("SELECT ?, $a", KadeQLUnsupportedError, None, "parameters", "$name"),
]


def marked(error: KadeQLError) -> str | None:
    return None if error.span is None else error.text[slice(*error.span)]


@pytest.mark.parametrize(
    ("text", "kind", "span", "says", "hint"), [*BINDING, *RUNNING, *SYNTAX], ids=lambda value: str(value)[:40]
)
def test_a_run_says_what_and_where(
    engine: DuckEngine, text: str, kind: type[KadeQLError], span: str | None, says: str, hint: str | None
):
    inputs = Inputs({"flights": ArrowSource(FLIGHTS), "airports": ArrowSource(pa.table({"faa": ["OSL"]}))})
    for attempt in (engine.run, lambda *given: engine.stream(*given).read_all()):
        with pytest.raises(kind) as caught:
            attempt(SqlFragment(text), inputs)
        error = caught.value
        assert says in error.plain
        assert marked(error) == span
        assert hint is None or hint in str(error.hint)
        assert "__luma" not in str(error)
        assert "temp." not in str(error)
        if span is not None:
            assert error.text.splitlines()[error.line - 1][error.column - 1 :].startswith(
                span.splitlines()[0]
            )  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "kind", "span", "says", "hint"), [*BINDING, *SYNTAX], ids=lambda value: str(value)[:40]
)
def test_a_description_says_the_same(
    text: str, kind: type[KadeQLError], span: str | None, says: str, hint: str | None
):
    with pytest.raises(kind) as caught:
        DuckInspector().describe(text, SCHEMAS)
    assert says in caught.value.plain
    assert marked(caught.value) == span
    assert hint is None or hint in str(caught.value.hint)


def test_a_long_line_is_marked_at_the_right_one_of_many(engine: DuckEngine):
    text = (
        "SELECT * FROM flights WHERE "
        + "dep_delay = 1 AND " * 60
        + "dep_dely = 1"
        + " AND dep_delay = 1" * 60
    )
    with pytest.raises(KadeQLBindError) as caught:
        engine.run(SqlFragment(text), Inputs({"flights": ArrowSource(FLIGHTS)}))
    assert caught.value.span == (text.index("dep_dely"), text.index("dep_dely") + len("dep_dely"))
    assert "…" not in caught.value.plain


def test_an_unknown_parameter_value_is_named(engine: DuckEngine):
    for text, said in (("SELECT 1 + $a", "no parameter $b"), ("SELECT 1", "Expected 0, got 2")):
        with pytest.raises(KadeQLError, match=re.escape(said)):
            engine.run(SqlFragment(text, {"a": 1, "b": 2}), Inputs({}))
    with pytest.raises(KadeQLError, match="object"):
        engine.run(SqlFragment("SELECT $a", {"a": object()}), Inputs({}))


def test_an_error_in_the_middle_of_a_stream_is_the_same_error(engine: DuckEngine):
    text = "SELECT CASE WHEN range = 2900000 THEN 'x' ELSE '1' END::INT AS v FROM range(3000000)"
    reader = engine.stream(SqlFragment(text), Inputs({}))
    rows = reader.read_next_batch().num_rows
    assert rows
    with pytest.raises(KadeQLError, match="Could not convert string 'x'") as caught:
        reader.read_all()
    assert marked(caught.value) == "::INT"
    assert engine.cancel() == 0
