"""Bulk imports: rows that a table can take go into it, the others into a reject table, in one snapshot."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import CancelledError, CatalogError, SchemaError
from luma_bench.types.reject import REJECT_SCHEMA, ImportSource, Late, Portion, Reject, reject_table
from luma_bench.types.schema import Column, TableSchema, TableSettings

if TYPE_CHECKING:
    from luma_bench.bench.sieve import Sieve
    from luma_bench.bench.sieve_keys import Held
    from luma_bench.storage.catalog.resolved import ResolvedSnapshot
    from luma_bench.storage.pool import BufferPool
    from luma_bench.storage.transaction import Transaction

MAX_REJECTS = 10_000
"""More refused rows than this and an import is given up, unless it is told another number."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import.

    Attributes
    ----------
    table, mode, settings
        As `bench.write` takes them; `settings` are `primary_key` and the like.
    rejects
        The table for what is refused.
    limit
        How many rows may be refused.
    """

    table: str
    mode: str
    settings: Mapping[str, Any]
    rejects: str
    limit: int

    def check(self, view: ResolvedSnapshot) -> None:
        """Refuse a reject table that is none.

        Raises
        ------
        CatalogError
            It is the table itself.
        SchemaError
            A table of its name has other columns.
        """
        if self.rejects.casefold() == self.table.casefold():
            raise CatalogError(
                f"{self.table!r} cannot be its own reject table.",
                hint=f"Give it another name: rejects='{self.table}_rejects'.",
            )
        present = view.named(self.rejects)
        if present is not None and [(item.name, item.type) for item in present.columns] != [
            (field.name, field.type) for field in REJECT_SCHEMA
        ]:
            raise SchemaError(
                f"Table {present.name!r} is no reject table: it has the columns {', '.join(present.names)}.",
                hint=f"Give a new name, or a table with the columns {', '.join(REJECT_SCHEMA.names)}.",
            )
        if self.limit < 0:
            raise SchemaError(f"max_rejects={self.limit} is no number of rows.", hint="Give 0 or more.")

    def run(
        self,
        stage: Transaction,
        view: ResolvedSnapshot,
        source: ImportSource,
        pool: BufferPool,
        *,
        progress: Callable[[int], None] | None,
        stop: threading.Event,
    ) -> tuple[int, int]:
        """Stage the rows and the rejects; how many rows were taken, and how many refused.

        Raises
        ------
        SchemaError
            More rows than the limit are refused, or the columns do not fit the table at all.
        """
        flow = _Flow(self, source, self._sieve(stage, view, source.schema, pool), stop)
        reader = pa.RecordBatchReader.from_batches(flow.schema, flow.batches())
        stage.write(self.table, reader, mode=self.mode, **self.settings, progress=progress)
        rejects = sorted(source.rejects(flow.late), key=_place)
        flow.check(rejects)
        mode = "create" if view.named(self.rejects) is None else "append"
        stage.write(self.rejects, reject_table(rejects, self.table), mode=mode)
        return flow.taken, flow.refused

    def _sieve(self, stage: Transaction, view: ResolvedSnapshot, data: pa.Schema, pool: BufferPool) -> Sieve:
        from luma_bench.bench.sieve import Sieve

        present = view.named(self.table) if self.mode in ("append", "upsert") else None
        if present is None:
            return Sieve(self._planned(data), data, None)
        keyed = self.mode == "append" and present.settings.primary_key
        ruling = None
        if present.rules:
            from luma_bench.bench.ruling import Ruling
            from luma_bench.storage.ruled import given_columns, rules_of

            rules = rules_of(present, stage.row_rules)
            given = given_columns(present, data).arrow
            ruling = Ruling(present, given, rules, view, stage.scan, appends=self.mode == "append")
        return Sieve(present, data, _held(view, present, pool) if keyed else None, ruling)

    def _planned(self, data: pa.Schema) -> TableSchema:
        """The table that the write is about to make; what is wrong with its definition the write says."""
        asked = [name.casefold() for name in self.settings.get("primary_key", ())]
        key = tuple(name for item in asked for name in data.names if name.casefold() == item)
        columns = tuple(
            Column(i, field.name, field.type, field.nullable and field.name not in key)
            for i, field in enumerate(data, 1)
        )
        return TableSchema(0, self.table, columns, TableSettings(primary_key=key))


def _place(reject: Reject) -> tuple[str, int, int]:
    last = 1 << 62
    return reject.file or "", reject.row or last, reject.line or last


def _held(view: ResolvedSnapshot, schema: TableSchema, pool: BufferPool) -> Held:
    from luma_bench.storage.keyed import FREE, held_rows

    return lambda keys: held_rows(view, schema, [keys], pool) != FREE


class _Flow:
    """The rows on their way through the sieve."""

    def __init__(self, asked: Import, source: ImportSource, sieve: Sieve, stop: threading.Event) -> None:
        self.late: list[Late] = []
        self.taken = 0
        self.refused = 0
        self._asked = asked
        self._source = source
        self._sieve = sieve
        self._stop = stop
        self._bad = 0

    @property
    def schema(self) -> pa.Schema:
        """The columns of the rows that go on."""
        return self._sieve.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        for portion in self._source.portions():
            if self._stop.is_set():
                raise CancelledError("The import was cancelled; nothing was written.")
            batch, late, bad = self._sieve.split(portion)
            self.late += late
            self._bad += bad
            self.taken += batch.num_rows
            self._check()
            yield batch
        self._check()

    def check(self, rejects: Sequence[Reject]) -> None:
        """Refuse too many, naming the first."""
        self.refused = self._bad + self._source.refused
        if self.refused > self._asked.limit:
            raise self._error(rejects)

    def _check(self) -> None:
        self.refused = self._bad + self._source.refused
        if self.refused > self._asked.limit:
            raise self._error(sorted(self._source.rejects(self.late), key=_place))

    def _error(self, rejects: Sequence[Reject]) -> SchemaError:
        first = rejects[0] if rejects else None
        told = "" if first is None else f" The first: {first.place}: {first.reason}"
        return SchemaError(
            f"Table {self._asked.table!r} cannot take {self.refused:,} or more rows, and {self._asked.limit:,} may be rejected.{told}",
            hint="Nothing was written. Correct the data, or allow more: max_rejects=….",
        )


class MemorySource:
    """An `ImportSource` over data that is no file."""

    def __init__(self, data: Any) -> None:
        from luma_bench.storage.ingest import incoming

        opened = incoming(data)
        self.schema: pa.Schema = opened.schema
        rows = getattr(data, "num_rows", None)
        self.total: int | None = rows if isinstance(rows, int) else None
        self.refused = 0
        self._batches = opened.batches

    def portions(self) -> Iterator[Portion]:
        """The batches."""
        done = 0
        for batch in self._batches:
            yield Portion(batch, None, np.arange(done, done + batch.num_rows))
            done += batch.num_rows

    def rejects(self, late: Sequence[Late]) -> list[Reject]:
        """What the table cannot take, by row number."""
        return [Reject(None, None, item.rank + 1, item.column, item.reason, item.text) for item in late]

    def close(self) -> None:
        """Nothing is held."""


def open_source(
    data: Any, target: pa.Schema | None, limit: int, options: Mapping[str, Any] | None
) -> ImportSource:
    """The data of an import: files by path, or anything that the bench writes."""
    if is_paths(data):
        from luma_bench.engines.duck_tolerant import open_tolerant

        return open_tolerant(data, limit=limit, target=target, options=options)
    return MemorySource(data)


def is_paths(data: Any) -> bool:
    """Whether data is named by paths."""
    if isinstance(data, str | os.PathLike):
        return True
    return (
        isinstance(data, list | tuple)
        and bool(data)
        and all(isinstance(item, str | os.PathLike) for item in data)
    )
