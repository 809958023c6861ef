"""DELETE, UPDATE and TRUNCATE as they run: a query finds row ids and new values, the transaction changes the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import located
from luma_bench.bench.casts import column_types
from luma_bench.bench.runner import Runner
from luma_bench.errors import ConstraintError, KadeQLBindError, KadeQLConstraintError, KadeQLError, choices
from luma_bench.language import Delete, Truncate, Update
from luma_bench.plan.dml import RowChange, delete_change, update_change
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.predicate import And, Comparison, In, Predicate
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import ROW_ID, TableSchema

_LISTED = 1024
_NO_ROWS = np.zeros(0, np.int64)


class RowChanger:
    """Runs the statements that change rows over one set of engines."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def run(
        self, statement: Delete | Truncate | Update, ask: Ask, inside: StoreTransaction, read: ScanCounters
    ) -> int:
        """Change the rows that the statement finds in the transaction's view; how many there were.

        What finding them reads is added to `read`.

        Raises
        ------
        KadeQLError
            A name, type or value is wrong, or a constraint is broken; it points into the user's text.
        """
        view = inside.view()
        table = target(view, statement.table, statement.table_span, statement.whole, ask)
        if not isinstance(statement, Update):
            change = delete_change(statement, table)
            return inside.delete(table.name, self._found(change, ask, view, read)[0])
        change = update_change(
            statement, table, lambda names: column_types(self._runner, table, names, ask, view)
        )
        ids, values = self._found(change, ask, view, read)
        if not len(ids):
            return 0
        _check_nulls(change, statement, values)
        data = _rows(self._runner.store.scan(view, table.name), table, ids, values, read)
        try:
            return inside.update(table.name, ids, data)
        except ConstraintError as error:
            raise KadeQLConstraintError(
                error.message, text=statement.whole, span=change.span, hint=error.hint
            ) from error

    def _found(
        self, change: RowChange, ask: Ask, view: ResolvedSnapshot, read: ScanCounters
    ) -> tuple[np.ndarray, pa.Table]:
        """The sorted row ids, and in the same order the new values under the columns' names."""
        if change.query is None:
            scan = self._runner.store.scan(view, change.table.name)
            found = scan.stream([0], (), read).read_all()
        else:
            bound = self._runner.bind(change.query, ask, view)
            try:
                found = bound.choice.engine.run(bound.fragment, bound.inputs)
            except KadeQLError as error:
                shown = located(error, change.query)
                raise shown.moved(change.query.whole, shown.span or change.span) from error
            own = bound.inputs.counters
            read.add(
                rows=own.rows_read,
                nbytes=own.bytes_read,
                segments=own.segments_read,
                segments_pruned=own.segments_pruned,
                chunks=own.chunks_read,
                chunks_pruned=own.chunks_pruned,
            )
        ids = found.column(0).combine_chunks().to_numpy() if found.num_rows else _NO_ROWS
        if found.num_columns != 1 + len(change.columns):
            assert change.query is not None
            raise KadeQLBindError(
                "A value in SET gives several columns.",
                text=change.query.whole,
                span=change.span,
                hint="Give one value for each column: UPDATE t SET a = 1, b = 2.",
            )
        order = np.argsort(ids, kind="stable")
        values = found.select(range(1, found.num_columns)).take(order) if change.columns else found.select([])
        for index, (column, default) in enumerate(zip(change.columns, change.defaults, strict=True)):
            field = pa.field(column.name, values.schema.field(index).type)
            data = values.column(index)
            if default and column.default is not None:
                field = pa.field(column.name, column.type)
                data = pa.chunked_array([pa.repeat(column.default, values.num_rows)])
            values = values.set_column(index, field, data)
        return ids[order], values


def target(view: ResolvedSnapshot, name: str, span: tuple[int, int], whole: str, ask: Ask) -> TableSchema:
    """The stored table that a statement changes.

    Raises
    ------
    KadeQLBindError
        There is none of this name, or the call hands in a relation that hides it.
    """
    if name.casefold() in {given.casefold() for given in ask.tables}:
        raise KadeQLBindError(
            f"{name!r} is a table of this call, and only the bench's own tables can be changed.",
            text=whole,
            span=span,
            hint=f"Write it into the bench first: bench.write({name!r}, …); or give it another name in tables=….",
        )
    found = view.named(name)
    if found is None:
        hint = choices(name, list(view.tables), "tables")
        raise KadeQLBindError(f"There is no table {name!r}.", text=whole, span=span, hint=hint)
    return found


def _check_nulls(change: RowChange, statement: Update, values: pa.Table) -> None:
    for column, span, data in zip(change.columns, change.values, values.columns, strict=True):
        if not column.nullable and data.null_count:
            raise KadeQLConstraintError(
                f"Column {column.name!r} of table {change.table.name!r} must not be NULL; "
                f"this value is, in {data.null_count:,} of {len(data):,} rows.",
                text=statement.whole,
                span=span,
                hint="Nothing was changed. Give another value where it is NULL: coalesce(…, 0).",
            )


def _rows(
    scan: ScanSource, table: TableSchema, ids: np.ndarray, values: pa.Table, read: ScanCounters
) -> pa.RecordBatchReader:
    """The changed rows with every column of the table: new values, and the rest as it is stored.

    The columns that do not change are streamed from the store past SQL, so that they keep their exact values.
    """
    kept = [index for index, name in enumerate(table.names, 1) if name not in values.column_names]
    if not kept:
        return values.select(table.names).to_reader()
    stream = scan.stream([0, *kept], _among(ids), read)
    types = [
        values.schema.field(name) if name in values.column_names else stream.schema.field(name)
        for name in table.names
    ]
    schema = pa.schema(types)
    return pa.RecordBatchReader.from_batches(schema, _joined(stream, ids, values, schema))


def _joined(
    stream: pa.RecordBatchReader, ids: np.ndarray, values: pa.Table, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    values = values.combine_chunks()
    for batch in stream:
        own = batch.column(0).to_numpy()
        places = np.minimum(np.searchsorted(ids, own), len(ids) - 1)
        wanted = ids[places] == own
        if not wanted.any():
            continue
        if not wanted.all():
            batch = batch.filter(pa.array(wanted))
        new = values.take(places[wanted])
        columns = [
            new.column(name) if name in new.column_names else pa.chunked_array([batch.column(name)])
            for name in schema.names
        ]
        yield from pa.Table.from_arrays(columns, schema=schema).to_batches()


def _among(ids: np.ndarray) -> Sequence[Predicate]:
    """What the scan needs to read: few rows by their ids, many by the range of theirs."""
    low, high = int(ids[0]), int(ids[-1])
    if len(ids) <= _LISTED and len(ids) < high - low + 1:
        return (In(ROW_ID, tuple(ids.tolist()), "BIGINT"),)
    return (And(Comparison(ROW_ID, ">=", low, "BIGINT"), Comparison(ROW_ID, "<=", high, "BIGINT")),)
