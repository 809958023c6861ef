"""Rules between rows, checked when a statement has staged all that it does: unique columns and foreign keys.

What they are compared with may change before the commit, in another process too; so each comparison leaves a reliance,
and the commit is a conflict when one of them does not hold any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ConstraintError, SchemaError
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.fit import family
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.types.constraints import ITSELF, ForeignKey, Unique
from luma_bench.types.predicate import And, Comparison, In, Predicate
from luma_bench.types.rules import RowRules
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID, TableSchema

if TYPE_CHECKING:
    from luma_bench.storage.draft import TableDraft

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

ADDS: Final = frozenset({"append", "update", "upsert", "replace", "create", "alter"})
"""Operations that may bring a value into a column."""
TAKES: Final = frozenset({"delete", "update", "upsert", "replace", "drop", "alter"})
"""Operations that may take a value out of a column."""
_LISTED = 1024


@dataclass(slots=True)
class Touched:
    """The values of the columns that rules compare: of rows that a statement wrote, and of rows that it took away."""

    written: list[pa.Table] = field(default_factory=list[pa.Table])
    removed: list[pa.Table] = field(default_factory=list[pa.Table])


def parent_of(view: ResolvedSnapshot, table: TableSchema, key: ForeignKey) -> TableSchema:
    """The table that a foreign key of `table` refers to."""
    if key.table == ITSELF:
        return table
    found = next((other for other in view.tables.values() if other.id == key.table), None)
    if found is None:
        raise CatalogError(f"The table that {key.name!r} of table {table.name!r} refers to is not there.")
    return found


def referring(view: ResolvedSnapshot, table: TableSchema) -> list[tuple[TableSchema, ForeignKey]]:
    """The foreign keys that refer to a table, each with its own table."""
    return [
        (other, key)
        for other in view.tables.values()
        for key in other.rules.foreign
        if key.table == table.id or (key.table == ITSELF and other.id == table.id)
    ]


def compared(table: TableSchema) -> tuple[str, ...]:
    """The names of the columns whose values in written rows are compared with other rows."""
    ids = {column for rule in (*table.rules.unique, *table.rules.foreign) for column in rule.columns}
    return tuple(column.name for column in table.columns if column.id in ids)


def check_unreferenced(view: ResolvedSnapshot, table: TableSchema, doing: str) -> None:
    """Refuse what takes a table away that others refer to.

    Raises
    ------
    ConstraintError
        Naming one of them.
    """
    for other, key in referring(view, table):
        if other.id != table.id:
            raise ConstraintError(
                f"Table {table.name!r} cannot be {doing}: the foreign key {key.name!r} of table {other.name!r} refers to it.",
                hint=f"Drop it first: ALTER TABLE {other.name} DROP CONSTRAINT {key.name}; or change rows with DELETE, UPDATE and INSERT.",
            )


def check_definition(view: ResolvedSnapshot, before: TableSchema, after: TableSchema) -> None:
    """Refuse a definition whose foreign keys refer to nothing unique, or that takes from under another's what it refers to.

    Raises
    ------
    SchemaError
        Naming the foreign key.
    """
    for key in after.rules.foreign:
        if key not in before.rules.foreign or key.table == ITSELF:
            _check_target(after, key, after if key.table == ITSELF else parent_of(view, after, key))
    for child, key in referring(view, before):
        if child.id != before.id:
            _check_target(child, key, after)


def _check_target(table: TableSchema, key: ForeignKey, parent: TableSchema) -> None:
    columns = {column.id: column for column in parent.columns}
    own = {column.id: column for column in table.columns}
    what = f"The foreign key {key.name!r} of table {table.name!r}"
    drop = f"Drop the foreign key first: ALTER TABLE {table.name} DROP CONSTRAINT {key.name}."
    if not set(key.referenced) <= columns.keys():
        raise SchemaError(
            f"{what} refers to a column of table {parent.name!r} that would be gone.", hint=drop
        )
    names = [columns[number].name for number in key.referenced]
    sets = [{*parent.settings.primary_key}]
    sets += [{columns[number].name for number in rule.columns} for rule in parent.rules.unique]
    if set(names) not in sets:
        raise SchemaError(
            f"{what} refers to ({', '.join(names)}) of table {parent.name!r}, which is neither its PRIMARY KEY nor UNIQUE.",
            hint=f"Refer to its key, or make them unique first: ALTER TABLE {parent.name} ADD UNIQUE ({', '.join(names)}).",
        )
    for mine, other in zip(key.columns, key.referenced, strict=True):
        if family(own[mine].type) != family(columns[other].type):
            raise SchemaError(
                f"{what} compares {own[mine].name!r} of type {own[mine].type} with {columns[other].name!r} of type {columns[other].type}.",
                hint="Give both columns one type.",
            )


class Between:
    """Checks what is staged over one view.

    Parameters
    ----------
    scan
        Gives a table's rows as the view has them.
    rely
        Notes what must not happen to a table before the commit.
    """

    def __init__(
        self,
        rules: RowRules,
        view: ResolvedSnapshot,
        scan: Callable[[TableSchema], TableScan],
        rely: Callable[[TableSchema, frozenset[str]], None],
    ) -> None:
        self._rules = rules
        self._view = view
        self._scan = scan
        self._rely = rely

    def check_new(self, before: TableSchema, after: TableSchema) -> None:
        """Check the rows that are there against rules that a table gets.

        Raises
        ------
        ConstraintError
            A row breaks one.
        """
        checks = [rule.name for rule in after.rules.checks if rule not in before.rules.checks]
        if checks:
            self._rules.holds(after, self._scan(after), checks)
        for rule in after.rules.unique:
            if rule not in before.rules.unique:
                self.unique(after, rule)
        for key in after.rules.foreign:
            if key not in before.rules.foreign:
                self.foreign(after, key, None)

    def check(self, touched: Mapping[TableDraft, Touched]) -> None:
        """Check every rule that the staged rows may break.

        Raises
        ------
        ConstraintError
            One is broken; it names the constraint and the values.
        """
        for draft, found in touched.items():
            if draft.dropped:
                continue
            table = draft.schema
            for rule in table.rules.unique:
                self._unique(table, rule, found.written)
            for key in table.rules.foreign:
                self.foreign(table, key, found.written)
            for child, key in referring(self._view, table):
                self._referenced(table, child, key, found.removed)

    def unique(self, table: TableSchema, rule: Unique) -> None:
        """Check a whole table."""
        self._rely(table, ADDS)
        self._twice(table, rule, self._rules.duplicate(self._scan(table), _names(table, rule.columns), None))

    def foreign(self, table: TableSchema, key: ForeignKey, rows: Sequence[pa.Table] | None) -> None:
        """Check rows (None: every row) of a table against the table that they refer to."""
        names = _names(table, key.columns)
        values = self._scan(table) if rows is None else _distinct(rows, names)
        if not isinstance(values, TableScan) and not values.num_rows:
            return
        parent = parent_of(self._view, table, key)
        referenced = _names(parent, key.referenced)
        self._rely(parent, TAKES)
        missing = self._rules.unmatched(values, names, self._scan(parent), referenced)
        if missing is not None:
            raise ConstraintError(
                f"The constraint {key.name!r} of table {table.name!r} is violated: no row of table {parent.name!r} has "
                f"{shown(dict(zip(referenced, missing.values(), strict=True)))}.",
                hint="Nothing was written. Write the row that is referred to first, or give NULL.",
            )

    def _unique(self, table: TableSchema, rule: Unique, rows: Sequence[pa.Table]) -> None:
        names = _names(table, rule.columns)
        values = _distinct(rows, names)
        if values.num_rows:
            self._rely(table, ADDS)
            self._twice(table, rule, self._rules.duplicate(self._scan(table), names, values))

    def _twice(self, table: TableSchema, rule: Unique, values: Mapping[str, object] | None) -> None:
        if values is not None:
            raise ConstraintError(
                f"The constraint {rule.name!r} of table {table.name!r} is violated: two rows would have {shown(values)}.",
                hint="Nothing was written. These columns are UNIQUE: keep one row for each combination of their values.",
            )

    def _referenced(
        self, table: TableSchema, child: TableSchema, key: ForeignKey, rows: Sequence[pa.Table]
    ) -> None:
        referenced, columns = _names(table, key.referenced), _names(child, key.columns)
        values = _distinct(rows, referenced)
        if not values.num_rows:
            return
        self._rely(child, ADDS)
        held = self._rules.matched(self._scan(child), columns, values.rename_columns(list(columns)))
        if not held.num_rows:
            return
        # An update takes a row out and puts one in: what the table has again is not gone.
        missing = self._rules.unmatched(held, columns, self._scan(table), referenced)
        if missing is not None:
            raise ConstraintError(
                f"The constraint {key.name!r} of table {child.name!r} is violated: a row of it still refers to "
                f"{shown(dict(zip(referenced, missing.values(), strict=True)))} of table {table.name!r}.",
                hint="Nothing was changed. Delete or change the rows that refer to it first.",
            )


def scan_of(view: ResolvedSnapshot, table: TableSchema, pool: BufferPool, settings: Settings) -> TableScan:
    """The rows of a table as a view has them."""
    return TableScan(table, view.segments(table.id), view.inline(table.id), pool, settings)


def rows_at(scan: TableScan, ids: np.ndarray, names: Sequence[str]) -> pa.Table:
    """Some columns of the rows with these sorted row ids, in no order."""
    indexes = [0, *(scan.schema.get_field_index(name) for name in names)]
    low, high = int(ids[0]), int(ids[-1])
    predicate: Predicate = And(
        Comparison(ROW_ID, ">=", low, "BIGINT"), Comparison(ROW_ID, "<=", high, "BIGINT")
    )
    if len(ids) <= _LISTED and len(ids) < high - low + 1:
        predicate = In(ROW_ID, tuple(ids.tolist()), "BIGINT")
    found: list[pa.RecordBatch] = []
    stream = scan.stream(indexes, [predicate], ScanCounters())
    for batch in stream:
        own = batch.column(0).to_numpy()
        places = np.minimum(np.searchsorted(ids, own), len(ids) - 1)
        found.append(batch.filter(pa.array(ids[places] == own)))
    return pa.Table.from_batches(found, stream.schema).drop_columns([ROW_ID])


def shown(values: Mapping[str, object]) -> str:
    """Values for messages: `(a=1, b='x')`."""
    return f"({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def _names(table: TableSchema, ids: Iterable[int]) -> tuple[str, ...]:
    names = table.by_id
    return tuple(names[number] for number in ids)


def _distinct(rows: Sequence[pa.Table], names: Sequence[str]) -> pa.Table:
    """The rows without a NULL among these columns."""
    if not rows:
        return pa.table({name: pa.array([], pa.null()) for name in names})
    table = pa.concat_tables(
        [piece.select(list(dict.fromkeys(names))) for piece in rows], promote_options="permissive"
    )
    keep = None
    for name in table.column_names:
        if table.column(name).null_count:
            valid = pc.is_valid(table.column(name))
            keep = valid if keep is None else pc.and_(keep, valid)
    return table if keep is None else table.filter(keep)
