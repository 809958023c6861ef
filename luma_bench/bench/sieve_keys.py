"""Keys of the rows of an import: which came before, in the data or in the table."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.storage.key_form import KeyForm
from luma_bench.types.schema import TableSchema

Held = Callable[[pa.Table], np.ndarray]
"""Says of each key of a table of keys whether a row of the bench has it."""

_VALUE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class _Run:
    """Sorted codes of keys that were taken, and the number of each one's row."""

    codes: np.ndarray
    rows: np.ndarray


class Keys:
    """The keys that were taken so far: sorted runs of codes that double in size, and the keys themselves.

    Parameters
    ----------
    table
        Its primary key says what is compared.
    held
        Which keys the table holds already; None where that does not matter.
    what
        What the key is called, for reasons.
    """

    def __init__(self, table: TableSchema, held: Held | None, what: str = "the primary key") -> None:
        self._what = what
        self._table = table
        self._form = KeyForm.of(table)
        self._held = held
        self._runs: list[_Run] = []
        self._tables: list[pa.Table] = []
        self._starts: list[int] = []
        self._rows = 0

    def refused(self, batch: pa.RecordBatch) -> list[tuple[int, str, str]]:
        """Rows whose key came before, here or in the table: row, reason, and the key as text."""
        keys = self._of(batch)
        codes = self._form.codes(self._form.normal(keys.columns))
        found: dict[int, str] = {}
        if self._held is not None:
            for row in np.flatnonzero(self._held(keys)).tolist():
                found[row] = f"The table holds {self._what} already."
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        again = np.zeros(len(codes), bool)
        again[order[1:]] = ordered[1:] == ordered[:-1]
        for run in self._runs:
            place = np.minimum(np.searchsorted(run.codes, codes), len(run.codes) - 1)
            again |= run.codes[place] == codes
        first: dict[tuple[object, ...], int] = {}
        if again.any():
            alike = np.flatnonzero(np.isin(codes, codes[again]))
            for row in alike.tolist():
                key = self._values(keys, row)
                if row in found:
                    continue
                if key in first or self._taken(int(codes[row]), key):
                    found[row] = f"{self._what[0].upper()}{self._what[1:]} is in an earlier row of the data."
                else:
                    first[key] = row
        return [(row, reason, self._text(keys, row)) for row, reason in sorted(found.items())]

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the keys of rows that are none of those refused."""
        if not batch.num_rows:
            return
        keys = self._of(batch)
        codes = self._form.codes(self._form.normal(keys.columns))
        order = np.argsort(codes, kind="stable")
        run = _Run(codes[order], order + self._rows)
        while self._runs and len(self._runs[-1].codes) <= 2 * len(run.codes):
            other = self._runs.pop()
            joined, rows = np.concatenate([other.codes, run.codes]), np.concatenate([other.rows, run.rows])
            order = np.argsort(joined, kind="stable")
            run = _Run(joined[order], rows[order])
        self._runs.append(run)
        if not self._form.exact:
            self._tables.append(keys)
            self._starts.append(self._rows)
        self._rows += batch.num_rows

    def _of(self, batch: pa.RecordBatch) -> pa.Table:
        return pa.Table.from_batches([batch]).select(list(self._table.settings.primary_key))

    def _taken(self, code: int, key: tuple[object, ...]) -> bool:
        """Whether a key was taken: its code is there, and where codes are hashes, a row with it."""
        for run in self._runs:
            low = int(np.searchsorted(run.codes, code, side="left"))
            high = int(np.searchsorted(run.codes, code, side="right"))
            if low < high and self._form.exact:
                return True
            for row in run.rows[low:high].tolist():
                table = bisect.bisect_right(self._starts, row) - 1
                if self._values(self._tables[table], row - self._starts[table]) == key:
                    return True
        return False

    def _values(self, keys: pa.Table, row: int) -> tuple[object, ...]:
        return tuple(_comparable(column[row]) for column in keys.columns)

    def _text(self, keys: pa.Table, row: int) -> str:
        return ", ".join(f"{name}={shown(keys.column(name)[row])}" for name in keys.schema.names)


def _comparable(value: Any) -> object:
    """A value as Python compares it; every NaN is one value."""
    try:
        plain = value.as_py()
    except (OverflowError, ValueError):
        plain = str(value)
    return "NaN" if plain != plain else plain


def shown(value: pa.Scalar) -> str | None:
    """A value as a reject table keeps it; None for NULL."""
    if not value.is_valid:
        return None
    try:
        text = str(value.as_py())
    except (OverflowError, ValueError):
        text = str(value)
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"
