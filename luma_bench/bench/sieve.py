"""Telling rows that a table can take from those that it cannot, with the reason for each."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import ConstraintError, SchemaError
from luma_bench.storage.fit import Fit
from luma_bench.storage.key_form import KeyForm
from luma_bench.types.reject import Late, Portion
from luma_bench.types.schema import Column, TableSchema, TableSettings

Held = Callable[[pa.Table], np.ndarray]
"""Says of each key of a table of keys whether a row of the bench has it."""

_VALUE_LENGTH = 200


class Sieve:
    """Sorts the rows of an import: values that fit their columns, NULLs, and primary keys.

    Parameters
    ----------
    table
        The table that the rows are for.
    data
        The columns of the rows.
    held
        Which keys the table holds already; None where such rows are taken: create, replace, upsert.

    Raises
    ------
    SchemaError
        A column is not the table's, or none of its values could ever fit.
    """

    def __init__(self, table: TableSchema, data: pa.Schema, held: Held | None) -> None:
        self._whole = Fit.of(table, data)
        names = {field.name: table.column(field.name) for field in data}
        self._columns = [
            (i, column, _fit_of(table, column, data.field(i))) for i, column in enumerate(names.values())
        ]
        self._keys = _Keys(table, held) if table.settings.primary_key else None

    @property
    def schema(self) -> pa.Schema:
        """The table's columns, as the rows come out."""
        return self._whole.schema

    def split(self, portion: Portion) -> tuple[pa.RecordBatch, list[Late], int]:
        """The rows that the table can take, in its columns; what is wrong with the others; and how many they are."""
        late: list[Late] = []
        bad = np.zeros(portion.batch.num_rows, bool)
        fitted = self._fitted(portion.batch)
        if fitted is None:
            for index, column, fit in self._columns:
                for row, reason in _wrong(fit, portion.batch.select([index]), 0):
                    bad[row] = True
                    value = portion.batch.column(index)[row]
                    late.append(_late(portion, row, column.name, reason, _shown(value)))
            batch = portion.batch.filter(pa.array(~bad))
            fitted = self._fitted(batch)
            if fitted is None:  # a rule over several columns, of which there is none
                raise SchemaError("The rows do not fit, though each of their columns does.")
        if self._keys is not None and fitted.num_rows:
            places = np.flatnonzero(~bad)
            twice = self._keys.refused(fitted)
            for row, reason, shown in twice:
                bad[places[row]] = True
                late.append(_late(portion, int(places[row]), None, reason, shown))
            if twice:
                keep = np.ones(fitted.num_rows, bool)
                keep[[row for row, _, _ in twice]] = False
                fitted = fitted.filter(pa.array(keep))
            self._keys.add(fitted)
        return fitted, late, int(bad.sum())

    def _fitted(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        if not batch.num_rows:
            return pa.RecordBatch.from_pylist([], schema=self._whole.schema)
        try:
            return next(self._whole.stream(iter([batch])))
        except (SchemaError, ConstraintError):
            return None


def _fit_of(table: TableSchema, column: Column, field: pa.Field) -> Fit:
    alone = replace(table, columns=(column,), settings=TableSettings())
    return Fit.of(alone, pa.schema([field]))


def _wrong(fit: Fit, batch: pa.RecordBatch, start: int) -> Iterator[tuple[int, str]]:
    """The rows of one column that do not fit, found by halves, and why."""
    if not batch.num_rows:
        return
    try:
        list(fit.stream(iter([batch])))
    except (SchemaError, ConstraintError) as error:
        if batch.num_rows == 1:
            yield start, _reason(error.message, batch.column(0)[0])
            return
        half = batch.num_rows // 2
        yield from _wrong(fit, batch.slice(0, half), start)
        yield from _wrong(fit, batch.slice(half), start + half)


def _reason(message: str, value: pa.Scalar) -> str:
    if not value.is_valid:
        return "The value must not be NULL."
    _, found, told = message.partition(": ")
    told = (told if found else message).rstrip(". ")
    return f"{told[:1].upper()}{told[1:]}."


def _late(portion: Portion, row: int, column: str | None, reason: str, text: str | None) -> Late:
    return Late(portion.file, int(portion.ranks[row]), column, reason, text)


def _shown(value: pa.Scalar) -> str | None:
    if not value.is_valid:
        return None
    try:
        text = str(value.as_py())
    except (OverflowError, ValueError):
        text = str(value)
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"


@dataclass(frozen=True, slots=True)
class _Run:
    """Sorted codes of keys that were taken, and the number of each one's row."""

    codes: np.ndarray
    rows: np.ndarray


class _Keys:
    """The primary keys that were taken so far: sorted runs of codes that double in size, and the keys themselves."""

    def __init__(self, table: TableSchema, held: Held | None) -> None:
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
                found[row] = "The table holds the primary key already."
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
                    found[row] = "The primary key is in an earlier row of the data."
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
        return ", ".join(f"{name}={_shown(keys.column(name)[row])}" for name in keys.schema.names)


def _comparable(value: Any) -> object:
    """A value as Python compares it; every NaN is one value."""
    try:
        plain = value.as_py()
    except (OverflowError, ValueError):
        plain = str(value)
    return "NaN" if plain != plain else plain
