"""Lint: valid statements have no error, wrong ones have the bench's own, and a fix mends what it is offered for."""

from __future__ import annotations

import pyarrow as pa
import pytest
from assist_cases import VALID

import luma_bench as lb
from luma_bench.bench.assist import Problem, formatted, lint
from luma_bench.errors import KadeQLError, KadeQLSyntaxError


def errors(problems: tuple[Problem, ...]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def fixed(text: str, problem: Problem, choice: int = 0) -> str:
    fix = problem.fixes[choice]
    return text[: fix.start] + fix.text + text[fix.stop :]


@pytest.mark.parametrize("text", VALID)
def test_a_valid_statement_has_no_error(text: str, shop: lb.Bench):
    assert errors(lint(text, shop, variables={})) == []
    assert errors(lint(text, None)) == []
    assert errors(lint(f"%%kadeql --limit 3\n{text}", shop, cell=True)) == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT carier FROM flights",
        "SELECT f.carier FROM flights f",
        "SELECT sume(id) FROM flights",
        "SELECT id FROM fligts",
        "SELCT id FROM flights",
        "SELECT id FROM flights WHER id = 1",
        "SELECT id FROM flights GROUP id",
        "SELECT (id + 1 FROM flights",
        "SELECT id) FROM flights",
        "SELECT 'abc",
        'SELECT "id FROM flights',
        "MATCH (a:airport)-[r:route]->(b) RETURN a.iata",
        "MATCH (a:airports)-[r:route]->(b) RETURN a.iatta",
        "MATCH (a:airports)-[r:route]->(b) ON GRAPH airr RETURN a.iata",
        "SELECT id FROM PAGERANK(GRAPH air, dampng => 0.5)",
        "SELECT 1 FROM TUMBLE(TABLE weather, DESCRIPTOR(time_hor), '1h')",
        "UPDATE flights SET carier = 'x' WHERE id = 1",
        "INSERT INTO airports (itaa) VALUES ('x')",
        "DELETE FROM flights WHERE idd = 1",
        "ALTER TABLE fligts ADD COLUMN x INTEGER",
        "DROP TABLE fligts",
        "DROP VIEW latee",
        "CREATE VIEW v AS SELECT carier FROM flights",
        "EXPLAIN SELECT carier FROM flights",
        "SELECT 1; SELECT carier FROM flights; SELECT 2",
        "SELECT 1 FROM sales.orderss",
        "SELECT city FROM airports ORDER city",
    ],
)
def test_the_first_fix_mends_an_error(text: str, shop: lb.Bench):
    (error,) = errors(lint(text, shop, variables={}))
    assert 0 <= error.start < error.stop <= len(text)
    assert error.message
    assert error.hint
    mended = fixed(text, error)
    if text in ("SELECT 'abc", 'SELECT "id FROM flights'):
        return  # closed at the end of its line: what is meant inside, nobody knows
    assert errors(lint(mended, shop, variables={})) == [], mended


@pytest.mark.parametrize(
    "text",
    [
        "SELECT carier FROM flights",
        "SELECT id FROM nowhere",
        "SELECT origin, count(*) FROM flights",
        "SELECT dest + sched FROM flights",
        "SELECT x.id FROM flights",
        "SELECT 1 FROM flights JOIN airports USING (iata)",
        "SELECT id FROM flights AT (VERSION => 99)",
        "SELECT 1 +",
        "SELECT count(*) OVER (ORDER) FROM flights",
        "MATCH (a:nothing)-[r]->(b) RETURN a.iata",
        "CREATE SECRET s (TYPE s3)",
    ],
)
def test_an_error_is_the_benchs_own(text: str, shop: lb.Bench):
    with pytest.raises(KadeQLError) as told:
        shop.kadeql(text)
    (error,) = errors(lint(text, shop, variables={}))
    assert error.message == told.value.plain
    assert told.value.span is not None
    assert error.stop == told.value.span[1]
    # Where a statement ends too early there is no place: the word before it is shown.
    assert error.start == told.value.span[0] or told.value.span[0] == told.value.span[1]


