"""`with_rowid(t)`: rewritten wherever a table may stand, refused with its place wherever else it does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language import format_text, relocate
from luma_bench.language.placed import Kind

CASES = [
    ("SELECT * FROM with_rowid(t)", 'SELECT * FROM "__luma_rows_t" AS t'),
    ("FROM WITH_ROWID ( TABLE T )", 'FROM "__luma_rows_T" AS T'),
    ('FROM "With_RowId"("my ""t")', 'FROM "__luma_rows_my ""t" AS "my ""t"'),
    ("FROM with_rowid(`my t`)", 'FROM "__luma_rows_my t" AS `my t`'),
    ("FROM with_rowid(main.t)", 'FROM "__luma_rows_t" AS t'),
    ("FROM with_rowid(sales.orders)", 'FROM "__luma_rows_sales.orders" AS orders'),
    (
        "SELECT sales.orders._rowid FROM with_rowid(sales.orders)",
        'SELECT orders._rowid FROM "__luma_rows_sales.orders" AS orders',
    ),
    (
        "FROM with_rowid(a.t), with_rowid(b.t)",
        'FROM "__luma_rows_a.t" AS "a.t", "__luma_rows_b.t" AS "b.t"',
    ),
    ("FROM with_rowid(t) AS f(i, a)", 'FROM "__luma_rows_t" AS f(i, a)'),
    ("FROM with_rowid(t) f JOIN t USING (a)", 'FROM "__luma_rows_t" f JOIN t USING (a)'),
    ("FROM f: with_rowid(t)", 'FROM f: "__luma_rows_t"'),
    ("FROM a JOIN with_rowid(t) ON true", 'FROM a JOIN "__luma_rows_t" AS t ON true'),
    ("FROM a, with_rowid(TABLE t), b", 'FROM a, "__luma_rows_t" AS t, b'),
    ("TABLE with_rowid(t)", 'TABLE "__luma_rows_t"'),
    ("SUMMARIZE with_rowid(t)", 'SUMMARIZE "__luma_rows_t"'),
    ("DESCRIBE with_rowid(t)", 'DESCRIBE "__luma_rows_t"'),
    ("PIVOT with_rowid(t) ON a", 'PIVOT "__luma_rows_t" AS t ON a'),
    ("SELECT (SELECT max(_rowid) FROM with_rowid(t))", 'SELECT (SELECT max(_rowid) FROM "__luma_rows_t" AS t)'),
    ("WITH c AS (FROM with_rowid(t)) FROM c", 'WITH c AS (FROM "__luma_rows_t" AS t) FROM c'),
    ("WITH t AS (FROM with_rowid(t)) FROM t", 'WITH t AS (FROM "__luma_rows_t" AS t) FROM t'),
    ("FROM with_rowid(t) AT (VERSION => 3)", 'FROM "__luma_rows_t @VERSION 3" AS t'),
    ("FROM with_rowid(TABLE t) f AT (TAG => 'x')", 'FROM "__luma_rows_t @TAG x" f '),
    ("FROM with_rowid(t) AS f AT (VERSION => 3)", 'FROM "__luma_rows_t @VERSION 3" AS f '),
    ("FROM with_rowid(t) AT (VERSION => 3) f", 'FROM "__luma_rows_t @VERSION 3"  f'),
    ("FROM f: with_rowid(t) AT (VERSION => 3)", 'FROM f: "__luma_rows_t @VERSION 3" '),
    (
        "SELECT sales.orders.a FROM with_rowid(sales.orders) AT (VERSION => 3)",
        'SELECT orders.a FROM "__luma_rows_sales.orders @VERSION 3" AS orders',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql"), CASES)
def test_the_call_becomes_the_rows(one, text, sql):
    statement = one(text)
    query = getattr(statement, "query", statement)
    assert query.sql == sql
    if not query.pins:
        named = [read for read in query.reads if read.rows]
        assert named
        assert all("with_rowid" in text[slice(*read.span)].casefold() for read in named)
        assert {read.name.casefold() for read in named} <= query.names
    else:
        assert all(pin.rows for pin in query.pins)


def test_a_name_of_its_own_is_none(one):
    assert one("SELECT with_rowid FROM with_rowid").sql == "SELECT with_rowid FROM with_rowid"
    assert one("WITH with_rowid(a) AS (SELECT 1) FROM with_rowid").sql.startswith("WITH with_rowid(a)")
    assert one("FROM t AS with_rowid(a)").sql == "FROM t AS with_rowid(a)"


def test_one_pin_of_a_table_read_both_ways(one):
    for text in ("FROM t AT (VERSION => 3), with_rowid(t) AT (VERSION => 3) r",
                 "FROM with_rowid(t) AT (VERSION => 3) r, t AT (VERSION => 3)"):  # fmt: skip
        (pin,) = one(text).pins
        assert pin.rows


REFUSED = [
    ("SELECT with_rowid(t)", "with_rowid", "FROM with_rowid"),
    ("SELECT a FROM t WHERE with_rowid(t) > 1", "with_rowid", "FROM with_rowid"),
    ("FROM main.with_rowid(t)", "with_rowid", "FROM with_rowid"),
    ("FROM with_rowid()", "with_rowid()", "stored table"),
    ("FROM with_rowid('t')", "'t'", "FROM with_rowid(t)"),
    ("FROM with_rowid('t.csv')", "'t.csv'", "stored table"),
    ("FROM with_rowid($t)", "$t", "stored table"),
    ("FROM with_rowid(t, u)", "t, u", "stored table"),
    ("FROM with_rowid(t.)", "t.", "stored table"),
    ("FROM with_rowid(SELECT 1)", "SELECT 1", "stored table"),
    ("FROM with_rowid((SELECT 1))", "(SELECT 1)", "stored table"),
    ("FROM with_rowid(a.b.c)", "a.b.c", "b.c"),
    ("WITH c AS (SELECT 1) FROM with_rowid(c)", "c", "row_number()"),
    ("FROM with_rowid(information_schema.tables)", "information_schema.tables", "row_number()"),
    ("FROM with_rowid(information_schema.tables) AT (VERSION => 1)", "information_schema.tables", "row_number()"),
    ("FROM with_rowid(duckdb_tables)", "duckdb_tables", "row_number()"),
    ("FROM with_rowid(t AT (VERSION => 3))", "AT", "behind the brackets"),
    ("DELETE FROM t WHERE _rowid = 1", "_rowid", "with_rowid(t)"),
    ("UPDATE t SET a = 1 WHERE t._rowid = 1", "_rowid", "with_rowid(t)"),
    ("DELETE FROM t WHERE a IN (SELECT a FROM with_rowid(t)) AND _rowid = 1", "_rowid", "with_rowid(t)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "hint"), REFUSED)
def test_elsewhere_it_is_refused(read, text, place, hint):
    with pytest.raises(KadeQLError) as caught:
        read(text)
    error = caught.value
    assert isinstance(error, KadeQLUnsupportedError | KadeQLSyntaxError)
    assert error.span is not None
    assert text[slice(*error.span)] == place
    assert hint in (error.hint or "")


def test_in_brackets_of_a_change_row_ids_may_stand(read):
    for text in ("DELETE FROM t WHERE a IN (SELECT a FROM with_rowid(t) WHERE _rowid > 3)",
                 "UPDATE t SET a = (SELECT max(_rowid) FROM with_rowid(u))"):  # fmt: skip
        assert read(text)


def test_carets_stand_in_the_call(one):
    text = "SELECT x,\n  y FROM with_rowid(TABLE sales.orders) JOIN b USING (k)"
    query = one(text)
    start = query.sql.index("__luma_rows_")
    assert text[slice(*query.offsets.span(start, start + 5))] == "with_rowid(TABLE sales.orders)"
    moved = relocate(KadeQLUnsupportedError("m", text=query.sql, span=(query.sql.index("b USING"), query.sql.index(" USING"))), query.offsets, text)  # fmt: skip
    assert text[slice(*moved.span)] == "b"


def test_the_formatter_knows_it(one):
    text = "select a,lag(a) over (order by _rowid) from with_rowid( sales.orders ) f join with_rowid(table t) at (version=>3) on true"
    told = format_text(text)
    assert "FROM with_rowid(sales.orders) f" in told
    assert "JOIN with_rowid(TABLE t) AT (version => 3)" in told.replace("VERSION", "version")
    assert format_text(told) == told
    assert one(told).kind is Kind.SELECT


NAMES = st.sampled_from(
    ["t", "T", '"a b"', '"ü"', '"with_rowid"', "sales.orders", '"s"."my ""t"', "`x y`", "select_"]
)
BLANKS = st.sampled_from(["", " ", "\n", " /* ) */ ", " -- (\n"])


@given(names=st.lists(st.tuples(NAMES, st.booleans(), st.booleans()), min_size=1, max_size=4), blank=BLANKS)
@settings(deadline=None, max_examples=60)
def test_every_reference_is_found(read, names, blank):
    items = []
    for place, (name, table, pinned) in enumerate(names):
        inner = f"{blank}{'TABLE ' if table else ''}{name}{blank}"
        at = " AT (VERSION => 2)" if pinned else ""
        items.append(f"with_rowid{blank}({inner}){at} AS r{place}")
    (query,) = read("SELECT 1 FROM " + ", ".join(items))
    assert "with_rowid(" not in query.sql.replace('"with_rowid"', "")
    assert query.sql.count('"__luma_rows_') == len(names)
    assert sum(read.rows for read in query.reads) == sum(not pinned for *_, pinned in names)
