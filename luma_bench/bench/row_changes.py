"""DELETE, UPDATE and TRUNCATE as they run: a query finds row ids and new values, the transaction changes the rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.casts import column_types
from luma_bench.bench.defaults import constant_default, is_expression, writable
from luma_bench.bench.finding import Finder
from luma_bench.bench.returned import returned
from luma_bench.bench.runner import Runner
from luma_bench.bench.sink import Sink, among, joined
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLConstraintError, choices
from luma_bench.language import Delete, Truncate, Update
from luma_bench.plan.dml import RowChange, TypesOf, delete_change, update_change
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.graph import GRAPH, holds_no_rows
from luma_bench.types.schema import TableSchema

_NO_ROWS = np.zeros(0, np.int64)


class RowChanger:
    """Runs the statements that change rows over one set of engines."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def run(
        self, statement: Delete | Truncate | Update, finder: Finder, inside: StoreTransaction
    ) -> tuple[int, pa.Table | None]:
        """Change the rows that the statement finds in the transaction's view; how many there were, and what it returns.

        Raises
        ------
        KadeQLError
            A name, type or value is wrong, or a constraint is broken; it points into the user's text.
        """
        table = target(finder.view, statement.table, statement.table_span, statement.whole, finder.ask)
        returning = None if isinstance(statement, Truncate) else statement.returning
        sink = Sink(self._runner.store, inside, table, keep=returning is not None, caps=finder.ask.caps)
        if isinstance(statement, Update):
            change = update_change(statement, table, types_of(self._runner, table, finder), statement.whole)
            count = self._update(change, statement, finder, sink)
        else:
            change = delete_change(statement, table)
            count = sink.delete(self._found(change, finder)[0], finder.read)
        rows = None if returning is None else returned(finder, returning, table, sink.rows)
        return count, rows

    def _update(self, change: RowChange, statement: Update, finder: Finder, sink: Sink) -> int:
        ids, values = self._found(change, finder)
        if not len(ids):
            return 0
        check_nulls(change, statement.whole, values)
        return sink.replace(ids, self._rows(change, ids, values, finder))

    def _found(self, change: RowChange, finder: Finder) -> tuple[np.ndarray, pa.Table]:
        """The sorted row ids, none twice, and in the same order the new values under the columns' names."""
        if change.query is None:
            scan = self._runner.store.scan(finder.view, change.table.name)
            found = scan.stream([0], (), finder.read).read_all()
        else:
            found = finder.run(change.query, change.span)
        ids = found.column(0).combine_chunks().to_numpy() if found.num_rows else _NO_ROWS
        check_width(change, found.num_columns - 1)
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        # A row that several rows of FROM or USING find is one row; the last of its new values counts.
        last = np.append(ids[1:] != ids[:-1], True) if len(ids) else np.zeros(0, bool)
        if not last.all():
            ids, order = ids[last], order[last]
        if not change.columns:
            return ids, found.select([])
        return ids, named_values(change, found.select(range(1, found.num_columns)).take(pa.array(order)))

    def _rows(
        self, change: RowChange, ids: np.ndarray, values: pa.Table, finder: Finder
    ) -> pa.RecordBatchReader:
        """The changed rows: new values, and the rest as it is stored; what the table computes is left out.

        The columns that do not change are streamed from the store past SQL, so that they keep their exact values.
        """
        table = change.table
        names = [column.name for column in writable(table)]
        left = {
            column.name
            for column, default in zip(change.columns, change.defaults, strict=True)
            if default and is_expression(table, column)
        }
        names = [name for name in names if name not in left]
        values = values.select([name for name in values.column_names if name not in left])
        kept = [
            index
            for index, name in enumerate(table.names, 1)
            if name in names and name not in values.column_names
        ]
        if not kept and values.num_columns:
            return values.select(names).to_reader()
        scan = self._runner.store.scan(finder.view, table.name)
        stream = scan.stream([0, *kept], among(ids), finder.read)
        types = [
            values.schema.field(name) if name in values.column_names else stream.schema.field(name)
            for name in names
        ]
        schema = pa.schema(types)
        return pa.RecordBatchReader.from_batches(schema, joined(stream, ids, values, schema))


def types_of(runner: Runner, table: TableSchema, finder: Finder) -> TypesOf:
    """The SQL types of a table's columns, asked when they are needed."""
    return lambda names: column_types(runner, table, names, finder.ask, finder.view)


def check_width(change: RowChange, columns: int) -> None:
    """Refuse a value that is several.

    Raises
    ------
    KadeQLBindError
        The query gave another number of values than SET has columns.
    """
    if columns != len(change.columns):
        assert change.query is not None
        raise KadeQLBindError(
            "A value in SET gives several columns.",
            text=change.query.whole,
            span=change.span,
            hint="Give one value for each column: UPDATE t SET a = 1, b = 2.",
        )


def named_values(change: RowChange, values: pa.Table) -> pa.Table:
    """New values under their columns' names, with constant DEFAULTs in place."""
    for index, (column, default) in enumerate(zip(change.columns, change.defaults, strict=True)):
        field = pa.field(column.name, values.schema.field(index).type)
        data = values.column(index)
        if default:
            field = pa.field(column.name, column.type)
            data = constant_default(column, values.num_rows)
        values = values.set_column(index, field, data)
    return values


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
    if found is None and (item := view.object("view", name)) is not None:
        error = CatalogError.is_view(item.name)
        raise KadeQLBindError(error.message, text=whole, span=span, hint=error.hint)
    if found is None and (graph := view.object(GRAPH, name)) is not None:
        error = holds_no_rows(graph.name)
        raise KadeQLBindError(error.message, text=whole, span=span, hint=error.hint)
    if found is None:
        hint = choices(name, list(view.tables), "tables")
        raise KadeQLBindError(f"There is no table {name!r}.", text=whole, span=span, hint=hint)
    return found


def check_nulls(change: RowChange, whole: str, values: pa.Table) -> None:
    """Refuse NULL for columns that take none.

    Raises
    ------
    KadeQLConstraintError
        A new value is NULL; it points at the value.
    """
    computed = {column.name for column in change.columns if is_expression(change.table, column)}
    for column, span, default, data in zip(
        change.columns, change.values, change.defaults, values.columns, strict=True
    ):
        if default and column.name in computed:
            continue
        if not column.nullable and data.null_count:
            raise KadeQLConstraintError(
                f"Column {column.name!r} of table {change.table.name!r} must not be NULL; "
                f"this value is, in {data.null_count:,} of {len(data):,} rows.",
                text=whole,
                span=span,
                hint="Nothing was changed. Give another value where it is NULL: coalesce(…, 0).",
            )
