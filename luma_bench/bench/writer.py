"""Statements that change the bench: each becomes changes of a transaction of the store, never a statement of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from luma_bench.bench.alterations import Alterer
from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import located
from luma_bench.bench.casts import cast_rows
from luma_bench.bench.row_changes import RowChanger
from luma_bench.bench.runner import Runner
from luma_bench.errors import (
    CatalogError,
    ConstraintError,
    KadeQLBindError,
    KadeQLConstraintError,
    KadeQLError,
    LumaError,
    choices,
)
from luma_bench.language import (
    AlterTable,
    CommentOn,
    CreateTable,
    CreateTableAs,
    Delete,
    DropTable,
    Insert,
    Truncate,
    Update,
)
from luma_bench.storage.evolve import SetDefault
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSchema, TableSettings

Change = (
    CreateTable | CreateTableAs | Insert | Delete | Update | Truncate | DropTable | AlterTable | CommentOn
)
UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Done:
    """What a statement did, in a word, to how many rows, and what finding them read."""

    operation: str
    rows: int = 0
    read: ScanCounters = field(default_factory=ScanCounters)


class Writer:
    """Runs every statement that changes tables, inside a transaction of the store."""

    def __init__(self, runner: Runner, inspector: SqlInspector) -> None:
        self.runner = runner
        self.inspector = inspector
        self._rows = RowChanger(runner)
        self._alterer = Alterer(runner, inspector)

    def run(self, statement: Change, ask: Ask, inside: StoreTransaction) -> Done:
        """Stage what the statement does; nothing of it stays when it fails.

        Raises
        ------
        LumaError
            The statement is refused; what was staged before is as it was.
        """
        # Defaults and casts may read through the engine too: all of a statement reads one view.
        ask = replace(ask, view=inside.view(), at=None)
        match statement:
            case CreateTable():
                return self._create(statement, ask, inside)
            case CreateTableAs():
                return self._create_as(statement, ask, inside)
            case Insert():
                return self._insert(statement, ask, inside)
            case Delete() | Truncate():
                read = ScanCounters()
                return Done("delete", self._rows.run(statement, ask, inside, read), read)
            case Update():
                read = ScanCounters()
                return Done("update", self._rows.run(statement, ask, inside, read), read)
            case DropTable():
                return self._drop(statement, inside)
            case AlterTable():
                return Done("alter" if self._alterer.alter(statement, ask, inside) else UNCHANGED)
            case CommentOn():
                self._alterer.comment(statement, ask, inside)
                return Done("alter")

    def _create(self, statement: CreateTable, ask: Ask, inside: StoreTransaction) -> Done:
        present = inside.view().named(statement.name)
        if statement.if_not_exists and present is not None:
            return Done(UNCHANGED)
        try:
            described = self.inspector.describe(statement.probe.sql, {})
        except KadeQLError as error:
            raise located(error, statement.probe) from error
        fields: list[pa.Field] = []
        for column, given in zip(statement.columns, described, strict=True):
            key = column.primary_key or column.name in statement.primary_key
            fields.append(pa.field(column.name, given.type, column.nullable and not key, given.metadata))
        keys = statement.primary_key or tuple(
            column.name for column in statement.columns if column.primary_key
        )
        known = [column.name for column in statement.columns]
        for key in keys:
            if key not in known:
                raise KadeQLBindError(
                    f"PRIMARY KEY names {key!r}, which is no column of the table.",
                    text=statement.whole, span=(statement.start, statement.end), hint=choices(key, known, "columns"),
                )  # fmt: skip
        values = {column.name: self._alterer.default(column, ask) for column in statement.columns}
        defaults = [SetDefault(name, value) for name, value in values.items() if value is not None]
        settings = TableSettings(primary_key=keys)
        inside.create_table(pa.schema(fields), statement.name, settings, replace=statement.or_replace)
        if defaults:
            inside.alter(statement.name, *defaults)
        return Done("create" if present is None else "replace")

    def _create_as(self, statement: CreateTableAs, ask: Ask, inside: StoreTransaction) -> Done:
        present = inside.view().named(statement.name)
        if present is not None:
            if statement.if_not_exists:
                return Done(UNCHANGED)
            if not statement.or_replace:
                raise CatalogError.table_exists(present.name)
        mode = "create" if present is None else "replace"
        reader = self.runner.stream(statement.query, ask)
        return Done(mode, inside.write(statement.name, reader, mode=mode))

    def _insert(self, statement: Insert, ask: Ask, inside: StoreTransaction) -> Done:
        table = inside.view().find(statement.table)
        rows = self._cast(statement, ask, table, self._targets(statement, table), inside)
        try:
            return Done("append", inside.write(table.name, rows, mode="append"))
        except ConstraintError as error:
            span = (statement.query.start, statement.query.end)
            raise KadeQLConstraintError(
                error.message, text=statement.whole, span=span, hint=error.hint
            ) from error

    def _targets(self, statement: Insert, schema: TableSchema) -> tuple[str, ...] | None:
        if statement.columns is None:
            return None if statement.by_name else schema.names
        names: list[str] = []
        for name in statement.columns:
            try:
                names.append(schema.column(name).name)
            except LumaError as error:
                at = statement.whole.find(name, statement.start)
                raise KadeQLBindError(
                    error.message,
                    text=statement.whole,
                    span=(at, at + len(name)) if at >= 0 else None,
                    hint=error.hint,
                ) from error
        return tuple(names)

    def _cast(
        self,
        statement: Insert,
        ask: Ask,
        schema: TableSchema,
        targets: Sequence[str] | None,
        inside: StoreTransaction,
    ) -> pa.Table:
        """The rows to insert, cast by the engine as SQL's INSERT casts."""
        rows = self.runner.run(statement.query, ask).to_arrow()
        if targets is None:
            targets = [schema.column(name).name for name in rows.schema.names]
        if rows.num_columns != len(targets):
            raise KadeQLBindError(
                f"INSERT INTO {schema.name!r} gives {rows.num_columns} columns for {len(targets)}.",
                text=statement.whole,
                span=(statement.query.start, statement.query.end),
                hint=f"The columns are: {', '.join(targets)}.",
            )
        rows = rows.rename_columns(list(targets))
        wanted = pa.schema([pa.field(schema.column(name).name, schema.column(name).type) for name in targets])
        if rows.schema.equals(wanted):
            return rows
        return cast_rows(self.runner, rows, schema, statement.query, ask, inside.view())

    def _drop(self, statement: DropTable, inside: StoreTransaction) -> Done:
        present = inside.view().named(statement.name)
        if present is None:
            if statement.if_exists:
                return Done(UNCHANGED)
            raise CatalogError.unknown_table(statement.name, list(inside.view().tables))
        inside.drop_table(present.name)
        return Done("drop")
