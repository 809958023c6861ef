"""A scan source over a table in memory, whose filter is plain Python: slow, and shares no code with storage."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence

import pyarrow as pa

from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate
from luma_bench.types.scan import ScanCounters

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class ArrowSource:
    """A pinned table. It notes what it is asked, and can be told to fail or to wait in the middle."""

    def __init__(
        self,
        table: pa.Table,
        name: str = "t",
        batch_rows: int = 1000,
        accept: Callable[[Predicate], bool] = lambda predicate: True,
        on_batch: Callable[[int], None] = lambda index: None,
    ) -> None:
        ids = pa.array(range(table.num_rows), pa.int64())
        self.table = table.add_column(0, pa.field("_rowid", pa.int64(), False), ids)
        self._name = name
        self._batch_rows = batch_rows
        self._accept = accept
        self._on_batch = on_batch
        self.offered: list[Predicate] = []
        self.streams: list[tuple[list[int] | None, list[Predicate]]] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    def rows(self) -> int:
        return self.table.num_rows

    def accepts(self, predicate: Predicate) -> bool:
        self.offered.append(predicate)
        return self._accept(predicate)

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        wanted = list(range(self.table.num_columns)) if columns is None else list(columns)
        self.streams.append((None if columns is None else wanted, list(predicates)))
        schema = pa.schema([self.table.schema.field(i) for i in wanted])

        def batches():
            for index, batch in enumerate(self.table.to_batches(max_chunksize=self._batch_rows)):
                self._on_batch(index)
                counters.add(rows=batch.num_rows, chunks=1)
                keep = batch
                if predicates:
                    rows = _rows(batch)
                    mask = [all(truth(predicate, row) is True for predicate in predicates) for row in rows]
                    keep = batch.filter(pa.array(mask, pa.bool_()))
                yield pa.RecordBatch.from_arrays([keep.column(i) for i in wanted], schema=schema)

        return pa.RecordBatchReader.from_batches(schema, batches())


def truth(predicate: Predicate, row: dict[str, object]) -> bool | None:
    """SQL's three-valued answer, on plain Python values."""
    match predicate:
        case And(left, right):
            sides = (truth(left, row), truth(right, row))
            return False if False in sides else None if None in sides else True
        case Or(left, right):
            sides = (truth(left, row), truth(right, row))
            return True if True in sides else None if None in sides else False
        case Not(operand):
            inner = truth(operand, row)
            return None if inner is None else not inner
        case IsNull(column, negated):
            return (row[column] is None) != negated
        case In(column, values, kind):
            if row[column] is None:
                return None
            return any(_order(row[column], _value(value, kind)) == 0 for value in values)
        case Comparison(column, op, value, kind):
            if row[column] is None:
                return None
            order = _order(row[column], _value(value, kind))
            return {
                "=": order == 0,
                "!=": order != 0,
                "<": order < 0,
                "<=": order <= 0,
                ">": order > 0,
                ">=": order >= 0,
            }[op]


def _value(value: object, kind: str) -> object:
    return EPOCH + dt.timedelta(microseconds=value) if kind == "TIMESTAMP WITH TIME ZONE" else value  # type: ignore[arg-type]


def _order(left: object, right: object) -> int:
    """Below, equal or above; NaN is the greatest number and equal to itself."""
    if isinstance(left, float) and isinstance(right, float) and (math.isnan(left) or math.isnan(right)):
        return math.isnan(left) - math.isnan(right)
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.encode(), right.encode()
    return (left > right) - (left < right)  # type: ignore[operator]


def _rows(batch: pa.RecordBatch) -> list[dict[str, object]]:
    return batch.to_pylist()
