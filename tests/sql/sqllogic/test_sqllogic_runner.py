"""The runner of sqllogictest files: it reads the format, finds what is wrong, and says what is refused."""

from __future__ import annotations

import textwrap
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from sqllogic_answer import Answer, differs, written
from sqllogic_file import FileRun, Outcome
from sqllogic_page import page
from sqllogic_pool import Limits, run_files
from sqllogic_rules import own_rule
from sqllogic_settings import setting
from sqllogic_text import LoopRecord, QueryRecord, StatementRecord, UnreadableError, read


def run(folder: Path, text: str) -> Outcome:
    """The outcome of one file, run here."""
    place = folder / "test" / "sql" / "mine"
    place.mkdir(parents=True, exist_ok=True)
    path = place / "one.test"
    path.write_text(textwrap.dedent(text))
    return FileRun(folder, path, folder / "scratch").run("test/sql/mine/one.test")


def test_records_loops_and_conditions_are_read() -> None:
    records = read(
        textwrap.dedent("""\
        # a comment
        statement ok
        CREATE TABLE t (
          a INTEGER)

        foreach kind <signed> varchar !bigint

        onlyif kind=varchar
        query IT rowsort label
        SELECT a, '{kind}'
        FROM t
        ----
        1	x

        endloop

        mode skip

        statement ok
        nothing of this

        mode unskip

        statement error con1
        SELECT
        ----
        some words
        """)
    )
    first, loop, last = records
    assert isinstance(first, StatementRecord)
    assert (first.line, first.sql, first.expect) == (2, "CREATE TABLE t (\n  a INTEGER)", "ok")
    assert isinstance(loop, LoopRecord)
    assert loop.values == ("tinyint", "smallint", "integer", "hugeint", "varchar")
    (query,) = loop.body
    assert isinstance(query, QueryRecord)
    assert (query.columns, query.sort, query.label, query.expected) == (2, "rows", "label", ("1\tx",))
    assert [query.when[0].runs({"kind": kind}) for kind in ("varchar", "tinyint")] == [True, False]
    assert isinstance(last, StatementRecord)
    assert (last.expect, last.connection) == ("error", "con1")


@pytest.mark.parametrize(
    ("expected", "right"),
    [
        (("1\tx", "2.5\tNULL"), True),
        (("1", "x", "2.5", "NULL"), True),
        (("1.0000001\tx", "2.5\tNULL"), True),
        (("1\t<REGEX>:[xyz]", "2.5\tNULL"), True),
        (("1\t<!REGEX>:[xyz]", "2.5\tNULL"), False),
        (("1\ty", "2.5\tNULL"), False),
        (("1\tx", "3.5\tNULL"), False),
        (("1\tx",), False),
        (("4 values hashing to 7a3af8e0be0b5cd2ffa1cb8a7b1f8b0f",), False),
    ],
)
def test_answers_are_compared_as_the_format_does(expected: tuple[str, ...], right: bool) -> None:
    answer = Answer(("1.0", "x", "2.5", "NULL"), ("double", "varchar"))
    assert (not differs(answer, expected)) is right
    assert not differs(answer, (answer.hashed(),))


def test_values_are_written_as_the_format_writes_them() -> None:
    table = pa.table({"b": [True, None], "s": ["", "a\0b"], "n": pa.array([1, 2], pa.decimal128(5, 2))})
    answer = written(table, duckdb.connect())
    assert answer.values == ("1", "(empty)", "1.00", "NULL", "a\\0b", "2.00")
    assert answer.sorted("rows").values[:3] == ("1", "(empty)", "1.00")


@pytest.mark.parametrize(
    ("sql", "effect"),
    [
        ("PRAGMA enable_verification", "none"),
        ("SET threads=1;", "none"),
        ("CHECKPOINT", "none"),
        ("SET default_null_order='nulls_first'", "engine"),
        ("RESET default_null_order", "engine"),
        ("set timezone = 'Europe/Oslo'", "zone"),
        ("SET default_null_order = concat('a', 'b')", None),
        ("SET search_path = 's'", None),
        ("SELECT 1", None),
    ],
)
def test_settings_are_left_out_or_handed_on(sql: str, effect: str | None) -> None:
    found = setting(sql)
    assert (found.effect if found else None) == effect


