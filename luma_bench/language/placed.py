"""What every statement is made of: a piece of the user's text, and the query, its parameters and its pins."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal

from luma_bench.language.rewrite import Edit, OffsetMap


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
    DELETE = "DELETE"
    UPDATE = "UPDATE"
    TRUNCATE = "TRUNCATE"
    DROP_TABLE = "DROP TABLE"
    ALTER_TABLE = "ALTER TABLE"
    COMMENT_ON = "COMMENT ON"
    TAG_SNAPSHOT = "TAG SNAPSHOT"
    BEGIN = "BEGIN"
    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"


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
        The `$names` that `sql` uses, without `$`; those of pins are in the pins alone.
    names
        Casefolded; a superset of the names of the tables that the query reads.
    pins
        The tables that are read at other snapshots.
    edits
        What makes `sql` of the source, in offsets of the whole text.
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
    edits: tuple[Edit, ...] = field(default=(), repr=False)

    @property
    def pin_params(self) -> frozenset[str]:
        """The `$names` that only pins use; they are never handed to the engine."""
        return frozenset(pin.value.name for pin in self.pins if isinstance(pin.value, Parameter))
