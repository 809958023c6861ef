"""What a KadeQL text says, as values: one frozen dataclass for each kind of statement."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal

from luma_bench.language.rewrite import OffsetMap


class Kind(StrEnum):
    """What a statement does."""

    SELECT = "SELECT"
    EXPLAIN = "EXPLAIN"
    DESCRIBE = "DESCRIBE"
    SUMMARIZE = "SUMMARIZE"
    SHOW_TABLES = "SHOW TABLES"
    CREATE_TABLE = "CREATE TABLE"
    CREATE_TABLE_AS = "CREATE TABLE AS"
    INSERT = "INSERT"
    DROP_TABLE = "DROP TABLE"
    TAG_SNAPSHOT = "TAG SNAPSHOT"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `$name` where a value is known only when the statement runs; `name` is without the `$`."""

    name: str


@dataclass(frozen=True, slots=True)
class Pin:
    """A table read at another snapshot: `table AT (VERSION => 3)`.

    Attributes
    ----------
    alias
        The relation's name in the rewritten SQL, such as `flights @VERSION 3`; equal pins of a query share it.
    table
        The stored table, as the user spelt it.
    value
        A snapshot id, a moment (naive: in the session's time zone), a tag, or the parameter that holds one.
    span
        Where `AT (…)` stands in the whole text.
    """

    alias: str
    table: str
    by: Literal["version", "timestamp", "tag"]
    value: int | str | dt.datetime | Parameter
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A piece of the user's text: `source` is `whole[start:end]`."""

    source: str
    start: int
    end: int
    whole: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(_Placed):
    """A SELECT of any shape (WITH, FROM-first, VALUES, TABLE, PIVOT), or the whole text of a DESCRIBE or SUMMARIZE.

    Attributes
    ----------
    sql
        What DuckDB runs: the source itself, but for the pins' aliases.
    offsets
        From offsets in `sql` to offsets in the whole text.
    params
        The `$names` that `sql` uses, without `$`; those of pins are in the pins alone.
    names
        Casefolded; a superset of the names of the tables that the query reads.
    pins
        The tables that are read at other snapshots.
    volatile
        Whether two runs at one snapshot may differ (now(), random(), TABLESAMPLE, …): never cache it.
    """

    kind: ClassVar[Kind] = Kind.SELECT
    sql: str
    offsets: OffsetMap = field(repr=False)
    params: frozenset[str] = frozenset()
    names: frozenset[str] = field(default=frozenset(), repr=False)
    pins: tuple[Pin, ...] = ()
    volatile: bool = False

    @property
    def pin_params(self) -> frozenset[str]:
        """The `$names` that only pins use; they are never handed to the engine."""
        return frozenset(pin.value.name for pin in self.pins if isinstance(pin.value, Parameter))


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain(_Placed):
    """EXPLAIN of a query; `query` is what is explained, without the EXPLAIN."""

    kind: ClassVar[Kind] = Kind.EXPLAIN
    query: Query
    analyze: bool = False
    format: Literal["text", "json"] = "text"

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
class Describe(_Placed):
    """DESCRIBE of a table or query; `query` is the whole DESCRIBE, ready to run, `target` what it describes."""

    kind: ClassVar[Kind] = Kind.DESCRIBE
    query: Query
    target: Query | str

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The tables that are read at other snapshots."""
        return self.query.pins


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarize(_Placed):
    """SUMMARIZE of a table or query; `query` is the whole SUMMARIZE, ready to run."""

    kind: ClassVar[Kind] = Kind.SUMMARIZE
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTables(_Placed):
    """SHOW TABLES or SHOW ALL TABLES: a bench has one schema, so they are the same."""

    kind: ClassVar[Kind] = Kind.SHOW_TABLES


@dataclass(frozen=True, slots=True)
class ColumnDef:
    """A column of CREATE TABLE; `type_sql` is its type as written, `span` its place in the whole text."""

    name: str
    type_sql: str
    nullable: bool
    primary_key: bool
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(_Placed):
    """CREATE TABLE with columns; `probe` selects one typed NULL per column, so that describing it gives the schema."""

    kind: ClassVar[Kind] = Kind.CREATE_TABLE
    name: str
    columns: tuple[ColumnDef, ...]
    primary_key: tuple[str, ...]
    probe: Query = field(repr=False)
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTableAs(_Placed):
    """CREATE TABLE … AS query."""

    kind: ClassVar[Kind] = Kind.CREATE_TABLE_AS
    name: str
    query: Query
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(_Placed):
    """INSERT INTO a table the rows of a query; `columns` is None when the table's own order is meant."""

    kind: ClassVar[Kind] = Kind.INSERT
    table: str
    columns: tuple[str, ...] | None
    query: Query
    by_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(_Placed):
    """DROP TABLE."""

    kind: ClassVar[Kind] = Kind.DROP_TABLE
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSnapshot(_Placed):
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
    | DropTable
    | TagSnapshot
)
