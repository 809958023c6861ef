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
from luma_bench.language.copy import CopyFrom, CopyTo
from luma_bench.language.graph.definitions import CreateGraph, DropGraph
from luma_bench.language.merge import Merge, RowStatement
from luma_bench.language.placed import Kind, Pin, Placed, Query
from luma_bench.language.policies import CreatePolicy, DropPolicy
from luma_bench.language.prepare import Deallocate, Execute, Prepare
from luma_bench.language.rewrite import OffsetMap
from luma_bench.language.schemas import CommentOnObject, CreateSchema, DropSchema
from luma_bench.language.sequences import CreateSequence, DropSequence
from luma_bench.language.shows import Show
from luma_bench.language.views import AlterView, CreateView, DropView


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain(Placed):
    """EXPLAIN of a query; `query` is what is explained, without the EXPLAIN.

    `change` says what is explained when it is a statement that changes rows, `changed`: `DELETE FROM t`.
    """

    kind: ClassVar[Kind] = Kind.EXPLAIN
    query: Query
    analyze: bool = False
    format: Literal["text", "json"] = "text"
    change: str = ""
    changed: RowStatement | None = None

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
class AnalyzeChange(Placed):
    """EXPLAIN ANALYZE of a statement that changes rows: it runs, is undone, and its plan is shown with its figures."""

    kind: ClassVar[Kind] = Kind.EXPLAIN
    changed: RowStatement
    query: Query
    format: Literal["text", "json"] = "text"
    change: str = ""


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
class TagSnapshot(Placed):
    """TAG SNAPSHOT 'name': names the newest snapshot."""

    kind: ClassVar[Kind] = Kind.TAG_SNAPSHOT
    name: str


Statement = (
    Query
    | Explain
    | AnalyzeChange
    | Describe
    | Summarize
    | Show
    | CreateView
    | AlterView
    | DropView
    | CreateSchema
    | DropSchema
    | CommentOnObject
    | CreateTable
    | CreateTableAs
    | Insert
    | Merge
    | Delete
    | Update
    | Truncate
    | DropTable
    | AlterTable
    | CommentOn
    | CreatePolicy
    | DropPolicy
    | CreateSequence
    | DropSequence
    | CreateGraph
    | DropGraph
    | CopyFrom
    | CopyTo
    | TagSnapshot
    | Prepare
    | Execute
    | Deallocate
    | Begin
    | Commit
    | Rollback
)
