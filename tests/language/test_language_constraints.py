"""Constraints, generated columns, computed defaults and sequences as they are read: what stands where, and what is refused."""

from __future__ import annotations

import pytest

from luma_bench.errors import KadeQLError, KadeQLUnsupportedError
from luma_bench.language import (
    AddColumn,
    AddConstraint,
    CheckDef,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    DropConstraint,
    DropSequence,
    ForeignDef,
    KeyDef,
    Query,
    SetDefault,
    UniqueDef,
    parse,
)


def one(text, inspector):
    (statement,) = parse(text, inspector)
    return statement


def test_every_constraint_of_a_table(inspector):
    text = """CREATE TABLE t (
        id BIGINT PRIMARY KEY, a INT CHECK (a > 0) UNIQUE, b INT CONSTRAINT sure REFERENCES u,
        c INT NOT NULL DEFAULT 3 CHECK (c < 9), CONSTRAINT pair UNIQUE (a, b), CHECK (a < t.b),
        FOREIGN KEY (a, b) REFERENCES u (x, y) ON DELETE NO ACTION ON UPDATE RESTRICT)"""
    made = one(text, inspector)
    assert isinstance(made, CreateTable)
    assert made.primary_key == ("id",)
    kinds = [type(item) for item in made.constraints]
    assert kinds == [CheckDef, UniqueDef, ForeignDef, CheckDef, UniqueDef, CheckDef, ForeignDef]
    assert [item.name for item in made.constraints] == [None, None, "sure", None, "pair", None, None]
    first, unique, foreign, *_, pair, last_check, last = made.constraints
    assert first.expression.text == "a > 0"
    assert text[slice(*first.span)] == "CHECK (a > 0)"
    assert unique.columns == ("a",)
    assert pair.columns == ("a", "b")
    assert (foreign.table, foreign.referenced) == ("u", ())
    assert (last.columns, last.referenced) == (("a", "b"), ("x", "y"))
    assert [(place.name, place.table) for place in last_check.expression.names] == [
        ("a", None),
        ("t", None),
        ("b", "t"),
    ]


def test_generated_columns_with_and_without_a_type(inspector):
    made = one(
        "CREATE TABLE t (a INT, b INT GENERATED ALWAYS AS (a + 1) STORED, c AS (b || 'x') VIRTUAL, d AS (a))",
        inspector,
    )
    a, b, c, d = made.columns
    assert a.generated is None
    assert (b.type_sql, b.generated.text) == ("INT", "a + 1")
    assert (c.type_sql, c.generated.text) == ("", "b || 'x'")
    assert d.generated.text == "a"


def test_a_default_is_a_constant_or_computed(inspector):
    made = one(
        "CREATE TABLE t (a INT DEFAULT 3, b TIMESTAMP DEFAULT now(), c UUID DEFAULT uuid(), d INT DEFAULT nextval('s') * 2)",
        inspector,
    )
    a, b, c, d = made.columns
    assert a.default is not None
    assert a.computed_default is None
    assert not b.computed_default.per_row
    assert c.computed_default.per_row
    assert d.computed_default.per_row
    (use,) = d.computed_default.sequences
    assert (use.function, use.name) == ("nextval", "s")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ADD CHECK (a > 1)", CheckDef),
        ("ADD CONSTRAINT c CHECK (a > 1)", CheckDef),
        ("ADD UNIQUE (a, b)", UniqueDef),
        ("ADD PRIMARY KEY (a)", KeyDef),
        ("ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (b)", ForeignDef),
    ],
)
def test_constraints_are_added(text, kind, inspector):
    action = one(f"ALTER TABLE t {text}", inspector).action
    assert isinstance(action, AddConstraint)
    assert isinstance(action.constraint, kind)


def test_constraints_are_dropped_by_name(inspector):
    assert one("ALTER TABLE t DROP CONSTRAINT c", inspector).action == DropConstraint("c", (30, 31))
    assert one("ALTER TABLE t DROP CONSTRAINT IF EXISTS c", inspector).action.if_exists


def test_columns_are_added_with_what_they_need(inspector):
    action = one("ALTER TABLE t ADD COLUMN c INT DEFAULT now() CHECK (c > 1) UNIQUE", inspector).action
    assert isinstance(action, AddColumn)
    assert action.ruled
    assert len(action.constraints) == 2
    changed = one("ALTER TABLE t ALTER c SET DEFAULT uuid()", inspector).action
    assert isinstance(changed, SetDefault)
    assert changed.computed is not None
    assert changed.value is None


