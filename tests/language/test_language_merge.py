"""INSERT, UPDATE … FROM, MERGE and RETURNING as statements: their parts, the queries they become, their places in the text."""

from __future__ import annotations

import pytest

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language import AnalyzeChange, Explain, Insert, Kind, Merge, Update, composed

TYPES = ["INTEGER"] * 9


def test_the_parts_of_a_merge(read) -> None:
    text = (
        "SELECT 1; WITH c AS (SELECT 1 AS id) MERGE INTO main.t AS x USING c ON x.id = c.id AND $p > 1 "
        "WHEN MATCHED AND CASE WHEN x.a > 1 THEN true END THEN UPDATE SET a = $v, (b, d) = (1, DEFAULT) "
        "WHEN NOT MATCHED THEN INSERT (id, a) VALUES (c.id, CASE WHEN matched THEN 2 END) "
        "WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN MATCHED THEN DO NOTHING "
        "RETURNING merge_action, *, x.a + $q AS k"
    )
    found = read(text)[-1]
    assert isinstance(found, Merge)
    assert found.kind is Kind.MERGE
    assert (found.table, found.shown, found.source_name) == ("t", "x", "c")
    assert text[slice(*found.join.span)] == "ON x.id = c.id AND $p > 1"
    assert [(item.match, item.action) for item in found.clauses] == [
        ("matched", "update"),
        ("target", "insert"),
        ("source", "delete"),
        ("matched", "nothing"),
    ]
    first, second = found.clauses[:2]
    assert first.condition is not None
    assert text[slice(*first.condition.span)] == "CASE WHEN x.a > 1 THEN true END"
    assert [(item.assignment.column, item.assignment.default) for item in first.given] == [
        ("a", False),
        ("b", False),
        ("d", True),
    ]
    assert first.given[0].value.params == {"v"}
    assert [text[slice(*item.value.span)] for item in second.given] == [
        "c.id",
        "CASE WHEN matched THEN 2 END",
    ]
    assert found.sources.sql == "WITH c AS (SELECT 1 AS id) SELECT * FROM c"
    assert found.returning is not None
    assert found.returning.query.params == {"q"}
    assert "merge_action, x.*, x.a + $q AS k" in found.returning.query.sql


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("s", "s"),
        ("main.s", "s"),
        ("s AS q", "q"),
        ('s "q r"', '"q r"'),
        ("q: s", "q"),
        ("(SELECT 1 AS id)", '"unnamed_subquery"'),
        ("(SELECT 1 AS id) AS q(id)", "q"),
        ("(VALUES (1)) q(id)", "q"),
        ("range(3) r(id)", "r"),
        ("s AT (VERSION => 3)", "s"),
        ("s AT (VERSION => 3) AS q", "q"),
        ("s JOIN u USING (id)", ""),
        ("(s JOIN u ON s.id = u.id)", ""),
    ],
)
def test_what_a_merge_calls_its_source(one, source: str, name: str) -> None:
    found = one(f"MERGE INTO t USING {source} USING (id) WHEN MATCHED THEN DELETE")
    assert isinstance(found, Merge)
    assert found.source_name == name


def test_the_parts_of_an_insert(one) -> None:
    text = (
        "WITH c AS (SELECT 1) INSERT INTO t AS q (a, b) VALUES (DEFAULT, $x), (1, DEFAULT) "
        "ON CONFLICT (a) DO UPDATE SET b = excluded.b, c = q.c WHERE q.c > $y RETURNING b"
    )
    found = one(text)
    assert isinstance(found, Insert)
    assert (found.columns, found.defaulted, found.in_memory) == (("a", "b"), (0, 1), True)
    assert found.query is not None
    assert found.query.sql == "WITH c AS (SELECT 1) VALUES ( NULL, $x, True, False), (1, NULL, False, True)"
    assert found.query.params == {"x"}
    assert [text[slice(*span)] for span in found.column_spans] == ["a", "b"]
    assert text[slice(*found.rows)] == "VALUES (DEFAULT, $x), (1, DEFAULT)"
    conflict = found.conflict
    assert conflict is not None
    assert conflict.query is not None
    assert (conflict.action, conflict.columns) == ("update", ("a",))
    assert text[slice(*conflict.span)] == "ON CONFLICT (a)"
    assert conflict.query.params == {"y"}
    assert composed(conflict.pieces, TYPES)[0] == (
        'WITH c AS (SELECT 1) SELECT "__luma_n", CAST((excluded.b) AS INTEGER) AS "__luma_set_0", '
        'CAST((q.c) AS INTEGER) AS "__luma_set_1" FROM "__luma_old" AS q POSITIONAL JOIN "__luma_new" WHERE q.c > $y'
    )