def test_a_file_passes(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """\
        statement ok
        SET default_null_order='nulls_first'

        statement ok
        CREATE TABLE t (a INTEGER, b VARCHAR)

        query I
        INSERT INTO t VALUES (2, 'x'), (1, NULL)
        ----
        2

        loop i 0 2

        query IT rowsort same
        SELECT a + {i} - {i}, b FROM t
        ----
        1	NULL
        2	x

        endloop

        query T
        SELECT b FROM t ORDER BY b
        ----
        NULL
        x

        restart

        statement error
        SELECT nothing FROM t
        ----
        whatever it says

        query I con1
        SELECT count(*) FROM t
        ----
        2
        """,
    )
    assert (outcome.verdict, outcome.reason) == ("passed", "")
    assert outcome.ran == 8


def test_a_wrong_answer_is_found_unless_duckdb_gives_it_too(tmp_path: Path) -> None:
    stale = run(tmp_path, "query I\nSELECT 1 + 1\n----\n3\n")
    assert stale.verdict == "passed"  # what the file says is of another version

    class Liar(FileRun):
        def _ask_peer(self, record: object) -> tuple[Answer | None, str]:
            return Answer(("3",), ("integer",)), ""

    path = tmp_path / "test" / "sql" / "mine" / "one.test"
    outcome = Liar(tmp_path, path, tmp_path / "liar").run("one.test")
    assert outcome.verdict == "WRONG"
    assert "line 1" in outcome.reason
    assert "expected '3'" in outcome.reason


def test_refusals_are_counted_and_queries_behind_them_run(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """\
        query I
        SELECT * FROM duckdb_settings()
        ----
        1

        query I
        SELECT 7
        ----
        7

        statement ok
        CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW SELECT 1

        statement ok
        SELECT this would not run
        """,
    )
    assert outcome.verdict == "refused"
    assert len(outcome.refusals) == 2
    assert outcome.ran == 1


def test_what_is_not_here_is_skipped(tmp_path: Path) -> None:
    assert run(tmp_path, "require tpch\n\nstatement ok\nnonsense\n").reason == "require tpch"
    assert run(tmp_path, "bogus line\n").verdict == "skipped"
    with pytest.raises(UnreadableError):
        read("skipif a<\nstatement ok\nSELECT 1\n")


def test_workers_give_every_outcome_and_end_what_is_late(tmp_path: Path) -> None:
    place = tmp_path / "test" / "sql"
    place.mkdir(parents=True)
    (place / "quick.test").write_text("query I\nSELECT 1\n----\n1\n")
    (place / "late.test").write_text("statement ok\nSELECT count(*) FROM range(1000000000000) a\n")
    names = ["test/sql/late.test", "test/sql/quick.test"]
    outcomes = {outcome.path: outcome for outcome in run_files(tmp_path, names, 1, Limits(6.0), tmp_path)}
    assert outcomes["test/sql/quick.test"].verdict == "passed"
    assert outcomes["test/sql/late.test"].reason == "longer than 6 s"


def test_the_page_counts_and_names_nothing_of_this_machine(tmp_path: Path) -> None:
    text = page(
        [
            Outcome("test/sql/join/a.test", "passed", ran=3),
            Outcome(
                "test/sql/join/b.test", "refused", "A trigger is refused.", 1, ("A trigger is refused.",)
            ),
            Outcome("test/sql/cte/c.test", "skipped", "KadeQL's own rule: the second to commit loses"),
        ],
        "v2.0.0",
    )
    assert "| join | 2 | 1 | 1 | 0 | 0 |" in text
    assert "| **all** | 3 | 1 | 1 | 1 | 0 |" in text
    assert "| the second to commit loses | 1 |" in text
    assert str(tmp_path) not in text


def test_a_rule_explains_a_file_only_where_all_that_differs_is_what_it_says():
    name = "test/sql/show_select/show_settings.test"
    said = "line 16: SHOW threads\n    There is no table 'threads'."
    assert own_rule(name, [said]).startswith("SHOW names")
    assert own_rule(name, [said, "line 30: SELECT 1\n    row 1, column 1: '2', expected '1'"]) == ""
    assert own_rule("test/sql/select/other.test", [said]) == ""
