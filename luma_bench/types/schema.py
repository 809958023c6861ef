"""What a table is: columns with permanent ids, Arrow types, keys and layout settings."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.errors import SchemaError
from luma_bench.types.constraints import TableRules
from luma_bench.types.retention import Retention

ROW_ID = "_rowid"
"""The hidden first column of every scan: the stable int64 row id."""

ROWS_PREFIX = "__luma_rows_"
"""What stands before a table's name in the name of its raw rows."""


SQL_TYPE = b"luma.sql_type"
"""The key of an Arrow field's metadata under which its SQL type stands, where the Arrow type is not the whole of it."""


def rows_relation(table: str) -> str:
    """The name under which an engine offers a source with its `_rowid`: what statements that change rows read."""
    return ROWS_PREFIX + table


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its permanent id, its present name and its exact Arrow type.

    Attributes
    ----------
    initial
        The value (of `type`) that rows have which were written before the column was added; None for NULL.
    default
        The value (of `type`) that later writes get which leave the column out; None for NULL.
    """

    id: int
    name: str
    type: pa.DataType
    nullable: bool = True
    comment: str | None = None
    metadata: tuple[tuple[bytes, bytes], ...] = ()
    initial: pa.Scalar | None = None
    default: pa.Scalar | None = None

    @property
    def sql_type(self) -> str | None:
        """The SQL type that the values have, as UUID or ENUM('a', 'b'); None where the Arrow type says it.

        Such values are kept in a form of their own (text, mostly): their order and equality are the SQL type's, not the
        form's, so that statistics and zone maps of the form answer nothing about them.
        """
        kind = dict(self.metadata).get(SQL_TYPE)
        return None if kind is None else kind.decode()

    @property
    def field(self) -> pa.Field:
        """The Arrow field as it was written."""
        return pa.field(self.name, self.type, self.nullable, dict(self.metadata) or None)


@dataclass(frozen=True, slots=True)
class CatalogObject:
    """Something of the catalog that has a name and holds no rows: a view, a schema, a sequence, a policy, a property graph.

    Attributes
    ----------
    id
        Permanent, of one space with the tables' ids.
    kind
        `view`, `schema`, `sequence`, `policy` or `graph`; names are of their kind, ignoring case.
    definition
        JSON; what it holds is its kind's own.
    """

    id: int
    kind: str
    name: str
    definition: str
    comment: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Kind and casefolded name."""
        return self.kind, self.name.casefold()


@dataclass(frozen=True, slots=True)
class TableSettings:
    """How a table is laid out; names are column names at the snapshot.

    Attributes
    ----------
    sort_by
        What the rows of each write and each compaction are sorted by; else they are sorted by series key and time.
    time_column, series_key
        The time of a row, and what names the series that it belongs to.
    codec
        `auto` (fast at first, small after a compaction), `exchange` (any Zarr v3 reader), `lz4`, `zstd` or `pco`.
    retention
        For how long rows are kept: compactions remove older ones. None keeps all.
    """

    primary_key: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    time_column: str | None = None
    series_key: tuple[str, ...] = ()
    codec: str = "auto"
    retention: Retention | None = None


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table at one snapshot."""

    id: int
    name: str
    columns: tuple[Column, ...]
    settings: TableSettings = field(default_factory=TableSettings)
    namespace: str = "main"
    comment: str | None = None
    rules: TableRules = field(default_factory=TableRules)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def written(self) -> tuple[str, ...]:
        """The names of the columns that rows are written with, in order: all but the generated ones."""
        computed = self.rules.computed
        return tuple(column.name for column in self.columns if column.id not in computed)

    @property
    def arrow(self) -> pa.Schema:
        """The exact Arrow schema that was written."""
        return pa.schema([column.field for column in self.columns])

    @property
    def by_id(self) -> dict[int, str]:
        """The name of each column by its id."""
        return {column.id: column.name for column in self.columns}

    def column(self, name: str) -> Column:
        """The column of this name, ignoring case when no exact match exists.

        Raises
        ------
        SchemaError
            No such column; the hint lists the nearest.
        """
        for column in self.columns:
            if column.name == name:
                return column
        for column in self.columns:
            if column.name.casefold() == name.casefold():
                return column
        raise SchemaError.unknown_column(name, self.names, f"table {self.name!r}")
