"""INSERT as it runs: the rows of a query, cast as SQL casts, streamed into the table or matched with its key."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.casts import cast_rows, column_types
from luma_bench.bench.conflicts import Conflicts
from luma_bench.bench.constants import constant_table
from luma_bench.bench.defaults import constant_default, is_expression, with_defaults, writable
from luma_bench.bench.finding import Finder
from luma_bench.bench.kept import fits_as_it_is
from luma_bench.bench.returned import returned
from luma_bench.bench.row_changes import target
from luma_bench.bench.runner import Runner
from luma_bench.bench.sink import Sink
from luma_bench.engines.router import AUTO
from luma_bench.errors import KadeQLBindError, KadeQLUnsupportedError
from luma_bench.language import Insert, Query
from luma_bench.language.cells import cast_cells
from luma_bench.language.literals import constant_rows
from luma_bench.plan.dml import generated_column, named_column
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.schema import TableSchema

_PIECE_ROWS = 1 << 20
_PIECE_BYTES = 128 << 20


class Inserter:
    """Runs INSERT over one set of engines."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._conflicts = Conflicts(runner)

    def run(self, statement: Insert, finder: Finder, inside: StoreTransaction) -> tuple[int, pa.Table | None]:
        """Insert the rows; how many were inserted or updated, and what the statement returns.

        Rows that match nothing are streamed, however many there are; rows with ON CONFLICT are held in memory.

        Raises
        ------
        KadeQLError
            A name, type or value is wrong; it points into the user's text.
        """
        table = target(finder.view, statement.table, statement.table_span, statement.whole, finder.ask)
        named = self._named(statement, table)
        sink = Sink(
            self._runner.store, inside, table, keep=statement.returning is not None, caps=finder.ask.caps
        )
        conflict = statement.conflict
        if conflict is not None:
            # A wrong key is told before the rows are made.
            self._conflicts.check(conflict, table, statement.whole, finder.view)
            _require_all(statement, named, table)
        if statement.query is None:
            names, rows = self._default_row(table)
        else:
            names, rows = self._given(statement, named, table, finder, inside)
            _require_fields(statement, rows.schema, table)
        if conflict is None:
            count = sink.append(rows)
        else:
            count = self._conflicts.write(conflict, statement.whole, rows, names, finder, inside, sink)
        finder.count()
        shown = None
        if statement.returning is not None:
            shown = returned(finder, statement.returning, table, sink.rows)
        return count, shown

    def _named(self, statement: Insert, table: TableSchema) -> tuple[str, ...] | None:
        """The columns that are written; None where the query's own names say it."""
        if statement.columns is None:
            return None if statement.by_name else tuple(column.name for column in writable(table))
        names: list[str] = []
        for name, span in zip(statement.columns, statement.column_spans, strict=True):
            column = named_column(table, name, span, statement.whole)
            if column.id in table.rules.computed:
                raise generated_column(table, column, span, statement.whole)
            names.append(column.name)
        return tuple(names)

    def _default_row(self, table: TableSchema) -> tuple[tuple[str, ...], pa.Table | pa.RecordBatchReader]:
        """One row of defaults; what expressions give is left to the table."""
        columns = [column for column in writable(table) if not is_expression(table, column)]
        if not columns:
            batch = pa.RecordBatch.from_struct_array(pa.array([{}], pa.struct([])))
            return (), pa.RecordBatchReader.from_batches(batch.schema, [batch])
        names = tuple(column.name for column in columns)
        return (), pa.table([constant_default(column, 1) for column in columns], names=list(names))

    def _given(
        self,
        statement: Insert,
        named: tuple[str, ...] | None,
        table: TableSchema,
        finder: Finder,
        inside: StoreTransaction,
    ) -> tuple[tuple[str, ...], pa.Table | pa.RecordBatchReader]:
        """The rows of the query under the names of the columns that they are for, in these columns' types."""
        assert statement.query is not None
        if statement.in_memory:
            query = statement.query
            if named is not None:
                columns = named
                if (plain := self._plain(statement, query, table, columns, finder.ask)) is not None:
                    return columns, plain
                query = cast_cells(
                    query,
                    len(columns),
                    lambda: column_types(self._runner, table, columns, finder.ask, finder.view),
                )
            whole = finder.run(query, statement.rows)
            names = self._checked(statement, named, whole.schema, table)
            marks = whole.select(range(len(names), whole.num_columns))
            rows = whole.select(range(len(names))).rename_columns(list(names))
            if not fits_as_it_is(rows.schema, table):
                types = column_types(self._runner, table, names, finder.ask, finder.view)
                rows = cast_rows(self._runner, rows, types, finder.ask, statement.query, statement.rows)
            masks = {
                names[place]: marks.column(index).to_numpy().astype(bool)
                for index, place in enumerate(statement.defaulted)
            }
            return names, with_defaults(inside, table, rows, masks) if masks else rows
        reader = finder.stream(statement.query)
        names = self._checked(statement, named, reader.schema, table)
        fields = zip(reader.schema, names, strict=True)
        schema = pa.schema([field.with_name(name) for field, name in fields])
        # A query may name two columns alike, a table may not.
        named_rows = pa.RecordBatchReader.from_batches(
            schema, (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in reader)
        )
        if fits_as_it_is(schema, table):
            return names, named_rows
        return names, self._cast(statement, named_rows, table, finder)

    def _plain(
        self, statement: Insert, query: Query, table: TableSchema, names: tuple[str, ...], ask: Ask
    ) -> pa.Table | None:
        """The rows of VALUES that are constants of the columns' own types; None where an engine has to say what they are."""
        if statement.defaulted or query.sequences or ask.engine != AUTO:
            return None
        rows = constant_rows(query)
        if rows is None:
            return None
        return constant_table(rows, [table.column(name) for name in names], ask.params)

    def _checked(
        self, statement: Insert, named: tuple[str, ...] | None, given: pa.Schema, table: TableSchema
    ) -> tuple[str, ...]:
        """The columns that the query's columns are for."""
        if named is None:
            names: list[str] = []
            for name in given.names:
                column = named_column(table, name, statement.rows, statement.whole)
                if column.id in table.rules.computed:
                    raise generated_column(table, column, statement.rows, statement.whole)
                names.append(column.name)
            return tuple(names)
        count = len(given) - len(statement.defaulted)
        if count != len(named):
            raise KadeQLBindError(
                f"INSERT INTO {table.name!r} gives {count} columns for {len(named)}.",
                text=statement.whole,
                span=statement.rows,
                hint=f"The columns are: {', '.join(named)}.",
            )
        return named

    def _cast(
        self,
        statement: Insert,
        reader: pa.RecordBatchReader,
        table: TableSchema,
        finder: Finder,
    ) -> pa.RecordBatchReader:
        """The rows in the columns' types, cast a piece at a time, so that no more than one is in memory."""
        types = column_types(self._runner, table, reader.schema.names, finder.ask, finder.view)

        def cast(piece: pa.Table) -> pa.Table:
            assert statement.query is not None
            return cast_rows(self._runner, piece, types, finder.ask, statement.query, statement.rows)

        pieces = _pieces(reader)
        first = cast(next(pieces))

        def batches() -> Iterator[pa.RecordBatch]:
            yield from first.to_batches()
            for piece in pieces:
                yield from cast(piece).to_batches()

        return pa.RecordBatchReader.from_batches(first.schema, batches())


