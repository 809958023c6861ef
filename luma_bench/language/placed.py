"""What every statement is made of: a piece of the user's text, and the query, its parameters and its pins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, cast

from luma_bench.language.rewrite import Edit, OffsetMap

if TYPE_CHECKING:
    from luma_bench.language.island_kinds import AnyIsland


class Kind(StrEnum):
    """What a statement does."""

    SELECT = "SELECT"
    EXPLAIN = "EXPLAIN"
    DESCRIBE = "DESCRIBE"
    SUMMARIZE = "SUMMARIZE"
    SHOW = "SHOW"
    CREATE_VIEW = "CREATE VIEW"
    ALTER_VIEW = "ALTER VIEW"
    DROP_VIEW = "DROP VIEW"
    CREATE_SCHEMA = "CREATE SCHEMA"
    DROP_SCHEMA = "DROP SCHEMA"
    CREATE_TABLE = "CREATE TABLE"
    CREATE_TABLE_AS = "CREATE TABLE AS"
    INSERT = "INSERT"
    DELETE = "DELETE"
    UPDATE = "UPDATE"
    MERGE = "MERGE"
    TRUNCATE = "TRUNCATE"
    DROP_TABLE = "DROP TABLE"
    ALTER_TABLE = "ALTER TABLE"
    COMMENT_ON = "COMMENT ON"
    CREATE_POLICY = "CREATE POLICY"
    DROP_POLICY = "DROP POLICY"
    CREATE_SEQUENCE = "CREATE SEQUENCE"
    DROP_SEQUENCE = "DROP SEQUENCE"
    CREATE_GRAPH = "CREATE PROPERTY GRAPH"
    DROP_GRAPH = "DROP PROPERTY GRAPH"
    COPY_FROM = "COPY FROM"
    COPY_TO = "COPY TO"
    TAG_SNAPSHOT = "TAG SNAPSHOT"
    PREPARE = "PREPARE"
    EXECUTE = "EXECUTE"
    DEALLOCATE = "DEALLOCATE"
    BEGIN = "BEGIN"
    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"


class SequenceUse(NamedTuple):
    """A value of a sequence in a text: `nextval('s')`.

    Attributes
    ----------
    function
        `nextval` or `currval`.
    span
        The call's place in the whole text.
    alias
        The sequence's name in the rewritten SQL; equal for one sequence.
    """

    function: str
    name: str
    span: tuple[int, int]
    alias: str


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
    rows
        Whether it is read with its row ids.
    """

    alias: str
    table: str
    by: Literal["version", "timestamp", "tag"]
    value: int | str | dt.datetime | Parameter
    span: tuple[int, int]
    rows: bool = False


class Reference(NamedTuple):
    """A stored relation where a query names it; CTEs, functions and pinned tables are none.

    Attributes
    ----------
    name
        The catalog's name, `sales.orders` in a schema, as the user spelt it.
    span
        Its place in the whole text.
    alias
        What gives it its own name again when another one takes its place: ` AS orders`; empty where it has an alias.
    rows
        Whether it is read with its row ids: `with_rowid(orders)`, whose place `span` is.
    """

    name: str
    span: tuple[int, int]
    alias: str
    rows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A piece of the user's text: `source` is `whole[start:end]`."""

    source: str
    start: int
    end: int
    whole: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Placed):
    """A SELECT of any shape (WITH, FROM-first, VALUES, TABLE, PIVOT), or the whole text of a DESCRIBE or SUMMARIZE.

    Attributes
    ----------
    sql
        What DuckDB runs: the source itself, but for the pins' aliases.
    offsets
        From offsets in `sql` to offsets in the whole text.
    params
        The `$names` that `sql` uses, without `$`; those of pins and of islands are in these alone.
    names
        Casefolded; a superset of the names of the tables that the query reads.
    pins
        The tables that are read at other snapshots.
    edits
        What makes `sql` of the source, in offsets of the whole text.
    reads
        The tables and views that it names, in order; those that are pinned stand in `pins`.
    views
        The views that it was found to read, once it is bound.
    volatile
        Whether two runs at one snapshot may differ (now(), random(), TABLESAMPLE, …): never cache it.
    sequences
        The values of sequences that it takes.
    islands
        The graph patterns, algorithms and constructs about series that stand in `sql` as relations, by their aliases.
    """

    kind: ClassVar[Kind] = Kind.SELECT
    sql: str
    offsets: OffsetMap = field(repr=False)
    params: frozenset[str] = frozenset()
    names: frozenset[str] = field(default=frozenset(), repr=False)
    pins: tuple[Pin, ...] = ()
    volatile: bool = False
    sequences: tuple[SequenceUse, ...] = ()
    edits: tuple[Edit, ...] = field(default=(), repr=False)
    reads: tuple[Reference, ...] = field(default=(), repr=False)
    views: tuple[ViewUse, ...] = field(default=(), repr=False)
    islands: tuple[AnyIsland, ...] = ()

    @property
    def pin_params(self) -> frozenset[str]:
        """The `$names` that only pins use; they are never handed to the engine."""
        return frozenset(pin.value.name for pin in self.pins if isinstance(pin.value, Parameter))

    @property
    def island_params(self) -> frozenset[str]:
        """The `$names` that its islands use, whether or not `sql` uses them too."""
        return frozenset(name for island in self.islands for name in island.params)


@dataclass(frozen=True, slots=True)
class ViewUse:
    """A view in a bound query.

    Attributes
    ----------
    path
        The views that lead to it, itself at the end.
    sql
        What the engine gets of it.
    query
        Its own query as it was bound; its offsets are those of the stored text.
    span
        Where the query that was asked names the first of `path`.
    """

    path: tuple[str, ...]
    sql: str
    query: Query
    span: tuple[int, int]


def queries_of(part: object) -> Iterator[Query]:
    """Every query that a statement, or a part of one, is made of."""
    if isinstance(part, Query):
        yield part
    elif isinstance(part, tuple):
        for item in cast("tuple[object, ...]", part):
            yield from queries_of(item)
    elif is_dataclass(part) and not isinstance(part, type):
        for each in fields(part):
            yield from queries_of(getattr(part, each.name))
