"""The snapshots as a list: who made them, when, what they changed, and which of them a name or a time means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from luma_bench.errors import CatalogError, SnapshotExpired
from luma_bench.storage.catalog.tables import SNAPSHOT, SNAPSHOT_CHANGE, TAG
from luma_bench.types.record import Snapshot

_AT = bindparam("at", type_=sa.BigInteger)
_SNAPSHOT = select(SNAPSHOT).where(SNAPSHOT.c.id == _AT)
_BY_TOKEN = select(SNAPSHOT).where(SNAPSHOT.c.token == bindparam("token", type_=sa.Text))
_KEPT = SNAPSHOT.c.expired.is_(False)
_ALL_SNAPSHOTS = select(SNAPSHOT).where(_KEPT).order_by(SNAPSHOT.c.id)
_PAGE = (
    select(SNAPSHOT.c.id)
    .where(_KEPT & (SNAPSHOT.c.id < bindparam("before", type_=sa.BigInteger)))
    .order_by(SNAPSHOT.c.id.desc())
    .limit(bindparam("limit", type_=sa.Integer))
)
_TAGS = select(TAG.c.name, TAG.c.snapshot_id).order_by(TAG.c.name)
_TAGS_OF = select(TAG.c.name).where(TAG.c.snapshot_id == _AT).order_by(TAG.c.name)
_CHANGES = select(SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.table_name).order_by(
    SNAPSHOT_CHANGE.c.snapshot_id, SNAPSHOT_CHANGE.c.table_id
)
_CHANGES_OF = (
    select(SNAPSHOT_CHANGE.c.table_name)
    .where(SNAPSHOT_CHANGE.c.snapshot_id == _AT)
    .order_by(SNAPSHOT_CHANGE.c.table_id)
)
_AT_TIME = select(sa.func.max(SNAPSHOT.c.id)).where(SNAPSHOT.c.time <= bindparam("time", type_=sa.BigInteger))
_TAGGED = select(TAG.c.snapshot_id).where(TAG.c.name == bindparam("name", type_=sa.Text))
_RANGE = select(sa.func.min(SNAPSHOT.c.id), sa.func.max(SNAPSHOT.c.id), sa.func.min(SNAPSHOT.c.time)).where(
    _KEPT
)
_EXPIRED = select(SNAPSHOT.c.expired).where(SNAPSHOT.c.id == _AT)


def from_microseconds(value: int) -> dt.datetime:
    """A catalog time as an aware datetime in UTC."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=value)


def to_microseconds(value: dt.datetime) -> int:
    """A datetime as a catalog time; one without a zone is local time."""
    return (value.astimezone(dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _value(row: Any, tags: Sequence[str], tables: Sequence[str]) -> Snapshot:
    return Snapshot(
        id=row.id,
        time=from_microseconds(row.time),
        operation=row.operation,
        author=row.author,
        message=row.message,
        tags=tuple(tags),
        namespace=row.namespace,
        token=row.token,
        tables=tuple(tables),
    )


def read_snapshot(connection: sa.Connection, snapshot: int) -> Snapshot:
    """One snapshot by id; the caller knows that it exists."""
    row = connection.execute(_SNAPSHOT, {"at": snapshot}).one()
    tags = connection.execute(_TAGS_OF, {"at": snapshot}).scalars().all()
    return _value(row, tags, connection.execute(_CHANGES_OF, {"at": snapshot}).scalars().all())


def read_by_token(connection: sa.Connection, token: str) -> Snapshot | None:
    """The snapshot that a commit with this token made, if it did."""
    row = connection.execute(_BY_TOKEN, {"token": token}).one_or_none()
    return None if row is None else read_snapshot(connection, row.id)


def read_snapshots(connection: sa.Connection) -> list[Snapshot]:
    """Every snapshot, oldest first."""
    tags: dict[int, list[str]] = {}
    for name, snapshot in connection.execute(_TAGS):
        tags.setdefault(snapshot, []).append(name)
    tables: dict[int, list[str]] = {}
    for snapshot, name in connection.execute(_CHANGES):
        tables.setdefault(snapshot, []).append(name)
    rows = connection.execute(_ALL_SNAPSHOTS).all()
    return [_value(row, tags.get(row.id, ()), tables.get(row.id, ())) for row in rows]


def read_page(connection: sa.Connection, before: int | None, limit: int) -> list[Snapshot]:
    """Up to `limit` kept snapshots with an id below `before`, newest first; None for the newest of all."""
    ids = list(
        connection.execute(_PAGE, {"before": 1 << 62 if before is None else before, "limit": limit}).scalars()
    )
    return [read_snapshot(connection, snapshot) for snapshot in ids]


def find_snapshot(connection: sa.Connection, at: int | dt.datetime | str) -> int:
    """The id of the snapshot that `at` names: an id, the newest at or before a time, a tag, or an ISO time or id as text.

    Raises
    ------
    CatalogError
        There is none; the hint says which there are.
    SnapshotExpired
        It was there, and its rows may be collected by now.
    """
    found: int | None = None
    if isinstance(at, str):
        found = connection.execute(_TAGGED, {"name": at}).scalar()
        if found is None:
            moment = _parsed(at)
            if moment is None:
                raise _unknown(connection, at)
            return find_snapshot(connection, moment)
    elif isinstance(at, dt.datetime):
        found = connection.execute(_AT_TIME, {"time": to_microseconds(at)}).scalar()
    else:
        row = connection.execute(_SNAPSHOT, {"at": int(at)}).one_or_none() if abs(at) < 1 << 62 else None
        found = None if row is None else row.id
    if found is None:
        raise _unknown(connection, at)
    check_kept(connection, found)
    return found


def is_expired(connection: sa.Connection, snapshot: int) -> bool:
    """Whether what only this snapshot showed may be collected already."""
    return bool(connection.execute(_EXPIRED, {"at": snapshot}).scalar())


def check_kept(connection: sa.Connection, snapshot: int) -> None:
    """Refuse a snapshot whose rows may be collected already.

    Raises
    ------
    SnapshotExpired
        It is older than the retention.
    """
    if is_expired(connection, snapshot):
        first, last, _ = connection.execute(_RANGE).one()
        hint = f"The snapshots {first} to {last} and the tagged ones are kept; tag a snapshot to keep it for good."
        raise SnapshotExpired(
            f"Snapshot {snapshot} is past the retention, and its rows were collected.", hint=hint
        )


def _parsed(text: str) -> int | dt.datetime | None:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _unknown(connection: sa.Connection, at: object) -> CatalogError:
    first, last, time = connection.execute(_RANGE).one()
    tags = connection.execute(_TAGS).all()
    names = ", ".join(repr(name) for name, _ in tags[:8]) + (", …" if len(tags) > 8 else "")
    since = from_microseconds(time).astimezone().isoformat(sep=" ", timespec="seconds")
    hint = f"The snapshots are {first} to {last}, from {since} on; {f'the tags are: {names}' if tags else 'there are no tags'}."
    return CatalogError.unknown_snapshot(str(at) if isinstance(at, dt.datetime) else at, hint)