def _require_fields(statement: Insert, rows: pa.Schema, table: TableSchema) -> None:
    """Refuse structs whose fields are the column's but for the case of their names: the engine's cast leaves them so."""
    for field in rows:
        kind = table.column(field.name).type
        if (
            pa.types.is_nested(kind)
            and field.type != kind
            and str(field.type).casefold() == str(kind).casefold()
        ):
            raise KadeQLUnsupportedError(
                f"Fields of {field.name!r} in another case than the table's are not taken.",
                text=statement.whole,
                span=statement.rows,
                hint="Write the names of the fields as the table has them: DESCRIBE t shows them.",
            )


def _require_all(statement: Insert, named: tuple[str, ...] | None, table: TableSchema) -> None:
    """Refuse rows that could only take the place of known ones: a column that must not be NULL is left out of them."""
    assert statement.conflict is not None
    if named is None or statement.columns is None or statement.conflict.action == "nothing":
        return
    for column in writable(table):
        given = column.name in named or column.nullable or column.default is not None
        if not given and not is_expression(table, column):
            raise KadeQLUnsupportedError(
                f"Rows without a value for {column.name!r}, which must not be NULL, are not taken even where their keys are known.",
                text=statement.whole,
                span=statement.table_span,
                hint=f"Give {column.name} in the rows, or change those that are there: UPDATE {table.name} SET … FROM (VALUES …).",
            )


def _pieces(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The stream in tables of some size; one without rows when there is none."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        waiting.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if rows >= _PIECE_ROWS or size >= _PIECE_BYTES:
            yield pa.Table.from_batches(waiting, reader.schema)
            waiting, rows, size = [], 0, 0
    if waiting or not rows:
        yield pa.Table.from_batches(waiting, reader.schema)
