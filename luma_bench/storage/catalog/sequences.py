"""The values of sequences, counted outside of the snapshots: what was given is never given again."""

from __future__ import annotations

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import bindparam, select, update

from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.catalog.tables import SEQUENCE_VALUE
from luma_bench.types.sequence import Sequence

KIND = "sequence"

_LAST = select(SEQUENCE_VALUE.c.last).where(SEQUENCE_VALUE.c.token == bindparam("token"))
_INSERT = sa.insert(SEQUENCE_VALUE)
_UPDATE = (
    update(SEQUENCE_VALUE).where(SEQUENCE_VALUE.c.token == bindparam("t")).values(last=bindparam("last"))
)


def sequences(view: ResolvedSnapshot) -> list[Sequence]:
    """Every sequence of a snapshot, by name."""
    return [Sequence.of(item.name, item.definition) for item in view.objects_of(KIND)]


def sequence_of(view: ResolvedSnapshot, token: str) -> Sequence:
    """The sequence of a token.

    Raises
    ------
    CatalogError
        It is not there any more.
    """
    found = next((item for item in sequences(view) if item.token == token), None)
    if found is None:
        raise CatalogError(
            "The sequence of a default is not there any more.",
            hint="Give the column's values, or another default: ALTER TABLE t ALTER COLUMN c SET DEFAULT nextval('…').",
        )
    return found


def last_value(connection: sa.Connection, sequence: Sequence) -> int | None:
    """The value that a sequence gave last; None before its first."""
    return connection.execute(_LAST, {"token": sequence.token}).scalar()


def take(connection: sa.Connection, sequence: Sequence, count: int) -> pa.Array:
    """The next values, inside a write transaction: when that is durable they are the caller's alone.

    Raises
    ------
    ConstraintError
        The sequence ends before.
    """
    last = last_value(connection, sequence)
    values = sequence.following(last, count)
    if len(values):
        _write(connection, sequence, last, int(values[-1]))
    return pa.array(values)


def advance(connection: sa.Connection, sequence: Sequence, seen: int | None, last: int) -> bool:
    """Count values up to `last` as given, inside a write transaction; False when others were given after `seen`."""
    if last_value(connection, sequence) != seen:
        return False
    _write(connection, sequence, seen, last)
    return True


def _write(connection: sa.Connection, sequence: Sequence, before: int | None, last: int) -> None:
    if before is None:
        connection.execute(_INSERT, {"token": sequence.token, "last": last})
    else:
        connection.execute(_UPDATE, {"t": sequence.token, "last": last})
