"""MERGE INTO as it runs: one query says what becomes of which row, then the rows are taken away and written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.defaults import constant_default, is_expression, writable
from luma_bench.bench.finding import Finder
from luma_bench.bench.returned import returned
from luma_bench.bench.row_changes import target, types_of
from luma_bench.bench.runner import Runner
from luma_bench.bench.sink import Sink
from luma_bench.errors import KadeQLConstraintError
from luma_bench.language import Merge
from luma_bench.plan.merge import Acting, MergePlan, merge_plan, takes_all
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.schema import TableSchema

_NOT_GIVEN = np.iinfo(np.int32).min


class Merger:
    """Runs MERGE INTO over one set of engines."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def run(self, statement: Merge, finder: Finder, inside: StoreTransaction) -> tuple[int, pa.Table | None]:
        """Merge the source into the table; how many rows were inserted, updated or deleted, and what is returned.

        Raises
        ------
        KadeQLError
            A name, type or value is wrong; a clause says ERROR; two rows of the source would change one row.
        """
        table = target(finder.view, statement.table, statement.table_span, statement.whole, finder.ask)
        plan = self.plan(statement, table, finder)
        found = finder.run(plan.query, statement.table_span)
        sink = Sink(
            self._runner.store, inside, table, keep=statement.returning is not None, caps=finder.ask.caps
        )
        work = _Work(statement, table, plan, found, sink, finder)
        count = work.run()
        shown = None
        if statement.returning is not None:
            order = np.argsort(work.order, kind="stable")
            actions = pa.array(work.actions, pa.string()).take(pa.array(order))
            shown = returned(finder, statement.returning, table, sink.rows.take(pa.array(order)), actions)
        return count, shown

    def plan(self, statement: Merge, table: TableSchema, finder: Finder) -> MergePlan:
        """The query of a MERGE; the source is described first when its columns are taken as they come."""
        source: Sequence[str] = ()
        if takes_all(statement):
            source = finder.columns(statement.sources)
        names = [column.name for column in writable(table)]
        return merge_plan(statement, table, names, source, types_of(self._runner, table, finder))


