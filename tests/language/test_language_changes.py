"""Statements that change rows, tables and transactions: their parts, the queries they become, and where carets point."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.language import (
    AddColumn,
    AlterTable,
    Begin,
    CommentOn,
    Commit,
    CreateTable,
    Delete,
    DropColumn,
    Explain,
    Kind,
    Query,
    RenameColumn,
    RenameTable,
    Rollback,
    SetDefault,
    SetNullable,
    SetOptions,
    SetType,
    Truncate,
    Update,
)
from luma_bench.types.schema import rows_relation


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("DELETE FROM t", 'SELECT t._rowid FROM "__luma_rows_t" AS t'),
        ("DELETE FROM t WHERE t.a = 1", 'SELECT t._rowid FROM "__luma_rows_t" AS t WHERE t.a = 1'),
        ("delete from main.t x where x.a > $lo", 'SELECT x._rowid FROM "__luma_rows_t" AS x where x.a > $lo'),
        (
            'DELETE FROM "My t" AS "q""x" WHERE a',
            'SELECT "q""x"._rowid FROM "__luma_rows_My t" AS "q""x" WHERE a',
        ),
        (
            "WITH q AS (SELECT 1 AS i) DELETE FROM t WHERE a IN (FROM q)",
            'WITH q AS (SELECT 1 AS i) SELECT t._rowid FROM "__luma_rows_t" AS t WHERE a IN (FROM q)',
        ),
        (
            "DELETE FROM t WHERE a IN (SELECT a FROM t AT (VERSION => 3))",
            'SELECT t._rowid FROM "__luma_rows_t" AS t WHERE a IN (SELECT a FROM "t @VERSION 3" AS t)',
        ),
        (
            "DELETE FROM t AS x USING u, (FROM w) AS v WHERE x.a = u.a RETURNING x.a",
            'SELECT x._rowid FROM "__luma_rows_t" AS x, u, (FROM w) AS v WHERE x.a = u.a',
        ),
        ("UPDATE t SET a = 1", 'SELECT t._rowid, (1) AS "__luma_set_0" FROM "__luma_rows_t" AS t'),
        (
            "UPDATE t AS x SET a=x.a + 1 -- one\n, b = DEFAULT\nWHERE x.b",
            'SELECT x._rowid, (x.a + 1) AS "__luma_set_0", NULL AS "__luma_set_1" FROM "__luma_rows_t" AS x WHERE x.b',
        ),
        (
            "UPDATE t SET a = b IS DISTINCT FROM 3, c = extract(year FROM d) FROM u JOIN w USING (k) WHERE u.i = t.i",
            (
                'SELECT t._rowid, (b IS DISTINCT FROM 3) AS "__luma_set_0", (extract(year FROM d)) AS "__luma_set_1" '
                'FROM "__luma_rows_t" AS t, u JOIN w USING (k) WHERE u.i = t.i'
            ),
        ),
        (
            "WITH q AS (FROM u) UPDATE t SET a = (SELECT max(x) FROM q WHERE q.x > t.a)",
            (
                'WITH q AS (FROM u) SELECT t._rowid, ((SELECT max(x) FROM q WHERE q.x > t.a)) AS "__luma_set_0" '
                'FROM "__luma_rows_t" AS t'
            ),
        ),
        (
            "UPDATE t SET (a, b) = (x, DEFAULT), c = 3",
            (
                'SELECT t._rowid, (x) AS "__luma_set_0", NULL AS "__luma_set_1", (3) AS "__luma_set_2" '
                'FROM "__luma_rows_t" AS t'
            ),
        ),
        (
            "UPDATE t SET (a, b) = 1",
            'SELECT t._rowid, (1) AS "__luma_set_0", (1) AS "__luma_set_1" FROM "__luma_rows_t" AS t',
        ),
    ],
)
def test_a_change_becomes_a_query(one, inspector, text, sql):
    found = one(text)
    assert isinstance(found, Delete | Update)
    assert found.kind in (Kind.DELETE, Kind.UPDATE)
    assert found.query.sql == sql
    assert [statement.kind for statement in inspector.classify(sql)] == ["SELECT"]
    assert found.source == text


def test_the_parts_of_an_update(read):
    text = 'SELECT 1; UPDATE main.Tab x SET a = 1 + (2), "B c" = DEFAULT WHERE $p > 1'
    _, found = read(text)
    assert isinstance(found, Update)
    assert (found.table, text[slice(*found.table_span)]) == ("Tab", "main.Tab")
    assert [(item.column, item.default) for item in found.assignments] == [("a", False), ("B c", True)]
    assert [text[slice(*item.span)] for item in found.assignments] == ["a", '"B c"']
    assert [text[slice(*item.value)] for item in found.assignments] == ["1 + (2)", "DEFAULT"]
    assert found.query.params == {"p"}
    assert "tab" in found.query.names


@pytest.mark.parametrize(
    "text",
    [
        "WITH x AS (SELECT 1 AS a) SELECT (a) delete FROM x",
        "WITH x AS (SELECT 1 AS a) SELECT (a) update FROM x",
        "FROM update, delete",
        "SELECT commit, begin, rollback, truncate, comment FROM t",
    ],
)
def test_the_words_stay_names(one, text):
    assert isinstance(one(text), Query)
    assert one(text).sql == text


def test_everything_goes_without_a_condition(one):
    assert one("DELETE FROM t").everything
    assert not one("DELETE FROM t WHERE true").everything
    assert one("TRUNCATE main.t").table == one("truncate table t").table == "t"
    assert isinstance(one("TRUNCATE t"), Truncate)


def test_explain_of_a_change_explains_its_query(one):
    found = one("EXPLAIN DELETE FROM t WHERE a = 1")
    assert isinstance(found, Explain)
    assert found.change == "DELETE FROM t"
    assert found.query.sql == 'SELECT t._rowid FROM "__luma_rows_t" AS t WHERE a = 1'
    assert one("EXPLAIN (FORMAT json) WITH q AS (FROM u) UPDATE t SET a = 1").change == "UPDATE t"
    assert one("EXPLAIN SELECT 1").change == ""


@pytest.mark.parametrize(
    ("text", "kind", "read_only"),
    [
        ("BEGIN", Begin, False),
        ("begin transaction", Begin, False),
        ("BEGIN WORK", Begin, False),
        ("START TRANSACTION", Begin, False),
        ("BEGIN READ ONLY", Begin, True),
        ("START TRANSACTION READ WRITE", Begin, False),
        ("COMMIT", Commit, None),
        ("COMMIT WORK", Commit, None),
        ("END TRANSACTION", Commit, None),
        ("ROLLBACK", Rollback, None),
        ("ABORT", Rollback, None),
    ],
)
def test_transaction_statements(one, text, kind, read_only):
    found = one(text)
    assert isinstance(found, kind)
    assert getattr(found, "read_only", None) is read_only


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DROP COLUMN IF EXISTS a CASCADE", DropColumn("a", (36, 37), True, True)),
        ("DROP a", DropColumn("a", (19, 20))),
        ("RENAME a TO b", RenameColumn("a", (21, 22), "b")),
        ("RENAME COLUMN a TO b", RenameColumn("a", (28, 29), "b")),
        ("RENAME TO u", RenameTable("u")),
        ("ALTER a SET NOT NULL", SetNullable("a", (20, 21), False)),
        ("ALTER COLUMN a DROP NOT NULL", SetNullable("a", (27, 28), True)),
        ("ALTER a DROP DEFAULT", SetDefault("a", (20, 21))),
        ("SET (sort_by = (a, b))", SetOptions((("sort_by", ("a", "b"), (19, 35)),))),
        ("SET (sort_by = ())", SetOptions((("sort_by", (), (19, 31)),))),
        (
            "SET (time_column = ts, codec = 'exchange')",
            SetOptions((("time_column", ("ts",), (19, 35)), ("codec", ("exchange",), (37, 55)))),
        ),
    ],
)
def test_alter_table(one, change, expected):
    found = one(f"ALTER TABLE t {change}")
    assert isinstance(found, AlterTable)
    assert (found.table, found.if_exists) == ("t", False)
    assert found.action == expected
    assert one(f"ALTER TABLE IF EXISTS main.t {change}").if_exists


def test_alter_table_with_types_and_values(one):
    added = one("ALTER TABLE t ADD c DECIMAL(10, 2)[] DEFAULT [1.5, 2] NOT NULL").action
    assert isinstance(added, AddColumn)
    assert (added.column.name, added.column.type_sql, added.column.nullable) == (
        "c",
        "DECIMAL(10, 2)[]",
        False,
    )
    assert added.column.default is not None
    assert added.column.default.sql == "SELECT ([1.5, 2]) AS value"
    assert added.probe.sql == 'SELECT CAST(NULL AS DECIMAL(10, 2)[]) AS "c"'
    assert one("ALTER TABLE t ADD COLUMN IF NOT EXISTS c INT").action.if_not_exists
    typed = one("ALTER TABLE t ALTER COLUMN c SET DATA TYPE TIMESTAMP WITH TIME ZONE").action
    assert isinstance(typed, SetType)
    assert typed.probe.sql == 'SELECT CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "c"'
    assert one("ALTER TABLE t ALTER c SET DEFAULT 1 + 2").action.value.sql == "SELECT (1 + 2) AS value"


def test_defaults_in_create_table(one):
    found = one(
        "CREATE TABLE t (a INT DEFAULT 3 NOT NULL, b VARCHAR DEFAULT NULL, c DATE NOT NULL DEFAULT DATE '2026-01-31', d INT)"
    )
    assert isinstance(found, CreateTable)
    assert [None if c.default is None else c.default.source for c in found.columns] == [
        "3",
        "NULL",
        "DATE '2026-01-31'",
        None,
    ]
    assert [c.nullable for c in found.columns] == [False, True, False, True]


def test_comments(one):
    found = one("COMMENT ON TABLE t IS 'it''s'")
    assert isinstance(found, CommentOn)
    assert (found.table, found.column, found.comment) == ("t", None, "it's")
    found = one('COMMENT ON COLUMN main.t."C c" IS NULL')
    assert (found.table, found.column, found.comment) == ("t", "C c", None)
    assert found.whole[slice(*found.column_span)] == '"C c"'
    assert one("COMMENT ON COLUMN t.c IS 'x'").table == "t"


NAMES = st.sampled_from(["t", "flights", '"a b"', "größe", "update", '"q""q"'])
VALUES = st.sampled_from(
    [
        "1",
        "$p",
        "'ü, '' ='",
        "(SELECT max(a) FROM u AT (VERSION => 3))",
        "a IS NOT DISTINCT FROM b",
        "[1, 2]",
        "{'a': 1}",
        "x -- y\n",
    ]
)
CONDITIONS = st.sampled_from(
    ["", " WHERE a = 'é'", "\nWHERE a IN (FROM u AT (TAG => 'x')) -- z", "\tWHERE $q"]
)


@st.composite
def changes(draw) -> str:
    head = draw(st.sampled_from(["", "WITH w AS (SELECT 'ö' AS a)\n"]))
    table, alias = draw(NAMES), draw(st.sampled_from(["", " AS z", " z", " /* DELETE */"]))
    if draw(st.booleans()):
        return f"{head}DELETE FROM {table}{alias}{draw(CONDITIONS)}"
    columns = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    sets = ", ".join(f"{name} = {draw(VALUES)}" for name in columns)
    return f"{head}UPDATE {table}{alias} SET {sets}{draw(CONDITIONS)}"


@settings(deadline=None, max_examples=100)
@given(before=st.sampled_from(["", "SELECT 1;\n", " -- ü\n"]), text=changes())
def test_every_word_of_a_change_keeps_its_place(read, before, text):
    whole = before + text
    found = read(whole)[-1]
    assert isinstance(found, Delete | Update)
    query = found.query
    assert rows_relation(found.table).replace('"', '""') in query.sql
    kept = ""
    for segment in query.offsets.segments:
        if segment.verbatim:
            assert (
                query.sql[segment.new_start : segment.new_end] == whole[segment.old_start : segment.old_end]
            )
            kept += whole[segment.old_start : segment.old_end]
    offsets = [query.offsets.to_source(at) for at in range(len(query.sql) + 1)]
    assert all(found.start <= at <= found.end for at in offsets)
    for item in getattr(found, "assignments", ()):
        value = whole[slice(*item.value)]
        assert "AT (" in value or value in kept
