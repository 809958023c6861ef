"""Parts of tables for tests, which worker processes import by this module's name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from luma_bench.errors import CorruptionError
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID


class RowsSource:
    """Arrow rows as a scan source that prunes and filters nothing."""

    def __init__(self, name: str, rows: pa.Table) -> None:
        self.name = name
        self._rows = rows.add_column(0, ROW_ID, pa.array(range(rows.num_rows), pa.int64()))

    @property
    def schema(self) -> pa.Schema:
        return self._rows.schema

    def rows(self) -> int:
        return self._rows.num_rows

    def accepts(self, predicate: Predicate) -> bool:
        return False

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        counters.add(rows=self._rows.num_rows, nbytes=self._rows.nbytes, segments=1)
        return (self._rows if columns is None else self._rows.select(list(columns))).to_reader()


@dataclass(frozen=True)
class RowsPart:
    """A part of a table whose rows travel with it.

    `broken_on` names a file: it holds the address of the one worker that cannot read the part, `*` for all.
    """

    name: str
    table: pa.Table
    broken_on: str = ""

    @property
    def rows(self) -> int:
        return self.table.num_rows

    @property
    def nbytes(self) -> int:
        return 1 << 30  # too much for the driver

    def open(self) -> RowsSource:
        if self.broken_on:
            from distributed import get_worker

            file = Path(self.broken_on)
            address = get_worker().address
            if not file.exists():
                file.write_text(address)
            if file.read_text() in (address, "*"):
                raise CorruptionError.file_of("01SEGMENT", "it cannot be read")
        return RowsSource(self.name, self.table)


@dataclass(frozen=True)
class HungryPart:
    """A part that takes so much memory, bit by bit, when it is opened."""

    memory: int

    @property
    def rows(self) -> int:
        return 1

    @property
    def nbytes(self) -> int:
        return 8

    def open(self) -> RowsSource:
        held = []
        for _ in range(self.memory >> 25):
            held.append(b"x" * (1 << 25))
            time.sleep(0.02)
        return RowsSource("t", pa.table({"a": [len(held)]}))