class _Work:
    """One MERGE with its rows found."""

    def __init__(
        self,
        statement: Merge,
        table: TableSchema,
        plan: MergePlan,
        found: pa.Table,
        sink: Sink,
        finder: Finder,
    ) -> None:
        self.order: np.ndarray = np.zeros(0, np.int64)
        self.actions: list[str] = []
        self._statement = statement
        self._table = table
        self._plan = plan
        self._found = found
        self._sink = sink
        self._finder = finder
        count = found.num_rows
        rows, action = found.column(0), found.column(1)
        self._ids = rows.fill_null(-1).combine_chunks().to_numpy() if count else np.zeros(0, np.int64)
        self._action = (
            action.fill_null(_NOT_GIVEN).combine_chunks().to_numpy() if count else np.zeros(0, np.int32)
        )
        self._orders: list[np.ndarray] = []

    def run(self) -> int:
        self._check_errors()
        places = {item.number: np.flatnonzero(self._action == item.number) for item in self._plan.clauses}
        acting = [(item, places[item.number]) for item in self._plan.clauses if len(places[item.number])]
        updates = [(item, rows) for item, rows in acting if item.clause.action == "update"]
        deletes = [(item, rows) for item, rows in acting if item.clause.action == "delete"]
        inserts = [(item, rows) for item, rows in acting if item.clause.action == "insert"]
        self._check_once([rows for _, rows in (*updates, *deletes)])
        old = self._old([rows for _, rows in updates])
        written = [self._updated(item, rows, old) for item, rows in updates]
        written += [self._inserted(item, rows) for item, rows in inserts]
        count = self._delete(deletes)
        gone = np.sort(self._ids[np.concatenate([rows for _, rows in updates])]) if updates else None
        for (item, rows), data in zip((*updates, *inserts), written, strict=True):
            if gone is not None:
                # The first write takes away every row that an update replaces, so that keys may change places.
                self._sink.replace(gone, data)
                gone = None
            else:
                self._sink.append(data)
            count += data.num_rows
            self._did(item, rows)
        self.order = np.concatenate(self._orders) if self._orders else self.order
        return count

    def _did(self, item: Acting, rows: np.ndarray) -> None:
        self._orders.append(rows)
        self.actions += [item.clause.action.upper()] * len(rows)

    def _delete(self, deletes: list[tuple[Acting, np.ndarray]]) -> int:
        if not deletes:
            return 0
        rows = np.concatenate([rows for _, rows in deletes])
        rows = rows[np.argsort(self._ids[rows], kind="stable")]
        self._did(deletes[0][0], rows)
        return self._sink.delete(self._ids[rows], self._finder.read)

    def _check_errors(self) -> None:
        for item in self._plan.clauses:
            if item.clause.action != "error":
                continue
            rows = np.flatnonzero(self._action == item.number)
            if len(rows):
                said = (
                    self._found.column(self._found.num_columns - 1)[int(rows[0])].as_py()
                    if self._plan.has_message
                    else None
                )
                raise KadeQLConstraintError(
                    f"MERGE INTO {self._table.name!r} stops at ERROR{f': {said}' if said else ''}.",
                    text=self._statement.whole,
                    span=item.clause.span,
                    hint=f"Nothing was changed; the clause takes {len(rows):,} row{'s' * (len(rows) > 1)}.",
                )

    def _check_once(self, groups: list[np.ndarray]) -> None:
        if not groups:
            return
        ids = np.sort(self._ids[np.concatenate(groups)])
        twice = np.flatnonzero(ids[1:] == ids[:-1])
        if len(twice):
            raise KadeQLConstraintError(
                f"MERGE INTO {self._table.name!r} would change a row twice: several rows of the source match it.",
                text=self._statement.whole,
                span=self._statement.rows.span,
                hint="Nothing was changed. Keep one row of the source for each row: GROUP BY its key, or DISTINCT ON (key).",
            )

    def _old(self, groups: list[np.ndarray]) -> tuple[np.ndarray, pa.Table] | None:
        """The rows that are updated as they are stored, under their sorted ids."""
        if not groups:
            return None
        ids = np.sort(self._ids[np.concatenate(groups)])
        return ids, self._sink.stored(ids, self._finder.read)

    def _updated(self, item: Acting, rows: np.ndarray, old: tuple[np.ndarray, pa.Table] | None) -> pa.Table:
        assert old is not None
        kept = old[1].take(pa.array(np.searchsorted(old[0], self._ids[rows])))
        return self._table_of(item, rows, kept)

    def _inserted(self, item: Acting, rows: np.ndarray) -> pa.Table:
        return self._table_of(item, rows, None)

    def _table_of(self, item: Acting, rows: np.ndarray, kept: pa.Table | None) -> pa.Table:
        """The rows of a clause with every column that takes values, but for those that expressions give."""
        fields: list[pa.Field] = []
        columns: list[pa.ChunkedArray] = []
        taken = self._found.take(pa.array(rows)) if item.given else self._found
        for column in writable(self._table):
            place = item.given.get(column.name)
            if place is not None:
                data = taken.column(2 + place)
                fields.append(taken.schema.field(2 + place).with_name(column.name))
                self._check_null(item, column.name, data)
            elif kept is not None and column.name not in item.defaults:
                data = kept.column(column.name)
                fields.append(column.field)
            elif is_expression(self._table, column):
                continue
            else:
                data = constant_default(column, len(rows))
                fields.append(column.field)
                self._check_null(item, column.name, data)
            columns.append(data)
        schema = pa.schema([field.with_nullable(True) for field in fields])
        if not columns:
            batch = pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows), pa.struct([])))
            return pa.Table.from_batches([batch])
        return pa.Table.from_arrays(columns, schema=schema)

    def _check_null(self, item: Acting, name: str, data: pa.ChunkedArray) -> None:
        if data.null_count and not self._table.column(name).nullable:
            span = item.clause.span
            for given in item.clause.given:
                if given.assignment.column.casefold() == name.casefold():
                    span = given.assignment.value
            raise KadeQLConstraintError(
                f"Column {name!r} of table {self._table.name!r} must not be NULL; this clause gives NULL in "
                f"{data.null_count:,} of {len(data):,} rows.",
                text=self._statement.whole,
                span=span,
                hint="Nothing was changed. Give another value where it is NULL: coalesce(…, 0).",
            )
