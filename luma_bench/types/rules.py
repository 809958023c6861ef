"""How storage has rows computed and checked without knowing the engine that does it: one small protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import TableSchema

TakeValues = Callable[[str, int], pa.Array]
"""Gives the next values (int64) of the sequence of a token, as many as are asked for."""


class RowRules(Protocol):
    """Computes columns and decides about rows by the rules of their table."""

    def prepared(
        self,
        table: TableSchema,
        given: pa.Schema,
        batches: Iterator[pa.RecordBatch],
        take: TakeValues,
    ) -> Iterator[pa.RecordBatch]:
        """Rows with everything computed and checked.

        Parameters
        ----------
        table
            The table, with its rules.
        given
            The columns that the batches have: those of the table, in its order and types, but for generated columns and
            for columns with a default expression that are left out.
        take
            Gives the values of sequences that defaults ask for.

        Returns
        -------
        Iterator
            The same rows in the same order with every column of the table. Computed columns have an engine's type for
            the column's own.

        Raises
        ------
        ConstraintError
            A row makes a check FALSE, or a column cannot be computed; it names the constraint and the first such row.
        """
        ...

    def refused(
        self, table: TableSchema, given: pa.Schema, batch: pa.RecordBatch
    ) -> Sequence[tuple[int, str]]:
        """The rows of a batch that a check or a generated column refuses, ascending, each with the reason."""
        ...

    def duplicate(
        self, table: ScanSource, columns: Sequence[str], among: pa.Table | None
    ) -> Mapping[str, object] | None:
        """Values that two rows of a table have in these columns, none of them NULL; None when there are none.

        `among` are the only values to look for; None for all.
        """
        ...

    def unmatched(
        self,
        rows: pa.Table | ScanSource,
        columns: Sequence[str],
        table: ScanSource,
        referenced: Sequence[str],
    ) -> Mapping[str, object] | None:
        """Values of `columns`, none of them NULL, that no row of a table has in `referenced`; None when all are there."""
        ...

    def matched(self, table: ScanSource, columns: Sequence[str], values: pa.Table) -> pa.Table:
        """The distinct rows of `values` that some row of a table has in `columns`, under these names."""
        ...

    def holders(
        self, rows: pa.Table, columns: Sequence[str], table: ScanSource, referenced: Sequence[str]
    ) -> np.ndarray:
        """The int64 id of the row of a table that has in `referenced` what each of `rows` has in `columns`, -1 for none.

        A row with a NULL among them has none. No two rows of the table have the same values there.
        """
        ...

    def holds(self, table: TableSchema, source: ScanSource, names: Sequence[str]) -> None:
        """Make sure that the rows of a table pass the checks of these names.

        Raises
        ------
        ConstraintError
            One does not.
        """
        ...