@pytest.mark.parametrize(
    ("text", "action", "columns"),
    [
        ("INSERT OR REPLACE INTO t VALUES (1)", "replace", ()),
        ("INSERT OR IGNORE INTO t VALUES (1)", "nothing", ()),
        ("INSERT INTO t FROM s ON CONFLICT DO NOTHING", "nothing", ()),
        (
            "INSERT INTO t SELECT * FROM s JOIN u ON conflict = 1 ON CONFLICT (a, b) DO NOTHING",
            "nothing",
            ("a", "b"),
        ),
    ],
)
def test_how_an_insert_meets_known_keys(one, text: str, action: str, columns: tuple[str, ...]) -> None:
    found = one(text)
    assert isinstance(found, Insert)
    assert found.conflict is not None
    assert (found.conflict.action, found.conflict.columns) == (action, columns)


def test_a_second_with_list_keeps_its_place(one) -> None:
    found = one("WITH a AS (SELECT 1 AS x) INSERT INTO t WITH b AS (FROM a) SELECT x FROM b")
    assert found.query.sql == "WITH a AS (SELECT 1 AS x) FROM (WITH b AS (FROM a) SELECT x FROM b)"
    assert one("INSERT INTO t DEFAULT VALUES RETURNING *").query is None


def test_carets_of_a_composed_query_point_at_the_words(one) -> None:
    text = "UPDATE t SET (a, b) = (SELECT x, y FROM u WHERE u.i = t.i), c = 'ü' FROM w WHERE w.k = t.k"
    found = one(text.replace(", c = 'ü'", ""))
    assert isinstance(found, Update)
    sql, offsets = composed(found.pieces, TYPES)
    at = sql.index("w.k = t.k")
    assert found.whole[slice(*offsets.span(at, at + 3))] == "w.k"
    at = sql.rindex("u.i = t.i")
    assert found.whole[slice(*offsets.span(at, at + 9))] == "u.i = t.i"
    at = sql.index("UNION")
    assert "SELECT x, y" in found.whole[slice(*offsets.span(at, at + 5))]


def test_explain_takes_every_change(one) -> None:
    for text, shown in [
        ("INSERT INTO t VALUES (1)", "INSERT INTO t"),
        ("MERGE INTO t USING s USING (id) WHEN MATCHED THEN DELETE", "MERGE INTO t"),
        ("WITH c AS (FROM u) DELETE FROM t USING c WHERE c.i = t.i", "DELETE FROM t"),
    ]:
        found = one(f"EXPLAIN {text}")
        assert isinstance(found, Explain)
        assert found.change == shown
        ran = one(f"EXPLAIN (ANALYZE, FORMAT json) {text}")
        assert isinstance(ran, AnalyzeChange)
        assert ran.changed.source == text


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("MERGE «t» USING s ON true WHEN MATCHED THEN DELETE", "INTO after MERGE"),
        ("MERGE INTO t «ON» true WHEN MATCHED THEN DELETE", "USING"),
        ("MERGE INTO t USING s «WHEN» MATCHED THEN DELETE", "ON or USING"),
        ("MERGE INTO t USING s ON true«»", "WHEN MATCHED"),
        ("MERGE INTO t USING s ON true WHEN NOT MATCHED THEN «DELETE»", "none"),
        ("INSERT OR «ABORT» INTO t VALUES (1)", "REPLACE or IGNORE"),
        ("INSERT OR REPLACE INTO t VALUES (1) «ON CONFLICT» DO NOTHING", "already"),
        ("INSERT INTO t (a, «a») VALUES (1, 2)", "twice"),
        ("UPDATE t SET (a, b) = «(1, 2, 3)»", "2 columns are set to 3"),
        ("UPDATE t SET (a, b) = «(SELECT 1)» WHERE c", "2 columns are set to 1"),
        ("UPDATE t SET (a, «a») = (1, 2)", "twice"),
    ],
)
def test_a_wrong_statement_is_told_where(one, marked: str, expected: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(KadeQLSyntaxError, match=expected) as caught:
        one(text)
    assert caught.value.span == (marked.index("«"), marked.index("»") - 1)


@pytest.mark.parametrize(
    "text", ["SELECT merge, conflict, returning_, excluded, matched FROM t", "SELECT 1 AS returning"]
)
def test_the_words_stay_names(one, text: str) -> None:
    assert one(text).kind is Kind.SELECT
