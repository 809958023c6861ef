"""What a table shows at a view, as a value; and by row ids, how two views of it differ.

A row never changes under its id, and no id is given twice, so whatever was computed of some rows holds wherever these live.
Rows that a transaction has staged have ids of its own, which say something inside of it alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.locate import row_ids_at
from luma_bench.storage.scan import TableScan
from luma_bench.storage.store import Store
from luma_bench.types.arrays import integers, mask
from luma_bench.types.predicate import And, Comparison, Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID

_Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows that a view shows of a table.

    Attributes
    ----------
    table
        The table's id.
    parts
        The committed parts, by name, each with the ids of its deletions.
    draft
        The number of the transaction's view where rows of it are staged; 0 where none are.
    """

    table: int
    parts: tuple[tuple[str, tuple[int, ...]], ...]
    draft: int = 0


def shown(view: ResolvedSnapshot, table_id: int) -> Shown:
    """What a view shows of a table; two that are equal show the same rows."""
    held, staged = view.holds(table_id), view.staged.get(table_id)
    names = [ref.ulid for ref in held.segments] + [blob.part for blob in held.blobs]
    gone = {part: tuple(ref.id for ref in refs) for part, refs in held.deletions.items()}
    open_ = staged is not None and bool(staged.segments or staged.inline or staged.deletes)
    return Shown(table_id, tuple((name, gone.get(name, ())) for name in names), view.draft if open_ else 0)


def changes(store: Store, before: Shown, view: ResolvedSnapshot) -> tuple[_Ints, _Ints] | None:
    """By row ids, ascending: what was deleted since a committed state, and the rows of later parts that live.

    None where that cannot be told part by part: parts have ended, or the view is an older one. Among the deleted are rows
    that did not live before either.
    """
    table_id = before.table
    held, staged = view.holds(table_id), view.staged.get(table_id)
    now = shown(view, table_id)
    known, present = dict(before.parts), dict(now.parts)
    if any(name not in present or present[name][: len(ids)] != ids for name, ids in known.items()):
        return None
    gone = view.gone(table_id)
    starts = {blob.part: (blob.first_row_id, blob.rows) for blob in held.blobs}
    starts |= {ref.ulid: (ref.first_row_id, ref.rows) for ref in held.segments}  # type: ignore[dict-item]
    lost: list[_Ints] = []
    come: list[_Ints] = []
    for name, ids in now.parts:
        first, rows = starts[name]
        places = gone.get(name)
        if name not in known:
            live = np.arange(rows) if places is None else np.delete(np.arange(rows), places)
            come.append(_ids(store, view, table_id, name, first, live))
        elif places is not None and (ids != known[name] or (staged is not None and name in staged.deletes)):
            lost.append(_ids(store, view, table_id, name, first, places))
    for part in () if staged is None else (*staged.segments, *staged.inline):
        live = np.arange(part.rows)
        live = live if part.deleted is None else np.delete(live, part.deleted)
        come.append(live + (part.first_row_id or 0))
    return _together(lost), _together(come)


def live_rows(store: Store, view: ResolvedSnapshot, table_id: int) -> _Ints:
    """The ids of all rows that live, ascending."""
    return read_rows(_whole(store, view, table_id), ()).column(ROW_ID).to_numpy()


def rows_with(
    store: Store, view: ResolvedSnapshot, table_id: int, ids: _Ints, names: Sequence[str]
) -> pa.Table:
    """`_rowid` and some columns of the rows with these ids, ascending; ids that do not live are left out."""
    schema = next(item for item in view.tables.values() if item.id == table_id)
    if not len(ids):
        kinds = [pa.int64(), *(schema.column(name).type for name in names)]
        return pa.Table.from_arrays([pa.chunked_array([], kind) for kind in kinds], names=[ROW_ID, *names])
    segments = [
        ref
        for ref in view.segments(table_id)
        if _touches(store, view, table_id, ref.ulid, ref.first_row_id, ref.rows, ids)
    ]
    inline = [
        blob
        for blob in view.inline(table_id)
        if _holds(ids, blob.first_row_id, blob.first_row_id + blob.rows)
    ]
    scan = TableScan(schema, segments, inline, store.pool, store.settings)
    low, high = int(ids[0]), int(ids[-1])
    ranged: Predicate = And(Comparison(ROW_ID, ">=", low, "BIGINT"), Comparison(ROW_ID, "<=", high, "BIGINT"))
    return read_rows(scan, names, ids, (ranged,))


def read_table(store: Store, view: ResolvedSnapshot, table: str, names: Sequence[str]) -> pa.Table:
    """`_rowid` and some columns of all rows of a table, in the order of row ids; texts may be dictionaries."""
    return read_rows(store.scan(view, table), names)


def read_rows(
    scan: TableScan, names: Sequence[str], ids: _Ints | None = None, predicates: Collection[Predicate] = ()
) -> pa.Table:
    """`_rowid` and some columns of a scan's rows, in the order of row ids; only those with some ascending ids."""
    columns = [0, *(scan.schema.get_field_index(scan.table.column(name).name) for name in names)]
    stream = scan.stream(columns, list(predicates), ScanCounters())
    found: list[pa.RecordBatch] = []
    for batch in stream:
        if ids is not None:
            own = batch.column(0).to_numpy()
            at = np.minimum(np.searchsorted(ids, own), len(ids) - 1)
            batch = batch.filter(mask(ids[at] == own))
        found.append(batch)
    rows = pa.Table.from_batches(found, stream.schema).rename_columns([ROW_ID, *names])
    numbers = rows.column(0).to_numpy()
    if len(numbers) and (numbers[1:] < numbers[:-1]).any():
        rows = rows.take(integers(np.argsort(numbers, kind="stable")))
    return rows


def _whole(store: Store, view: ResolvedSnapshot, table_id: int) -> TableScan:
    return store.scan(view, next(item for item in view.tables.values() if item.id == table_id).name)


def _ids(
    store: Store, view: ResolvedSnapshot, table_id: int, part: str, first: int | None, places: _Ints
) -> _Ints:
    if first is not None:
        return places + first
    return row_ids_at(view, table_id, part, places, store.pool)


def _touches(
    store: Store, view: ResolvedSnapshot, table_id: int, part: str, first: int | None, rows: int, ids: _Ints
) -> bool:
    if first is not None:
        return _holds(ids, first, first + rows)
    own = row_ids_at(view, table_id, part, np.arange(rows), store.pool)
    return _holds(ids, int(own.min()), int(own.max()) + 1)


def _holds(ids: _Ints, low: int, high: int) -> bool:
    first, last = np.searchsorted(ids, (low, high))
    return bool(first < last)


def _together(parts: list[_Ints]) -> _Ints:
    if not parts:
        return np.empty(0, np.int64)
    return (
        parts[0] if len(parts) == 1 and _ascends(parts[0]) else np.sort(np.concatenate(parts), kind="stable")
    )


def _ascends(ids: _Ints) -> bool:
    return bool((ids[1:] > ids[:-1]).all())
