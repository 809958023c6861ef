"""What a KadeQL text says, as values: one frozen dataclass for each kind of statement that reads, and the union of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from luma_bench.language.changes import (
    AlterTable,
    Begin,
    CommentOn,
    Commit,
    CreateTable,
    CreateTableAs,
    Delete,
    DropTable,
    Insert,
    Rollback,
    Truncate,
    Update,
)
from luma_bench.language.placed import Kind, Pin, Placed, Query
from luma_bench.language.rewrite import OffsetMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain(Placed):
    """EXPLAIN of a query; `query` is what is explained, without the EXPLAIN.

    `change` says what is explained when it is a DELETE or UPDATE, whose `query` finds the rows: `DELETE FROM t`.
    """

    kind: ClassVar[Kind] = Kind.EXPLAIN
    query: Query
    analyze: bool = False
    format: Literal["text", "json"] = "text"
    change: str = ""

    @property
    def sql(self) -> str:
        """What DuckDB runs."""
        return self._prefix + self.query.sql

    @property
    def offsets(self) -> OffsetMap:
        """From offsets in `sql` to offsets in the whole text."""
        return self.query.offsets.shifted(len(self._prefix), self.start)

    @property
    def _prefix(self) -> str:
        return f"EXPLAIN{' ANALYZE' if self.analyze else ''} (FORMAT {self.format}) "


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe(Placed):
    """DESCRIBE of a table or query; `query` is the whole DESCRIBE, ready to run, `target` what it describes."""

    kind: ClassVar[Kind] = Kind.DESCRIBE
    query: Query
    target: Query | str

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The tables that are read at other snapshots."""
        return self.query.pins


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarize(Placed):
    """SUMMARIZE of a table or query; `query` is the whole SUMMARIZE, ready to run."""

    kind: ClassVar[Kind] = Kind.SUMMARIZE
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTables(Placed):
    """SHOW TABLES or SHOW ALL TABLES: a bench has one schema, so they are the same."""

    kind: ClassVar[Kind] = Kind.SHOW_TABLES


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSnapshot(Placed):
    """TAG SNAPSHOT 'name': names the newest snapshot."""

    kind: ClassVar[Kind] = Kind.TAG_SNAPSHOT
    name: str


Statement = (
    Query
    | Explain
    | Describe
    | Summarize
    | ShowTables
    | CreateTable
    | CreateTableAs
    | Insert
    | Delete
    | Update
    | Truncate
    | DropTable
    | AlterTable
    | CommentOn
    | TagSnapshot
    | Begin
    | Commit
    | Rollback
)
