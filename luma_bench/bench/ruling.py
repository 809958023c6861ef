"""The constraints of a table, for the rows of an import: each row that breaks one, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.sieve_keys import Keys
from luma_bench.bench.unique_arbiter import keyed_by, present_in
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.rules_between import parent_of
from luma_bench.types.rules import RowRules
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import TableSchema


class Ruling:
    """Checks, generated columns, UNIQUE columns and foreign keys of one import.

    What refers to the table itself is left to the write, which sees all rows.

    Parameters
    ----------
    scan
        Gives a table's rows as the view has them.
    appends
        Whether rows are only added: else a row may take the place of the one that it equals.
    """

    def __init__(
        self,
        table: TableSchema,
        given: pa.Schema,
        rules: RowRules,
        view: ResolvedSnapshot,
        scan: Callable[[TableSchema], ScanSource],
        *,
        appends: bool,
    ) -> None:
        self._table = table
        self._given = given
        self._rules = rules
        self._view = view
        self._scan = scan
        self._unique: list[tuple[tuple[str, ...], Keys]] = []
        names = table.by_id
        for rule in table.rules.unique:
            columns = tuple(names[number] for number in rule.columns)
            if set(columns) <= set(given.names):
                known = Keys(
                    keyed_by(table, columns),
                    (lambda keys, of=columns: self._held(keys, of)) if appends else None,
                    f"the value of {rule.name!r}",
                )
                self._unique.append((columns, known))

    def refused(self, batch: pa.RecordBatch) -> list[tuple[int, str, str]]:
        """The rows that break a constraint, ascending: row, reason, and the values as text."""
        rows = pa.Table.from_batches([batch])
        found: dict[int, tuple[str, str]] = {}
        if self._table.rules.on_rows:
            for row, reason in self._rules.refused(self._table, self._given, batch):
                found[row] = (reason, "")
        for row, reason in self._orphans(rows):
            found.setdefault(row, (reason, ""))
        # Only rows that are good otherwise can be the earlier one of two.
        for columns, known in self._unique:
            good = present_in(rows, columns)
            good[list(found)] = False
            places = np.flatnonzero(good)
            part = batch.take(pa.array(places))
            for row, reason, shown in known.refused(part) if part.num_rows else ():
                found[int(places[row])] = (reason, shown)
        return [(row, *told) for row, told in sorted(found.items())]

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows, none of which was refused."""
        rows = pa.Table.from_batches([batch])
        for columns, known in self._unique:
            known.add(batch.filter(pa.array(present_in(rows, columns))))

    def _orphans(self, rows: pa.Table) -> Sequence[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        names = self._table.by_id
        for key in self._table.rules.foreign:
            parent = parent_of(self._view, self._table, key)
            columns = tuple(names[number] for number in key.columns)
            if parent.id == self._table.id or not set(columns) <= set(rows.column_names):
                continue
            referenced = [parent.by_id[number] for number in key.referenced]
            missing = self._rules.holders(rows, columns, self._scan(parent), referenced) < 0
            reason = f"The constraint {key.name!r} is violated: table {parent.name!r} has no such row."
            found += [(row, reason) for row in np.flatnonzero(missing & present_in(rows, columns)).tolist()]
        return found

    def _held(self, keys: pa.Table, columns: tuple[str, ...]) -> np.ndarray:
        return self._rules.holders(keys, columns, self._scan(self._table), columns) >= 0
