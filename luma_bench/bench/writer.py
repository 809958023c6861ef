"""Statements that change the bench: each becomes a commit of the store, never a statement of an engine."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.result import Result
from luma_bench.bench.runner import Runner, located
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLError, LumaError, choices
from luma_bench.language import CreateTable, CreateTableAs, DropTable, Insert, TagSnapshot
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.record import RunRecord, Snapshot
from luma_bench.types.schema import TableSchema, TableSettings

Change = CreateTable | CreateTableAs | Insert | DropTable | TagSnapshot

MESSAGE_LENGTH = 200


class Writer:
    """Runs CREATE TABLE, INSERT, DROP and TAG SNAPSHOT through the store's own commits."""

    def __init__(self, runner: Runner, inspector: SqlInspector) -> None:
        self.runner = runner
        self.store = runner.store
        self.inspector = inspector

    def run(self, statement: Change, ask: Ask) -> Result:
        """Apply one statement; the result names what was done and the snapshot it made."""
        started = time.perf_counter()
        match statement:
            case CreateTable():
                done, rows = self._create(statement), 0
            case CreateTableAs():
                done, rows = self._create_as(statement, ask)
            case Insert():
                done, rows = self._insert(statement, ask)
            case DropTable():
                done, rows = self._drop(statement), 0
            case TagSnapshot():
                done, rows = self.store.tag(statement.name), 0
        record = RunRecord(
            "catalog",
            "a change of the bench is a commit of its catalog",
            done.id,
            time.perf_counter() - started,
        )
        answer = pa.table(
            {
                "operation": pa.array([done.operation if not isinstance(statement, TagSnapshot) else "tag"]),
                "rows": pa.array([rows], pa.int64()),
                "snapshot": pa.array([done.id], pa.int64()),
            }
        )
        return Result(answer, record, statement.source)

    def _create(self, statement: CreateTable) -> Snapshot:
        current = self.store.resolve()
        if statement.if_not_exists and _has(current.tables.values(), statement.name):
            return current.snapshot
        try:
            described = self.inspector.describe(statement.probe.sql, {})
        except KadeQLError as error:
            raise located(error, statement.probe) from error
        fields: list[pa.Field] = []
        for column, field in zip(statement.columns, described, strict=True):
            key = column.primary_key or column.name in statement.primary_key
            fields.append(pa.field(column.name, field.type, column.nullable and not key, field.metadata))
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
        return self.store.create_table(
            pa.schema(fields), statement.name, TableSettings(primary_key=keys),
            replace=statement.or_replace, message=_message(statement.source),
        )  # fmt: skip

    def _create_as(self, statement: CreateTableAs, ask: Ask) -> tuple[Snapshot, int]:
        current = self.store.resolve()
        if _has(current.tables.values(), statement.name):
            if statement.if_not_exists:
                return current.snapshot, 0
            if not statement.or_replace:
                raise CatalogError.table_exists(statement.name)
        reader = self.runner.stream(statement.query, ask)
        counted = _Counted(reader)
        mode = (
            "replace" if statement.or_replace and _has(current.tables.values(), statement.name) else "create"
        )
        done = self.store.write(
            statement.name, counted.reader(), mode=mode, message=_message(statement.source)
        )
        return done, counted.rows

    def _insert(self, statement: Insert, ask: Ask) -> tuple[Snapshot, int]:
        schema = self.store.resolve().find(statement.table)
        targets = self._targets(statement, schema)
        table = self._cast(statement, ask, schema, targets)
        done = self.store.write(schema.name, table, mode="append", message=_message(statement.source))
        return done, table.num_rows

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
        self, statement: Insert, ask: Ask, schema: TableSchema, targets: Sequence[str] | None
    ) -> pa.Table:
        """The rows to insert, cast by the engine as SQL's INSERT casts: `'2024-01-01'` into a DATE column is a date."""
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
        return self._cast_rows(rows, schema, targets, statement, ask)

    def _cast_rows(
        self, rows: pa.Table, schema: TableSchema, targets: Sequence[str], statement: Insert, ask: Ask
    ) -> pa.Table:
        query = statement.query
        columns = ", ".join(quoted(name) for name in targets)
        current = self.store.resolve()
        choice = self.runner.bind(query, ask, current).choice
        table = Inputs({schema.name: self.store.scan(current, schema.name)})
        described = choice.engine.run(
            SqlFragment(f"DESCRIBE SELECT {columns} FROM {quoted(schema.name)}"), table
        )
        types: list[str] = described.column("column_type").to_pylist()
        casts = ", ".join(
            f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}"
            for name, kind in zip(targets, types, strict=True)
        )
        try:
            return choice.engine.run(
                SqlFragment(f"SELECT {casts} FROM new_rows"), Inputs({}, {"new_rows": rows})
            )
        except KadeQLError as error:
            raise error.moved(query.whole, (query.start, query.end)) from error

    def _drop(self, statement: DropTable) -> Snapshot:
        current = self.store.resolve()
        if not _has(current.tables.values(), statement.name):
            if statement.if_exists:
                return current.snapshot
            raise CatalogError.unknown_table(
                statement.name, [schema.name for schema in current.tables.values()]
            )
        return self.store.drop_table(current.find(statement.name).name, message=_message(statement.source))


class _Counted:
    """A reader that counts the rows that pass."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self._reader = reader
        self.rows = 0

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self._reader.schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for batch in self._reader:
            self.rows += batch.num_rows
            yield batch


def quoted(name: str) -> str:
    """An identifier between double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _has(tables: Iterable[TableSchema], name: str) -> bool:
    return any(schema.name.casefold() == name.casefold() for schema in tables)


def _message(text: str) -> str:
    """The statement as a commit message: one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_LENGTH else f"{line[: MESSAGE_LENGTH - 1]}…"
