"""Telling rows that a table can take from those that it cannot, with the reason for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from luma_bench.bench.ruling import Ruling
from luma_bench.bench.sieve_keys import Held, Keys
from luma_bench.bench.sieve_keys import shown as as_text
from luma_bench.errors import ConstraintError, SchemaError
from luma_bench.storage.fit import Fit
from luma_bench.storage.ruled import given_columns
from luma_bench.types.reject import Late, Portion
from luma_bench.types.schema import Column, TableSchema, TableSettings


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
    ruling
        The table's constraints, for the rows of this import; None where it has none.

    Raises
    ------
    SchemaError
        A column is not the table's, or none of its values could ever fit.
    """

    def __init__(
        self, table: TableSchema, data: pa.Schema, held: Held | None, ruling: Ruling | None = None
    ) -> None:
        given = given_columns(table, data) if table.rules else table
        self._whole = Fit.of(given, data)
        self._ruling = ruling
        names = {field.name: table.column(field.name) for field in data}
        self._columns = [
            (i, column, _fit_of(table, column, data.field(i))) for i, column in enumerate(names.values())
        ]
        key = table.settings.primary_key
        # A key of computed columns is compared when the rows are written.
        self._keys = Keys(table, held) if key and set(key) <= set(given.names) else None

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
                    late.append(_late(portion, row, column.name, reason, as_text(value)))
            batch = portion.batch.filter(pa.array(~bad))
            fitted = self._fitted(batch)
            if fitted is None:  # a rule over several columns, of which there is none
                raise SchemaError("The rows do not fit, though each of their columns does.")
        if self._ruling is not None and fitted.num_rows:
            fitted = self._kept(portion, fitted, self._ruling.refused(fitted), late, bad)
            self._ruling.add(fitted)
        if self._keys is not None and fitted.num_rows:
            fitted = self._kept(portion, fitted, self._keys.refused(fitted), late, bad)
            self._keys.add(fitted)
        return fitted, late, int(bad.sum())

    def _kept(
        self,
        portion: Portion,
        fitted: pa.RecordBatch,
        refused: Sequence[tuple[int, str, str]],
        late: list[Late],
        bad: np.ndarray,
    ) -> pa.RecordBatch:
        """The rows without those that are refused, which go to `late`; `bad` marks them among the portion's."""
        if not refused:
            return fitted
        places = np.flatnonzero(~bad)
        for row, reason, shown in refused:
            bad[places[row]] = True
            late.append(_late(portion, int(places[row]), None, reason, shown))
        keep = np.ones(fitted.num_rows, bool)
        keep[[row for row, _, _ in refused]] = False
        return fitted.filter(pa.array(keep))

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
