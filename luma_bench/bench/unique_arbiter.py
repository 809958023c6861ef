"""Which rows meet rows that are there by UNIQUE columns: what ON CONFLICT and imports with rejects ask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.keys import KeySet
from luma_bench.storage.store import ResolvedSnapshot, Store
from luma_bench.types.constraints import Unique
from luma_bench.types.rules import RowRules
from luma_bench.types.schema import TableSchema, TableSettings


class Arbiter(Protocol):
    """Tells which rows meet a row that is there, by one key or by several."""

    def firsts(self, rows: pa.Table) -> np.ndarray:
        """A boolean for each row: whether no row before it has the same key."""
        ...

    def held(self, rows: pa.Table, view: ResolvedSnapshot) -> np.ndarray:
        """The int64 id of the row that each row meets, or -1."""
        ...


@dataclass(frozen=True, slots=True)
class UniqueArbiter:
    """UNIQUE columns of a table as an `Arbiter`: a row with a NULL among them meets none."""

    table: TableSchema
    rule: Unique
    store: Store
    rules: RowRules

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        names = self.table.by_id
        return tuple(names[number] for number in self.rule.columns)

    def firsts(self, rows: pa.Table) -> np.ndarray:
        """A boolean for each row: whether no row before it has the same values."""
        whole = np.ones(rows.num_rows, bool)
        present = present_in(rows, self.columns)
        keyed = keyed_by(self.table, self.columns)
        keys = rows.select(list(self.columns)).filter(pa.array(present))
        whole[present] = KeySet(keyed, [keys]).firsts()
        return whole

    def held(self, rows: pa.Table, view: ResolvedSnapshot) -> np.ndarray:
        """The int64 id of the row that each row meets, or -1."""
        scan = self.store.scan(view, self.table.name)
        return self.rules.holders(rows, self.columns, scan, self.columns)


@dataclass(frozen=True, slots=True)
class AnyArbiter:
    """Several keys at once: a row meets what any of them finds."""

    arbiters: tuple[Arbiter, ...]
    view: ResolvedSnapshot

    def firsts(self, rows: pa.Table) -> np.ndarray:
        """A boolean for each row: whether no row before it that is inserted has the same values under one of the keys."""
        free = self.held(rows, self.view) < 0
        inserted = rows.filter(pa.array(free))
        each = [arbiter.firsts(inserted) for arbiter in self.arbiters]
        whole = np.ones(rows.num_rows, bool)
        if all(firsts.all() for firsts in each):
            return whole
        # A row that is left out by one key frees its values under the others, so the rows are taken one by one.
        kept = np.ones(inserted.num_rows, bool)
        for row in range(inserted.num_rows):
            chosen = np.flatnonzero(kept[: row + 1])
            part = inserted.take(pa.array(chosen))
            kept[row] = all(arbiter.firsts(part)[-1] for arbiter in self.arbiters)
        whole[free] = kept
        return whole

    def held(self, rows: pa.Table, view: ResolvedSnapshot) -> np.ndarray:
        """The int64 id of the row that each row meets, or -1."""
        found = np.full(rows.num_rows, -1, np.int64)
        for arbiter in self.arbiters:
            found = np.where(found < 0, arbiter.held(rows, view), found)
        return found


def present_in(rows: pa.Table, columns: tuple[str, ...]) -> np.ndarray:
    """A boolean for each row: whether none of the columns is NULL."""
    present = np.ones(rows.num_rows, bool)
    for name in columns:
        present &= pc.is_valid(rows.column(name)).to_numpy(zero_copy_only=False)
    return present


def keyed_by(table: TableSchema, columns: tuple[str, ...]) -> TableSchema:
    """The table as if these columns were its primary key."""
    kept = tuple(replace(column, nullable=False) for column in table.columns if column.name in columns)
    return replace(table, columns=kept, settings=TableSettings(primary_key=columns))
