"""Committing a transaction: what is staged becomes one snapshot, on whatever was committed since its base."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pyarrow as pa

from luma_bench.errors import ConflictError
from luma_bench.storage.catalog import CommitInfo, ResolvedSnapshot
from luma_bench.storage.catalog.change import BehindError, Committed, ReliedError, TableChange
from luma_bench.storage.draft import TableDraft
from luma_bench.storage.flush import flush
from luma_bench.storage.inline import TAIL_ROWS, encode_blob, is_full
from luma_bench.storage.keyed import held_rows
from luma_bench.storage.keys import shown_key
from luma_bench.storage.locate import locate
from luma_bench.storage.relying import relied_on
from luma_bench.storage.staging import Staging
from luma_bench.storage.write import sort_keys, sorted_rows
from luma_bench.types.record import Snapshot

Pair = tuple[TableDraft, TableChange]


def commit(staging: Staging, info: CommitInfo) -> Snapshot:
    """Make one snapshot of everything that is staged; with nothing staged, the base's is given.

    Raises
    ------
    ConflictError
        Another writer committed something that this does not fit on; nothing was applied.
    """
    drafts, objects = staging.drafts, staging.objects
    if not drafts and not objects:
        return staging.base.snapshot
    operations = {item for draft in drafts for item in draft.operations}
    operations |= {f"{change.operation} {change.object.kind}" for change in objects}
    if info.operation == "transaction":
        info = replace(info, operation=operations.pop() if len(operations) == 1 else "transaction")
    with ExitStack() as claims:
        pairs = [(draft, _settled(staging, draft, claims)) for draft in drafts]
        committed, pairs = _submit(staging, info, pairs)
    if committed.fresh:
        listed = [ref.ulid for _, change in pairs for ref in change.segments]
        for _, change in pairs:
            if change.rewrite is not None and change.schema.id in committed.rewritten:
                listed += [ref.ulid for ref in change.rewrite.segments]
        staging.files.committed(listed)
    return committed.snapshot


def _submit(staging: Staging, info: CommitInfo, pairs: list[Pair]) -> tuple[Committed, list[Pair]]:
    """Commit, on newer snapshots as long as others are faster."""
    drafts = [draft for draft, _ in pairs]
    of_objects = relied_on(staging.view(), staging.base.id, drafts, staging.objects)
    while True:
        lease = staging.files.lease
        if lease is not None:
            lease.check()
            info = replace(info, lease=lease.id)
        try:
            changes = [change for _, change in pairs]
            relies = [*staging.relies, *staging.compared.relies, *of_objects]
            return staging.catalog.commit(changes, info, staging.objects, relies), pairs
        except BehindError:
            newer = staging.catalog.resolve_head()
            pairs = [(draft, _rebased(staging, draft, change, newer)) for draft, change in pairs]
        except ReliedError as error:
            if error.reliance not in staging.compared.relies:
                raise
            newer = staging.catalog.resolve_head()
            pairs = [(draft, _rebased(staging, draft, change, newer)) for draft, change in pairs]
            staging.compared.again(staging.over(newer, pairs), error)


def _settled(staging: Staging, draft: TableDraft, claims: ExitStack) -> TableChange:
    """The draft as a change: small writes together in one blob or segment, and a full tail flushed with them."""
    change = draft.change(staging.base.id)
    if draft.dropped:
        return change
    small = draft.small_rows()
    if small is not None:
        schema = change.schema
        small = sorted_rows(small, sort_keys(schema.settings)) if len(draft.inline) > 1 else small
        blob = encode_blob(small, schema) if small.num_rows <= TAIL_ROWS else None
        if blob is not None and len(blob.ipc) < staging.settings.inline_bytes:
            change = replace(change, blobs=(blob,))
        else:
            schema = staging.numbered(schema)
            stored = staging.files.store(small, schema, 0)
            change = replace(change, schema=schema, segments=(*change.segments, stored))
    if draft.base is None or draft.fresh or draft.redefined or not change.adds_rows:
        return change
    held = staging.base.holds(change.schema.id)
    if not held.blobs or not (change.segments or is_full(held)):
        return change
    if not claims.enter_context(staging.catalog.flushing(change.schema.id)):
        return change
    return replace(change, rewrite=flush(staging.base, change.schema, staging.files))


def _rebased(
    staging: Staging, draft: TableDraft, change: TableChange, newer: ResolvedSnapshot
) -> TableChange:
    """The change on a newer snapshot: keys checked against the rows that came, deletes at the rows' new places."""
    schema = change.schema
    if draft.base is None or draft.dropped or draft.fresh:
        return change
    if all(table.id != schema.id for table in newer.tables.values()):
        raise ConflictError.lost(schema.name, newer.id, "it is not there any more")
    if schema.settings.primary_key and draft.keys:
        held = held_rows(newer, schema, draft.keys, staging.pool)
        came = held > staging.base.holds(schema.id).last_row
        if came.any():
            key = shown_key(schema, pa.concat_tables(draft.keys), int(came.argmax()))
            raise ConflictError.lost(schema.name, newer.id, f"it holds the primary key {key} now")
    deletes = change.deletes
    if len(draft.deleted_ids):
        found = locate(newer, schema.id, draft.deleted_ids, staging.pool)
        if len(found.lost):
            raise ConflictError.lost(schema.name, newer.id, "it deleted rows that this write deletes too")
        deletes = found.parts
    return replace(change, checked=newer.id, deletes=deletes)
