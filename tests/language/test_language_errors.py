"""Syntax errors point into the user's own text and say what was expected or probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLSyntaxError, LumaError

CASES = [
    ("«SELEC» a FROM t", "No statement begins with SELEC", "SELECT"),
    ("«CRATE» TABLE t (a INT)", "No statement begins", "CREATE"),
    ("«insrt» INTO t VALUES (1)", "No statement begins", "INSERT"),
    ("«fly» me", "No statement begins with fly", "TAG SNAPSHOT"),
    ("«42»", "No statement begins with 42", "SELECT"),
    ("«'select 1'»", "No statement begins", "SELECT"),
    ("SELECT a FROM t «GRUP» BY a", "GRUP is not expected", "Did you mean GROUP?"),
    ("SELECT a «FORM» t", "FORM is not expected", "Did you mean FROM?"),
    ("SELECT a FROM t «WHER» x = 1", "WHER is not expected", "Did you mean WHERE?"),
    ("SELECT a\r\nFROM t\r\n\t«ODER» BY a", "ODER is not expected", "Did you mean ORDER?"),
    ("SELECT a FROM t ORDER BY a «LIMTI» 3", "LIMTI is not expected", "Did you mean LIMIT?"),
    ("CREATE TABLE t AS SELECT a «FORM» u", "FORM is not expected", "Did you mean FROM?"),
    ("INSERT INTO t SELECT a FROM u «WHRE» x", "WHRE is not expected", "Did you mean WHERE?"),
    ("EXPLAIN ANALYZE SELECT a FROM t «GRUP» BY a", "GRUP is not expected", "Did you mean GROUP?"),
    ("SELECT a FROM t AT (VERSION => 3) «GRUP» BY a", "GRUP is not expected", "Did you mean GROUP?"),
    ("SELECT * FROM t AT (VERSION => 3) x «y» z", "near", None),
    ("SELECT «(»a FROM t", "( is never closed", "Close it with )"),
    ("SELECT a«)» FROM t", ") closes nothing", "open it with ("),
    ("SELECT [1, (2«]») FROM t", "] closes nothing", "open it with ["),
    ("SELECT «{»'a': 1 FROM t", "{ is never closed", "}"),
    ("SELECT 1; SELECT «(»2; SELECT 3", "( is never closed", "Close it with )"),
    ("EXPLAIN«»", "a query after EXPLAIN, found the end", "EXPLAIN [ANALYZE]"),
    ("EXPLAIN (FORMAT «tree») SELECT 1", "text or json after FORMAT, found tree", "FORMAT text|json"),
    ("EXPLAIN («VERBOSE») SELECT 1", "FORMAT or ANALYZE", "EXPLAIN"),
    ("EXPLAIN (FORMAT json «ANALYZE») SELECT 1", ") after the options", "EXPLAIN"),
    ("EXPLAIN «SELCT» 1", "No statement begins with SELCT", "SELECT"),
    ("SUMMARIZE«»", "a table or a query, found the end", "SUMMARIZE t"),
    ("SHOW TABLES «x»", "the end of the statement after SHOW TABLES, found x", None),
    ("TAG «SNAPSHO» 'x'", "SNAPSHOT after TAG, found SNAPSHO", "TAG SNAPSHOT 'name'"),
    ("TAG SNAPSHOT «x»", "in single quotes, found x", "TAG SNAPSHOT 'name'"),
    ("TAG SNAPSHOT 'x' «y»", "the end of the statement", None),
    ("TAG SNAPSHOT «''»", "needs a name", "TAG SNAPSHOT 'name'"),
    ("CREATE «TABEL» t (a INT)", "TABLE after CREATE, found TABEL", "CREATE TABLE"),
    ("CREATE TABLE «(»a INT)", "a table's name, found (", None),
    ("CREATE TABLE «select» (a INT)", "a table's name, found select", 'quote it: "select"'),
    ("CREATE TABLE t«»", "( or AS after the table's name", "CREATE TABLE t AS SELECT"),
    ("CREATE TABLE t (a«)»", "a type for the column a", "BIGINT"),
    ("CREATE TABLE t (a INT,«,» b INT)", "a column's name, found ,", None),
    ("CREATE TABLE t («)»", "a column's name", None),
    (
        "CREATE TABLE t (a INT «NOT» b)",
        "NOT NULL, DEFAULT, PRIMARY KEY, UNIQUE, CHECK, REFERENCES, a comma or ), found NOT",
        "BIGINT",
    ),
    ("CREATE TABLE t (a INT, «A INT»)", "stands twice", "case"),
    ("CREATE TABLE t (a INT, «PRIMARY KEY (b)»)", "names no column 'b'", "The columns are: a."),
    ("CREATE TABLE t (PRIMARY KEY (a)«)»", "a column", "CREATE TABLE"),
    ("CREATE TABLE t (a INT PRIMARY KEY, «PRIMARY KEY (a)»)", "one primary key", "once"),
    ("CREATE TABLE t (a INT, «PRIMARY KEY (a, a)»)", "twice", "once"),
    ("CREATE TABLE t (a INT) «x»", "the end of the statement after the columns", None),
    ("CREATE OR REPLACE TABLE «IF NOT EXISTS» t (a INT)", "contradict", "one of them"),
    ("CREATE TABLE t AS «DELETE» FROM u", "a query after AS, found DELETE", "CREATE TABLE t AS SELECT"),
    ("INSERT «t» VALUES (1)", "INTO after INSERT, found t", "INSERT INTO"),
    ("INSERT INTO t «x» VALUES (1)", "a query or VALUES, found x", "INSERT INTO t"),
    ("INSERT INTO t (a, «A») VALUES (1, 2)", "stands twice", "once"),
    ("INSERT INTO t (a «b») VALUES (1)", "a comma or )", "INSERT INTO"),
    ("INSERT INTO t «(a)» BY NAME SELECT 1", "BY NAME takes the names", "Leave"),
    ("DROP «TABEL» t", "TABLE after DROP, found TABEL", "DROP TABLE"),
    ("DROP TABLE «»", "a table's name, found the end", None),
    ("DROP TABLE t «x»", "the end of the statement", None),
    ("DELETE «t»", "FROM after DELETE, found t", "DELETE FROM t"),
    ("DELETE FROM «»", "a table's name", None),
    ("DELETE FROM t x «y»", "RETURNING or the end of the statement, found y", "WHERE"),
    ("DELETE FROM t WHERE a = 1 «LIMIT» 1", "LIMIT", None),
    ("DELETE FROM t WHERE a = 1 «GROUP» BY a", "GROUP", None),
    ("DELETE FROM t WHERE«»", "Expected a condition after WHERE", "Write a condition"),
    ("UPDATE t «WHERE» a = 1", "SET after the table's name, found WHERE", "UPDATE t SET"),
    ("UPDATE t SET a «+» 1", "= after the column's name", "column = value"),
    ("UPDATE t SET a =«»", "a value for the column a", "column = value"),
    ("UPDATE t SET a = 1, «A» = 2", "is set twice", "once"),
    ("UPDATE t SET a = 1 «ORDER» BY a", "ORDER", None),
    ("UPDATE t SET a = 1 «b» = 2", "b", None),
    ("TRUNCATE t«,» u", "the end of the statement", None),
    ("ALTER «VIEWS» v", "TABLE after ALTER", "ALTER TABLE"),
    ("ALTER TABLE t «»", "what to change, found the end", "ADD COLUMN"),
    ("ALTER TABLE t «FLIP» a", "ADD, DROP, RENAME, ALTER, SET or RESET, found FLIP", "ADD COLUMN"),
    ("ALTER TABLE t ADD COLUMN c «»", "a type for the column c", "ADD COLUMN"),
    ("ALTER TABLE t ALTER c «SET» x", "SET DATA TYPE, SET or DROP DEFAULT", "ALTER COLUMN c"),
    ("ALTER TABLE t RENAME a «b»", "TO and the new name, found b", "RENAME"),
    ("ALTER TABLE t SET («nope» = 1)", "an option of the table", "sort_by"),
    ("ALTER TABLE t SET (sort_by = (a «b»))", "a comma or ) after a name", "sort_by"),
    ("COMMENT ON TABLE t IS «3»", "the comment in single quotes, or NULL", "IS NULL"),
    ("COMMENT ON COLUMN t «IS» 'x'", ". and a column's name", "COLUMN t.c"),
    ("BEGIN READ «SOMETIMES»", "ONLY or WRITE after READ", "READ ONLY"),
    ("BEGIN «x»", "the end of the statement after BEGIN", None),
    ("START «x»", "TRANSACTION after START", "BEGIN"),
    ("COMMIT «x»", "the end of the statement after COMMIT", None),
]


@pytest.mark.parametrize("prefix", ["", "SELECT 1 ; -- ü\n"], ids=["alone", "second"])
@pytest.mark.parametrize(("marked", "message", "hint"), CASES)
def test_a_syntax_error_has_its_place_and_advice(read, prefix, marked, message, hint):
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(LumaError) as caught:
        read(prefix + text)
    error = caught.value
    assert message in error.plain
    if hint is not None:
        assert hint in (error.hint or "")
    if start == end:
        start = end = len(text.rstrip())
    if message == "near":
        assert error.span is not None
        start, end = (at - len(prefix) for at in error.span)
        assert 0 <= start <= end <= len(text)
        return
    assert error.span == (len(prefix) + start, len(prefix) + end)
    shown = (prefix + text)[: len(prefix) + start]
    assert (error.line, error.column) == (shown.count("\n") + 1, len(shown) - (shown.rfind("\n") + 1) + 1)


@pytest.mark.parametrize("text", ["", "   \n\t", ";;;", "-- nothing\n", "/* nothing */ ;"])
def test_an_empty_text_is_an_error(read, text):
    with pytest.raises(KadeQLSyntaxError, match="holds no statement"):
        read(text)


def test_the_caret_stands_under_its_character_behind_tabs_and_wide_letters(read):
    with pytest.raises(KadeQLSyntaxError) as caught:
        read("SELECT 1;\n\tTAG ß 'x'")
    assert str(caught.value).split("\n")[1:3] == ["line 2: \tTAG ß 'x'", " " * 8 + "\t" + " " * 4 + "^"]


def test_a_word_that_would_not_help_is_not_suggested(read):
    with pytest.raises(KadeQLSyntaxError) as caught:
        read("SELECT a, FROM t WHERE WHERE x")
    assert "Did you mean" not in (caught.value.hint or "")


WORDS = st.sampled_from(
    [
        "SELECT", "FROM", "t", "u", "a", "*", ",", "(", ")", "AT", "(VERSION => 3)", "(TAG => 'x')", "JOIN", "ON", "WITH", "AS",
        "WHERE", "=", "1", "'s'", '"q"', "$p", "?", "$1", ";", "EXPLAIN", "ANALYZE", "(FORMAT json)", "DESCRIBE", "SUMMARIZE",
        "SHOW", "TABLES", "CREATE", "TABLE", "OR", "REPLACE", "INSERT", "INTO", "VALUES", "(1)", "DROP", "IF", "EXISTS", "NOT",
        "NULL", "PRIMARY", "KEY", "TAG", "SNAPSHOT", "MATCH", "RETURN", "SAMPLE", "BY", "LATEST", "PARTITION", "TUMBLE", "SEARCH",
        "SCORE", "ASOF", "TOLERANCE", "INTERVAL", "LIMIT", "EXACT", "<", "#>", "+", ">", "--", "\n", "/*", "*/", "'", '"', "$$", "`",
        "[", "]", "{", "}", ":", ".", "::", "INT", "main", "query", "read_csv", "DELETE", "UPDATE", "PIVOT", "USING", "é", "\t", "\r\n",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(words=st.lists(WORDS, max_size=14), glue=st.sampled_from([" ", "", "\n"]))
def test_no_text_fails_with_anything_but_an_error_of_ours(read, words, glue):
    text = glue.join(words)
    try:
        statements = read(text)
    except LumaError as error:
        span = getattr(error, "span", None)
        assert span is None or 0 <= span[0] <= span[1] <= len(text)
        return
    assert statements
    for statement in statements:
        assert statement.source == text[statement.start : statement.end]


@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=30))
def test_no_characters_fail_with_anything_but_an_error_of_ours(read, text):
    try:
        read(text)
    except LumaError:
        return