def test_names_before_as(inspector):
    made = one('CREATE TABLE t (x, "y z") AS SELECT 1, 2', inspector)
    assert isinstance(made, CreateTableAs)
    assert made.columns == ("x", "y z")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("CREATE SEQUENCE s", (None, 1, None, None, False)),
        ("CREATE SEQUENCE s START 5 INCREMENT BY 2", (5, 2, None, None, False)),
        ("CREATE SEQUENCE s START WITH 5 INCREMENT -1 NO MINVALUE MAXVALUE 9 CYCLE", (5, -1, None, 9, True)),
        ("CREATE SEQUENCE s MINVALUE -3 NO CYCLE", (None, 1, -3, None, False)),
    ],
)
def test_sequences_are_made(text, wanted, inspector):
    made = one(text, inspector)
    assert isinstance(made, CreateSequence)
    assert (made.start_with, made.increment, made.smallest, made.largest, made.cycle) == wanted


def test_sequences_are_dropped(inspector):
    made = one("DROP SEQUENCE IF EXISTS s", inspector)
    assert isinstance(made, DropSequence)
    assert made.if_exists
    assert made.name == "s"


def test_a_query_says_which_sequences_it_takes_values_of(inspector):
    query = one("SELECT nextval('s'), nextval('S'), currval('other'), nextval('sales.q') FROM t", inspector)
    assert isinstance(query, Query)
    assert [(use.function, use.name, use.alias) for use in query.sequences] == [
        ("nextval", "s", "s"), ("nextval", "S", "s"), ("currval", "other", "other"), ("nextval", "sales.q", "sales.q"),
    ]  # fmt: skip
    assert query.volatile
    assert "nextval('\"sales.q\"')" in query.sql


@pytest.mark.parametrize(
    ("marked", "told"),
    [
        ("CREATE TABLE t (a INT CHECK ((«SELECT» 1) > a))", "subquery"),
        ("CREATE TABLE t (a INT CHECK («a > $p»))", "parameter"),
        ("CREATE TABLE t (a INT CHECK (a > «nextval('s')»))", "sequence"),
        ("CREATE TABLE t (a INT, b DOUBLE AS («random() + a»))", "same for the same row"),
        ("CREATE TABLE t (a INT DEFAULT «currval('s')»)", "new values"),
        ("CREATE TABLE t (a INT, b INT DEFAULT 3 «AS (a)»)", "default"),
        ("CREATE TABLE t (a INT REFERENCES u ON DELETE «CASCADE»)", "CASCADE"),
        ("CREATE TABLE t (a INT REFERENCES u ON UPDATE «SET» NULL)", "SET NULL"),
        ("CREATE TABLE t (a INT REFERENCES u «MATCH» FULL)", "MATCH"),
        ("CREATE TABLE t (a INT UNIQUE «DEFERRABLE»)", "deferred"),
        ("CREATE TABLE t (a VARCHAR «COLLATE» nocase)", "COLLATE"),
        ("DROP SEQUENCE s «CASCADE»", "CASCADE"),
        ("CREATE SEQUENCE s «OWNED» BY t.a", "OWNED BY"),
        ("CREATE SEQUENCE s «CACHE» 20", "CACHE"),
        ("SELECT «nextval»(x) FROM t", "not named"),
        ("CREATE SEQUENCE s START «x»", "whole number"),
        ("CREATE SEQUENCE s CYCLE «CYCLE»", "once"),
        ("ALTER TABLE t DROP «UNIQUE» (a)", "DROP UNIQUE"),
        ("CREATE TABLE t (a INT CHECK («)»)", "expression"),
        ("CREATE TABLE t (a INT, UNIQUE (a, «A»))", "once"),
    ],
)
def test_refused_with_its_place(marked, told, inspector):
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(KadeQLError) as caught:
        parse(text, inspector)
    assert told.casefold() in str(caught.value).casefold()
    assert caught.value.span == (start, end)
    assert caught.value.hint


def test_what_is_refused_by_name_says_so(inspector):
    with pytest.raises(KadeQLUnsupportedError, match="setval"):
        parse("SELECT setval('s', 3)", inspector)