def test_each_statement_has_an_error_of_its_own(shop: lb.Bench):
    text = "SELECT carier FROM flights; SELECT 1; SELECT itaa FROM airports"
    assert [text[error.start : error.stop] for error in errors(lint(text, shop))] == ["carier", "itaa"]


@pytest.mark.parametrize(
    ("text", "severity", "place", "mended"),
    [
        ("SELECT id FROM flights WHERE carrier = NULL", "warning", "= NULL", "SELECT id FROM flights WHERE carrier IS NULL"),
        ("SELECT id FROM flights WHERE carrier <> NULL", "warning", "<> NULL", "SELECT id FROM flights WHERE carrier IS NOT NULL"),
        ("WITH a AS (SELECT 1), b AS (SELECT 2) SELECT 3 FROM a", "warning", "b", None),
        ("WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a WHERE n < 3) SELECT 3", "warning", "a", None),
        ("SELECT 1 FROM flights, airports", "warning", "airports", None),
        ("SELECT 1 FROM flights, (SELECT 2) q", "warning", "(SELECT 2", None),
        ("DELETE FROM flights", "info", "DELETE", None),
        ("UPDATE flights SET dep_delay = 1", "info", "UPDATE", None),
        ("SELECT id == 1 FROM flights", "hint", "==", "SELECT id = 1 FROM flights"),
        ("SELECT id, FROM flights", "hint", ",", "SELECT id FROM flights"),
        ("CREATE VIEW v AS SELECT * FROM airports", "hint", "*", "CREATE VIEW v AS SELECT iata, city FROM airports"),
        ("CREATE OR REPLACE VIEW v AS SELECT a.* FROM airports a, routes r WHERE r.src = a.iata", "hint", "a.*", "CREATE OR REPLACE VIEW v AS SELECT a.iata, a.city FROM airports a, routes r WHERE r.src = a.iata"),
        ("INSERT INTO airports SELECT * FROM airports", "hint", "*", "INSERT INTO airports SELECT iata, city FROM airports"),
    ],
)  # fmt: skip
def test_what_is_worth_a_look(text: str, severity: str, place: str, mended: str | None, shop: lb.Bench):
    (problem,) = lint(text, shop, variables={})
    assert (problem.severity, text[problem.start : problem.stop]) == (severity, place)
    if mended is not None:
        assert fixed(text, problem) == mended
        assert [item for item in lint(mended, shop, variables={}) if item.severity == severity] == []


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE flights SET dep_delay = NULL WHERE id = 1",
        "SELECT 1 FROM flights f, airports a WHERE a.iata = f.origin",
        "SELECT 1 FROM flights CROSS JOIN airports",
        "SELECT 1 FROM airports, LATERAL (SELECT 1) q",
        "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM b",
        "SELECT count(*) FROM flights",
        "DELETE FROM flights USING airports WHERE flights.origin = airports.iata",
    ],
)
def test_what_is_fine_is_left_alone(text: str, shop: lb.Bench):
    assert [item for item in lint(text, shop, variables={}) if item.severity != "hint"] == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM airports",
        "SELECT a.* FROM airports a",
        "CREATE TABLE t AS SELECT * FROM airports",
        "INSERT INTO airports BY NAME SELECT * FROM airports",
        "WITH a AS (SELECT * FROM airports) SELECT city FROM a",
    ],
)
def test_a_star_is_told_of_only_where_columns_are_kept_or_counted(text: str, shop: lb.Bench):
    assert lint(text, shop, variables={}) == ()


def test_an_unknown_table_is_no_error_where_variables_are_not_known(shop: lb.Bench):
    assert [item.severity for item in lint("SELECT 1 FROM frame", shop)] == ["info"]
    assert [item.severity for item in lint("SELECT 1 FROM fligts", shop)] == ["warning"]
    assert [item.severity for item in lint("SELECT 1 FROM frame", shop, variables={})] == ["error"]
    assert lint("SELECT 1 FROM frame", shop, variables={"frame": None}) == ()


