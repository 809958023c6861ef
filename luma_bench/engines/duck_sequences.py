"""Sequences of the bench in a statement: DuckDB counts on temporary ones, and what it took is then claimed for good.

A temporary sequence of the statement's own connection goes on where the bench's stands. When the statement is done, the bench
is told how far it came; when another statement took values meanwhile, the answer is thrown away and made again.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa

from luma_bench.engines.duck_errors import read_report
from luma_bench.engines.duck_statement import RunningStatement
from luma_bench.errors import EngineError, KadeQLConstraintError
from luma_bench.plan.engine import SequenceInput
from luma_bench.types.sql_text import quoted, string_literal

_ATTEMPTS = 100


def numbered(statement: RunningStatement, answer: Callable[[], pa.Table]) -> pa.Table:
    """The answer of a statement that takes values of sequences, none of which anybody else is given.

    Raises
    ------
    KadeQLConstraintError
        A sequence ends before.
    EngineError
        Other statements were faster each time.
    """
    con, inputs = statement.cursor.con, statement.inputs.sequences
    for _ in range(_ATTEMPTS):
        seen = [_begin(con, item) for item in inputs]
        try:
            table = answer()
            if all(_claimed(con, item, last) for item, last in zip(inputs, seen, strict=True)):
                return table
        except duckdb.SequenceException as error:
            raise _ended(error, statement) from error
        finally:
            for item in inputs:
                con.execute(f"DROP SEQUENCE IF EXISTS {quoted(item.alias)}")
        statement.check()
    raise EngineError(
        "Other statements took values of the same sequences each time.",
        hint="Take the values in shorter statements, or number the rows with row_number().",
    )


def _begin(con: duckdb.DuckDBPyConnection, item: SequenceInput) -> int | None:
    """Make the temporary sequence; the value that the bench's gave last."""
    held = item.sequence
    last = item.last() if item.takes else item.current()
    con.execute(
        f"CREATE OR REPLACE TEMP SEQUENCE {quoted(item.alias)} START {held.start if last is None else last} "
        f"INCREMENT BY {held.increment} MINVALUE {held.smallest} MAXVALUE {held.largest}"
        f"{' CYCLE' if held.cycle else ''}"
    )
    if last is not None:
        con.execute(f"SELECT nextval({_named(item)})").fetchall()
    return last


def _claimed(con: duckdb.DuckDBPyConnection, item: SequenceInput, seen: int | None) -> bool:
    """Whether the values that were taken are the statement's alone now."""
    if not item.takes:
        return True
    try:
        row = con.execute(f"SELECT currval({_named(item)})").fetchone()
    except duckdb.SequenceException:
        return True  # it gave no value
    assert row is not None
    return row[0] == seen or item.advance(seen, int(row[0]))


def _named(item: SequenceInput) -> str:
    """The temporary sequence as a function's argument."""
    return string_literal(quoted(item.alias))


def _ended(error: duckdb.SequenceException, statement: RunningStatement) -> KadeQLConstraintError:
    text, span = statement.text, None
    told = read_report(error, text).message.replace('""', '"').rstrip(".")
    for item in statement.inputs.sequences:
        at = text.find(item.alias)
        span = (at, at + len(item.alias)) if at >= 0 and span is None else span
    hint = (
        "Take a value with nextval first."
        if "not yet defined" in told
        else "Make one with a wider range, or with CYCLE."
    )
    return KadeQLConstraintError(f"{told}.", text=text, span=span, hint=hint)
