"""ON CONFLICT, OR REPLACE and OR IGNORE as they run: rows whose key is there are left out, or update what is there.

Of rows of one statement that have the same key the first counts, as in DuckDB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.bench.cache import PlanCache
from luma_bench.bench.defaults import is_expression, without_computed, writable
from luma_bench.bench.finding import Finder, typed
from luma_bench.bench.row_changes import check_nulls, check_width, named_values, types_of
from luma_bench.bench.runner import Runner
from luma_bench.bench.sink import Sink
from luma_bench.bench.unique_arbiter import AnyArbiter, Arbiter, UniqueArbiter
from luma_bench.engines.duck_kinds import typed_columns, typed_relation
from luma_bench.errors import KadeQLBindError
from luma_bench.language import NEW, NUMBER, OLD, Conflict
from luma_bench.plan.dml import named_column, update_change
from luma_bench.plan.engine import View
from luma_bench.storage.keyed import FREE, held_rows
from luma_bench.storage.keys import KeySet
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.ruled import rules_of
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.schema import TableSchema
from luma_bench.types.sql_text import quoted

_FLAT = "__luma_flat"


@dataclass(frozen=True, slots=True)
class PrimaryKeyArbiter:
    """The table's primary key."""

    table: TableSchema
    pool: BufferPool

    def firsts(self, rows: pa.Table) -> np.ndarray:
        """A boolean for each row: whether no row before it has the same key."""
        return KeySet(self.table, [rows]).firsts()

    def held(self, rows: pa.Table, view: ResolvedSnapshot) -> np.ndarray:
        """The int64 id of the row that each row meets, or `FREE`."""
        keys = rows.select(list(self.table.settings.primary_key))
        return held_rows(view, self.table, [keys], self.pool)


