"""What statements about views, and views over what is gone, say is wrong and where."""

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import KadeQLBindError, KadeQLError, KadeQLUnsupportedError


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write("t", pa.table({"a": [1, 2, 3, 4], "s": ["x", "7", "9", None]}))
        yield opened


def ask(bench, text, **arguments):
    result = bench.kadeql(text, **arguments).to_arrow()
    return list(zip(*(column.to_pylist() for column in result.columns), strict=True))


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("CREATE VIEW v AS\nSELECT zz\nFROM t", "There is no column 'zz'", (2, 8)),
        ("CREATE VIEW v AS SELECT * FROM nope", "There is no table 'nope'", (1, 32)),
        ("CREATE VIEW v (a, b, c) AS FROM t", "names 3 columns, and its query gives 2", (1, 13)),
        ("CREATE VIEW t AS SELECT 1", "There is a table 't' already", (1, 13)),
        ("CREATE OR REPLACE VIEW t AS SELECT 1", "There is a table 't' already", (1, 24)),
        ("CREATE VIEW old AS SELECT 1", "There is a view 'old' already", (1, 13)),
        ("CREATE OR REPLACE VIEW old AS FROM old", "circle: 'old' → 'old'", (1, 31)),
        ("CREATE VIEW v AS FROM t AT (VERSION => 99)", "There is no snapshot 99", (1, 25)),
        ("DROP VIEW nope", "There is no view 'nope'", (1, 11)),
        ("DROP VIEW t", "'t' is a table", (1, 11)),
        ("ALTER VIEW nope RENAME TO x", "There is no view 'nope'", (1, 12)),
        ("ALTER VIEW old RENAME TO t", "There is a table 't' already", (1, 12)),
        ("INSERT INTO old VALUES (1)", "'old' is a view", (1, 13)),
        ("UPDATE old SET x = 1", "'old' is a view", (1, 8)),
        ("DELETE FROM old", "'old' is a view", (1, 13)),
        ("TRUNCATE old", "'old' is a view", (1, 10)),
        ("DROP TABLE old", "'old' is a view", (1, 1)),
        ("ALTER TABLE old ADD COLUMN b INT", "'old' is a view", (1, 13)),
        ("CREATE TABLE old (a INT)", "There is a view 'old' already", (1, 14)),
        ("CREATE OR REPLACE TABLE old AS SELECT 1 AS a", "There is a view 'old' already", (1, 25)),
        ("COMMENT ON TABLE old IS 'x'", "'old' is a view", (1, 18)),
        ("COMMENT ON VIEW t IS 'x'", "'t' is a table", (1, 17)),
        ("COMMENT ON COLUMN old.nope IS 'x'", "no column 'nope' in view 'old'", (1, 23)),
    ],
)
def test_a_statement_about_views_says_what_is_wrong_and_where(bench, text, message, place):
    bench.kadeql("CREATE VIEW old AS SELECT 1 AS x")
    head = bench.snapshot
    with pytest.raises((KadeQLBindError, KadeQLUnsupportedError), match=message) as caught:
        bench.kadeql(text)
    assert (caught.value.line, caught.value.column) == place
    assert caught.value.hint
    assert bench.snapshot == head


def test_a_variable_is_nothing_for_a_view(bench):
    with pytest.raises(KadeQLUnsupportedError, match="which is a variable") as caught:
        bench.kadeql("CREATE VIEW v AS SELECT * FROM mine", tables={"mine": {"a": [1]}})
    assert (caught.value.line, caught.value.column) == (1, 32)


def test_an_error_inside_a_view_points_at_its_use(bench, tmp_path):
    bench.kadeql("CREATE VIEW v AS\n  SELECT a,\n    s::INT AS n FROM t")
    bench.kadeql("CREATE VIEW w AS SELECT n FROM v")
    text = "SELECT 1,\n  sum(n)\nFROM w"
    with pytest.raises(
        KadeQLError, match="In view 'v', line 2, column 6, which view 'w' reads: Could not convert"
    ) as caught:
        bench.kadeql(text)
    assert text[slice(*caught.value.span)] == "w"
    assert caught.value.line == 3
    with pytest.raises(KadeQLError, match="In view 'v', line 2") as caught:
        bench.export(text.replace("w", "v"), tmp_path / "x.csv")
    assert caught.value.line == 3


def test_a_view_over_what_is_gone_says_so_and_the_rest_goes_on(bench):
    bench.kadeql(
        "CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS FROM v; CREATE VIEW other AS SELECT 1 AS x"
    )
    bench.kadeql("ALTER TABLE t RENAME TO t2")
    with pytest.raises(
        KadeQLBindError, match="In view 'v', line 1, column 15, which view 'w' reads: There is no table 't'"
    ) as caught:
        bench.kadeql("FROM w")
    assert "t2" in caught.value.hint
    assert ask(bench, "FROM other") == [(1,)]
    assert ask(bench, "SELECT table_name, is_bound FROM (SELECT view_name AS table_name, is_bound FROM duckdb_views()) ORDER BY 1") == [
        ("other", True), ("v", False), ("w", False),
    ]  # fmt: skip
    bench.kadeql("ALTER TABLE t2 RENAME TO t")
    assert ask(bench, "SELECT count(*) FROM w") == [(4,)]


def test_views_in_a_circle_are_refused_when_the_circle_closes(bench):
    bench.kadeql("CREATE VIEW a AS SELECT 1 AS x; CREATE VIEW b AS FROM a; CREATE VIEW c AS FROM b")
    with pytest.raises(KadeQLBindError, match="circle: 'a' → 'c' → 'b' → 'a'"):
        bench.kadeql("CREATE OR REPLACE VIEW a AS FROM c")
    assert ask(bench, "FROM c") == [(1,)]
    bench.kadeql("DROP VIEW a")
    with pytest.raises(
        KadeQLBindError, match="In view 'b', line 1, column 6, which view 'c' reads: There is no table 'a'"
    ):
        bench.kadeql("FROM c")
    bench.kadeql("ALTER VIEW c RENAME TO a")
    with pytest.raises(KadeQLBindError, match="circle: 'b' → 'a' → 'b'") as caught:
        bench.kadeql("SELECT * FROM b")
    assert (caught.value.line, caught.value.column) == (1, 15)
