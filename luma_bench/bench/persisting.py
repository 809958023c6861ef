"""Frames into tables and tables into streams: what an executor does beside running texts."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.exporting import exact
from luma_bench.bench.result import Result
from luma_bench.bench.writing import WriteRequest, names_of
from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanCounters, ScanSource

if TYPE_CHECKING:
    from luma_bench.bench.statements import Statements
    from luma_bench.bench.transaction import Transaction
    from luma_bench.storage.store import ResolvedSnapshot
    from luma_bench.types.identity import Identity


def persisted(
    statements: Statements,
    identity: Identity,
    transaction: Transaction | None,
    table: str,
    rows: pa.RecordBatchReader,
    mode: str,
    details: Mapping[str, Any],
) -> ResolvedSnapshot:
    """Write rows into a table: as a commit of its own, or into the transaction that is given; what holds them.

    Parameters
    ----------
    details
        `message`, and of `primary_key`, `sort_by`, `time_column` and `series_key` what is set.
    """
    settings = {
        "primary_key": names_of(details.get("primary_key", ())),
        "sort_by": names_of(details.get("sort_by", ())),
        "time_column": details.get("time_column"),
        "series_key": names_of(details.get("series_key", ())),
    }
    asked = WriteRequest(table, rows, mode, settings)
    store = statements.runner.store
    if transaction is not None and transaction.is_open:
        with transaction.changing("persist") as inside:
            asked.stage(inside, store.pool, None)
        return transaction.view
    permit = statements.runner.binder.access.book.permit(identity)
    made = asked.run(store, permit, details.get("message", ""), None, None, threading.Event())
    return store.resolve(made.id)


def in_memory(rows: pa.Table, snapshot: int) -> Result:
    """Rows that are there already as a result."""
    record = RunRecord("scan", "rows in memory need no engine", snapshot, rows_out=rows.num_rows)
    return Result(rows, record, "rows in memory")


def stored_rows(scan: ScanSource, schema: pa.Schema, columns: Sequence[str] | None) -> pa.RecordBatchReader:
    """The rows of a scan as a stream, in exactly the types of `schema`, which is the table's."""
    names = schema.names if columns is None else list(columns)
    wanted = pa.schema([schema.field(name) for name in names])
    stream = scan.stream([scan.schema.get_field_index(name) for name in names], (), ScanCounters())

    def batches() -> Any:
        for batch in stream:
            arrays = [exact(array, field.type) for array, field in zip(batch.columns, wanted, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=wanted)

    return pa.RecordBatchReader.from_batches(wanted, batches())