class Conflicts:
    """Writes rows that may meet rows of the table."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._bound: PlanCache[bool] = PlanCache()

    def check(self, conflict: Conflict, table: TableSchema, whole: str, view: ResolvedSnapshot) -> Arbiter:
        """What tells the conflicts that the clause means.

        Raises
        ------
        KadeQLBindError
            The table has no key, or the clause names columns that are none.
        """
        key = table.settings.primary_key
        named = [
            named_column(table, name, span, whole).name
            for name, span in zip(conflict.columns, conflict.column_spans, strict=True)
        ]
        keys = self._keys(table)
        if named:
            keys = {columns: arbiter for columns, arbiter in keys.items() if columns == frozenset(named)}
        if len(keys) == 1:
            return next(iter(keys.values()))
        if keys and conflict.action == "nothing":
            return AnyArbiter(tuple(keys.values()), view)
        if keys:
            raise KadeQLBindError(
                f"Table {table.name!r} has several keys, and it is not said which one is meant.",
                text=whole,
                span=conflict.span,
                hint=f"Name its columns: ON CONFLICT ({', '.join(sorted(next(iter(keys))))}) DO UPDATE SET ….",
            )
        shown = ", ".join(named)
        raise KadeQLBindError(
            f"({shown}) is no key of table {table.name!r}."
            if named
            else f"Table {table.name!r} has no key to conflict with.",
            text=whole,
            span=conflict.span,
            hint=f"Its key is ({', '.join(key)})."
            if key
            else "Give it one: CREATE TABLE t (…, PRIMARY KEY (id)).",
        )

    def _keys(self, table: TableSchema) -> dict[frozenset[str], Arbiter]:
        """What is unique in the table, by the names of the columns: the primary key first."""
        store = self._runner.store
        found: dict[frozenset[str], Arbiter] = {}
        if table.settings.primary_key:
            found[frozenset(table.settings.primary_key)] = PrimaryKeyArbiter(table, store.pool)
        for rule in table.rules.unique:
            unique = UniqueArbiter(table, rule, store, rules_of(table, store.rules))
            found.setdefault(frozenset(unique.columns), unique)
        return found

    def write(
        self,
        conflict: Conflict,
        whole: str,
        rows: pa.Table | pa.RecordBatchReader,
        named: tuple[str, ...],
        finder: Finder,
        inside: StoreTransaction,
        sink: Sink,
    ) -> int:
        """Insert the rows whose key is free, and do what the clause says with the others; how many were written.

        Parameters
        ----------
        named
            The columns that the statement writes: what OR REPLACE sets.
        """
        table = inside.view().find(sink.table.name)
        arbiter = self.check(conflict, table, whole, finder.view)
        complete = inside.prepared(table.name, rows)
        firsts = arbiter.firsts(complete)
        if not firsts.all():
            complete = complete.filter(pa.array(firsts))
        held = arbiter.held(complete, finder.view)
        free = np.flatnonzero(held == FREE)
        plain = without_computed(complete, table)
        if conflict.action == "update" and len(free) == len(held):
            self._check_update(conflict, whole, table, finder, inside)
        if conflict.action == "nothing" or len(free) == len(held):
            return (
                sink.append(plain.take(pa.array(free)) if len(free) < len(held) else plain)
                if len(free)
                else 0
            )
        places = np.flatnonzero(held != FREE)
        places = places[np.argsort(held[places], kind="stable")]
        ids = held[places]
        if len(ids) > 1 and (ids[1:] == ids[:-1]).any():
            keep = np.append(True, ids[1:] != ids[:-1])
            places, ids = places[keep], ids[keep]
        old = sink.stored(ids, finder.read).select(list(table.names))
        met = complete.take(pa.array(places))
        if conflict.action == "replace":
            changed, numbers = self._replaced(table, old, met, named), np.arange(len(ids))
        else:
            changed, numbers = self._updated(conflict, whole, table, old, met, finder, inside)
        count = sink.replace(np.sort(ids[numbers]), changed) if changed.num_rows else 0
        return count + (sink.append(plain.take(pa.array(free))) if len(free) else 0)

    def _replaced(self, table: TableSchema, old: pa.Table, met: pa.Table, named: tuple[str, ...]) -> pa.Table:
        """The rows that are there with the columns that the statement writes."""
        names = [column.name for column in writable(table)]
        columns = [met.column(name) if name in named else old.column(name) for name in names]
        return pa.Table.from_arrays(columns, names=names)

    def _check_update(
        self, conflict: Conflict, whole: str, table: TableSchema, finder: Finder, inside: StoreTransaction
    ) -> None:
        """Bind what DO UPDATE says where no row meets another: a wrong name is wrong without a conflict too."""
        columns = ",".join(f"{column.name} {column.type}" for column in table.columns)
        none = table.arrow.empty_table()

        def bound(_: str) -> bool:
            self._updated(conflict, whole, table, none, none, finder, inside)
            return True

        self._bound.get(f"{table.id}({columns}) {whole}", bound)

    def _updated(
        self,
        conflict: Conflict,
        whole: str,
        table: TableSchema,
        old: pa.Table,
        met: pa.Table,
        finder: Finder,
        inside: StoreTransaction,
    ) -> tuple[pa.Table, np.ndarray]:
        """The rows that DO UPDATE changes, and which of `old` they are."""
        change = update_change(conflict, table, types_of(self._runner, table, finder), whole)
        assert change.query is not None
        numbers = pa.array(np.arange(old.num_rows))
        relations = {OLD: typed(old, table)}
        views: list[View] = []
        excluded = typed(met, table)
        if typed_columns(excluded.schema):
            relations[_FLAT] = excluded.append_column(NUMBER, numbers)
            packed = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in excluded.column_names)
            inner = typed_relation(relations[_FLAT].schema, _FLAT)
            views.append(View(NEW, f'SELECT struct_pack({packed}) AS excluded, "{NUMBER}" FROM ({inner})'))
        else:
            struct = pa.chunked_array([excluded.combine_chunks().to_struct_array().combine_chunks()])
            relations[NEW] = pa.table({"excluded": struct, NUMBER: numbers})
        found = finder.over(change.query, relations, views, plain=(_FLAT,))
        check_width(change, found.num_columns - 1)
        order = found.column(0).to_numpy()
        values = named_values(change, found.select(range(1, found.num_columns)))
        check_nulls(change, whole, values)
        rows = old.take(pa.array(order)).select([column.name for column in writable(table)])
        for index, name in enumerate(rows.column_names):
            if name in values.column_names:
                rows = rows.set_column(index, values.schema.field(name), values.column(name))
        left = [
            column.name
            for column, default in zip(change.columns, change.defaults, strict=True)
            if default and is_expression(table, column)
        ]
        if left:
            rows = without_computed(inside.prepared(table.name, rows.drop_columns(left)), table)
        return rows, order
