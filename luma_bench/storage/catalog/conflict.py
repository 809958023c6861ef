"""The conflict rules: whether a change still fits on what was committed after its base.

Appends conflict through primary keys only. Deletions on one part stand beside each other unless they name the same row.
Compaction changes nothing that anybody sees; it conflicts with what takes its parts away. A redefinition, a replace or a
drop conflicts with every change of its table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import sqlalchemy as sa
from sqlalchemy import bindparam, select

from luma_bench.errors import CatalogError, ConflictError
from luma_bench.storage.catalog.change import ANY_TABLE, BehindError, Reliance, ReliedError, TableChange
from luma_bench.storage.catalog.deletes import DeletionRef, decode
from luma_bench.storage.catalog.tables import DELETION, INLINE, SEGMENT, SNAPSHOT_CHANGE, TABLE

_AT_ONCE = 500
_ADDS = frozenset({"create", "append", "upsert", "update", "replace"})
_REDEFINES = frozenset({"create", "replace", "drop", "alter"})
_NEUTRAL = frozenset({"compact"})

_CHANGED = (
    select(SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.operation)
    .where(
        (SNAPSHOT_CHANGE.c.table_id == bindparam("t")) & (SNAPSHOT_CHANGE.c.snapshot_id > bindparam("base"))
    )
    .order_by(SNAPSHOT_CHANGE.c.snapshot_id)
)
_CHANGED_ANY = (
    select(SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.operation)
    .where(SNAPSHOT_CHANGE.c.snapshot_id > bindparam("base"))
    .order_by(SNAPSHOT_CHANGE.c.snapshot_id)
)
_LIVE_NAMES = select(TABLE.c.table_id, TABLE.c.name, TABLE.c.begin_snapshot).where(
    TABLE.c.end_snapshot.is_(None)
)
_LIVE_SEGMENTS = select(SEGMENT.c.ulid).where(
    SEGMENT.c.ulid.in_(bindparam("parts", expanding=True)) & SEGMENT.c.end_snapshot.is_(None)
)
_LIVE_BLOBS = select(INLINE.c.id).where(
    INLINE.c.id.in_(bindparam("parts", expanding=True)) & INLINE.c.end_snapshot.is_(None)
)
_DELETED = (
    select(
        DELETION.c.id,
        DELETION.c.part,
        DELETION.c.rows,
        DELETION.c.begin_snapshot,
        DELETION.c.crc32c,
        DELETION.c.positions,
    )
    .where(
        DELETION.c.part.in_(bindparam("parts", expanding=True))
        & (DELETION.c.begin_snapshot > bindparam("base"))
        & DELETION.c.end_snapshot.is_(None)
    )
    .order_by(DELETION.c.id)
)


def check_change(
    connection: sa.Connection, change: TableChange, last: int, together: Sequence[TableChange]
) -> None:
    """Refuse a change that does not fit on what was committed after its base.

    Parameters
    ----------
    last
        The newest snapshot.
    together
        Every change of the commit: names that one of them gives up are free for the others.

    Raises
    ------
    ConflictError, BehindError
        Another snapshot changed the table, or gave its name to another, meanwhile.
    CatalogError
        The name belongs to another table.
    """
    schema = change.schema
    _check_name(connection, change, together)
    if last == change.base or change.operation.startswith("create"):
        return
    since = [
        (snapshot, operation, frozenset(operation.split("+")))
        for snapshot, operation in connection.execute(_CHANGED, {"t": schema.id, "base": change.base})
    ]
    wholly = change.fresh or change.drops or change.redefined
    for snapshot, operation, kinds in since:
        if (wholly and not kinds <= _NEUTRAL) or kinds & _REDEFINES:
            raise ConflictError.lost(schema.name, snapshot, operation)
    checked = max(change.base, change.checked)
    if change.adds_rows and schema.settings.primary_key:
        for snapshot, operation, kinds in since:
            if snapshot > checked and kinds & _ADDS:
                raise BehindError.lost(schema.name, snapshot, operation)
    if not change.deletes or not since:
        return
    # A flushed tail ends blobs in a snapshot that is named for its append: only the parts themselves tell.
    snapshot, operation, _ = since[-1]
    if missing(connection, change.deletes):
        raise BehindError.lost(schema.name, snapshot, operation)
    for ref, positions in deleted_since(connection, change.deletes, checked):
        if len(np.intersect1d(change.deletes[ref.part], positions, assume_unique=True)):
            raise ConflictError.lost(schema.name, ref.begin, "it deleted rows that this write deletes too")


def check_rewrite(connection: sa.Connection, change: TableChange) -> dict[str, np.ndarray] | None:
    """The rows that were deleted from a rewrite's parts after its base; None when it is optional and a part has ended.

    Raises
    ------
    ConflictError
        A part has ended.
    """
    rewrite = change.rewrite
    assert rewrite is not None
    if missing(connection, rewrite.parts):
        if rewrite.optional:
            return None
        found = connection.execute(_CHANGED, {"t": change.schema.id, "base": change.base}).all()
        snapshot, operation = (
            (found[-1].snapshot_id, found[-1].operation) if found else (change.base, "compact")
        )
        raise ConflictError.lost(change.schema.name, snapshot, operation)
    gone: dict[str, list[np.ndarray]] = {}
    for ref, positions in deleted_since(connection, rewrite.parts, change.base):
        gone.setdefault(ref.part, []).append(positions)
    return {part: np.sort(np.concatenate(held)) for part, held in gone.items()}


def missing(connection: sa.Connection, parts: Collection[str]) -> bool:
    """Whether one of the parts is not alive any more."""
    segments = [part for part in parts if not part.isdigit()]
    blobs = [int(part) for part in parts if part.isdigit()]
    alive = 0
    for statement, names in ((_LIVE_SEGMENTS, segments), (_LIVE_BLOBS, blobs)):
        for start in range(0, len(names), _AT_ONCE):
            some = {"parts": names[start : start + _AT_ONCE]}
            alive += len(connection.execute(statement, some).scalars().all())
    return alive < len(parts)


def check_reliance(connection: sa.Connection, reliance: Reliance, last: int) -> None:
    """Refuse a commit that takes for granted what another snapshot has changed.

    Raises
    ------
    ConflictError
        One of the operations happened to the table since the base.
    """
    if last == reliance.base:
        return
    changed = _CHANGED_ANY if reliance.table_id == ANY_TABLE else _CHANGED
    for snapshot, operation in connection.execute(changed, {"t": reliance.table_id, "base": reliance.base}):
        if reliance.operations & frozenset(operation.split("+")):
            what = "it changed rows that a constraint was checked against"
            if reliance.table_id == ANY_TABLE or reliance.kind != "table":
                what = f"it did {operation}, which this write takes to be as it was"
            lost = ReliedError.lost(reliance.table, snapshot, what, reliance.kind)
            assert isinstance(lost, ReliedError)
            lost.reliance = reliance
            raise lost


def deleted_since(
    connection: sa.Connection, parts: Iterable[str], base: int
) -> list[tuple[DeletionRef, np.ndarray]]:
    """The deletions that came to these parts after a snapshot, decoded."""
    names = list(parts)
    found: list[tuple[DeletionRef, np.ndarray]] = []
    for start in range(0, len(names), _AT_ONCE):
        some = {"parts": names[start : start + _AT_ONCE], "base": base}
        for row in connection.execute(_DELETED, some):
            ref = DeletionRef(row.id, row.part, row.rows, row.begin_snapshot)
            found.append((ref, decode(ref, row.crc32c, row.positions)))
    return found


def _check_name(connection: sa.Connection, change: TableChange, together: Sequence[TableChange]) -> None:
    if not change.redefined or change.drops:
        return
    left = {item.schema.id for item in together if item.drops or item.redefined}
    folded = change.schema.name.casefold()
    for table_id, name, begin in connection.execute(_LIVE_NAMES):
        if name.casefold() == folded and table_id != change.schema.id and table_id not in left:
            if begin > change.base:
                raise ConflictError.lost(name, begin, "it got this name")
            raise CatalogError.table_exists(name)
