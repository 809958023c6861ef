"""MERGE INTO as a value: the parts of the statement, each an excerpt of the user's text.

What runs is composed of them where the tables are known: see `plan.merge`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from luma_bench.language.changes import Assignment, Delete, Insert, Update
from luma_bench.language.compose import Excerpt
from luma_bench.language.placed import Kind, Placed, Query
from luma_bench.language.returning import Returning
from luma_bench.language.rewrite import OffsetMap, Segment

Match = Literal["matched", "target", "source"]
"""Pairs that match; source rows that no target row matches (NOT MATCHED [BY TARGET]); target rows without a source row."""


@dataclass(frozen=True, slots=True)
class Given:
    """A column's new value in a clause: an expression, or the column's DEFAULT."""

    assignment: Assignment
    value: Excerpt


@dataclass(frozen=True, slots=True)
class MergeClause:
    """One WHEN … THEN ….

    Attributes
    ----------
    span
        The clause, in the whole text.
    given
        The values of UPDATE SET and of INSERT … VALUES.
    columns, column_spans
        The columns of INSERT (…); None for the table's own order.
    every
        How the source's columns are taken when none is written: by their place or by their names; empty when they are.
    message
        What ERROR says.
    """

    match: Match
    action: Literal["update", "delete", "insert", "nothing", "error"]
    span: tuple[int, int]
    condition: Excerpt | None = None
    given: tuple[Given, ...] = ()
    columns: tuple[str, ...] | None = None
    column_spans: tuple[tuple[int, int], ...] = ()
    every: Literal["", "position", "name"] = ""
    message: Excerpt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Placed):
    """MERGE INTO a table.

    Attributes
    ----------
    shown
        What the statement calls the table.
    ctes
        The WITH list in front of it.
    rows
        What stands behind USING.
    source_name
        What the statement calls it; empty for a join, which has several names.
    join
        ON condition, or USING (columns).
    sources
        A query of all columns and rows of the source.
    """

    kind: ClassVar[Kind] = Kind.MERGE
    table: str
    table_span: tuple[int, int]
    shown: str
    ctes: Excerpt | None
    rows: Excerpt
    source_name: str
    join: Excerpt
    clauses: tuple[MergeClause, ...]
    sources: Query = field(repr=False)
    returning: Returning | None = None


RowStatement = Insert | Delete | Update | Merge
"""A statement that changes rows."""


def changes_shown(statement: RowStatement) -> str:
    """What it does to which table, in short: `DELETE FROM t`."""
    return f"{_SHOWN[statement.kind]} {statement.table}"


def finding(statement: RowStatement) -> Query:
    """The query that finds the rows, as far as the text alone tells it: of a MERGE its source, of DEFAULT VALUES one row."""
    if isinstance(statement, Merge):
        return statement.sources
    if statement.query is not None:
        return statement.query
    start, end = statement.start, statement.end
    offsets = OffsetMap((Segment(0, len(_ONE_ROW), start, end, False),))
    return Query(
        source=statement.source, start=start, end=end, whole=statement.whole, sql=_ONE_ROW, offsets=offsets
    )


_ONE_ROW: Final = "SELECT 1 AS one"
_SHOWN: Final = {
    Kind.INSERT: "INSERT INTO",
    Kind.DELETE: "DELETE FROM",
    Kind.UPDATE: "UPDATE",
    Kind.MERGE: "MERGE INTO",
}