def test_notebook_tables_have_columns(shop: lb.Bench):
    variables = {"frame": pa.schema([("price", pa.float64())])}
    assert errors(lint("SELECT price FROM frame JOIN airports ON true", shop, variables=variables)) == []
    (error,) = errors(lint("SELECT prise FROM frame", shop, variables=variables))
    assert fixed("SELECT prise FROM frame", error) == "SELECT price FROM frame"


def test_parameters_without_a_value(shop: lb.Bench):
    text = "SELECT id FROM flights WHERE dep_delay > $loo"
    assert lint(text, shop) == ()
    (problem,) = lint(text, shop, params=["lo"])
    assert fixed(text, problem) == text.replace("$loo", "$lo")
    assert lint(f"%%kadeql --params {{'loo': 1}}\n{text}", shop, cell=True) == ()
    assert [item.severity for item in lint(f"%%kadeql --params {{'lo': 1}}\n{text}", shop, cell=True)] == [
        "warning"
    ]


@pytest.mark.parametrize(
    ("cell", "place", "mended"),
    [
        ("%%kadeql --lmit 3\nSELECT 1", "--lmit", "%%kadeql --limit 3\nSELECT 1"),
        ("%%kadeql limit 3\nSELECT 1", "limit 3", "%%kadeql --limit 3\nSELECT 1"),
        ("%%kadeql --at frist\nSELECT 1", "frist", "%%kadeql --at first\nSELECT 1"),
        ("%%kadeql --engine dukdb\nSELECT 1", "dukdb", "%%kadeql --engine duckdb\nSELECT 1"),
        ("%%kadeql --params {'a': }\nSELECT 1", "{'a': }", None),
        ("%%kadeql --at\nSELECT 1", "--at", None),
        (
            "x = 1\n%kadeql SELECT carier FROM flights\nselect = 2",
            "carier",
            "x = 1\n%kadeql SELECT carrier FROM flights\nselect = 2",
        ),
    ],
)
def test_cells(cell: str, place: str, mended: str | None, shop: lb.Bench):
    (error,) = errors(lint(cell, shop, cell=True))
    assert cell[error.start : error.stop] == place
    if mended is not None:
        assert fixed(cell, error) == mended


def test_at_names_the_snapshot_that_is_checked(shop: lb.Bench):
    text = "SELECT stops FROM routes"
    assert errors(lint(f"%%kadeql\n{text}", shop, cell=True)) == []
    assert len(errors(lint(f"%%kadeql --at first\n{text}", shop, cell=True))) == 1


def test_python_is_left_alone(shop: lb.Bench):
    assert lint("x = 'SELECT'\nprint(f(x)", shop, cell=True) == ()
    assert lint("", shop) == lint("  -- nothing\n", shop) == ()


def test_files_are_not_looked_for(shop: lb.Bench):
    assert lint("SELECT a FROM 'nothing.csv'", shop) == ()
    assert lint("SELECT a FROM read_csv('/nothing.csv') WHERE a > 1", shop) == ()


def test_a_long_text_is_checked_at_its_beginning(shop: lb.Bench):
    text = "SELECT carier FROM flights;\n" * 300
    assert len(lint(text, shop)) == 200
    assert lint("x" * 300_000, shop) == ()


def test_formatting():
    assert formatted("select a from t") == "SELECT a FROM t"
    assert (
        formatted("%%kadeql --limit 3\nselect a from t", cell=True) == "%%kadeql --limit 3\nSELECT a FROM t"
    )
    assert formatted("x = 1", cell=True) == "x = 1"
    with pytest.raises(KadeQLSyntaxError) as told:
        formatted("%%kadeql\nselect 'a", cell=True)
    assert told.value.line == 2
