"""What a commit is asked to do, and what it made: the values between writers and the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from luma_bench.errors import ConflictError
from luma_bench.storage.catalog.rowmap import RowMap
from luma_bench.storage.segment import SegmentRef
from luma_bench.types.graph import GRAPH
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import CatalogObject, TableSchema

OPERATIONS = ("create", "append", "delete", "update", "upsert", "replace", "drop", "alter", "compact")
"""What a snapshot may record for a table; a transaction that did several joins them by "+"."""

OBJECT_OPERATIONS = frozenset(
    f"{done} {kind}"
    for done in ("create", "alter", "drop")
    for kind in ("view", "schema", "sequence", "policy", GRAPH)
)
"""What a snapshot may record for an object."""

NO_DELETES: Mapping[str, np.ndarray] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BlobRef:
    """An inline blob as the catalog lists it: `rows` rows from row id `first_row_id`, `nbytes` bytes encoded."""

    id: int
    rows: int
    first_row_id: int
    nbytes: int
    begin: int

    @property
    def part(self) -> str:
        """The blob's name as a part of its table."""
        return str(self.id)


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A small write that goes into the catalog: an Arrow IPC stream and its crc32c."""

    rows: int
    ipc: bytes
    crc32c: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Parts of a table that segments with the same rows, under the same row ids, take over.

    Attributes
    ----------
    parts
        The parts that end: ulids of segments, ids of blobs as text.
    segments
        What takes over, each with its row ids: contiguous from `first_row_id`, or stored. Rows that were deleted at the
        change's base may be left out.
    level
        The level of the new segments.
    rows
        Where the rows of the parts went, so that rows deleted after the base are deleted in the new segments too.
    optional
        Whether the commit goes on without the rewrite when one of the parts has ended meanwhile; else that is a conflict.
    """

    parts: frozenset[str]
    segments: tuple[SegmentRef, ...]
    level: int
    rows: RowMap
    optional: bool = False


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a commit does to one table.

    Attributes
    ----------
    operation
        One of `OPERATIONS`, or several joined by "+".
    schema
        The table as it will be; its id is 0 when the commit shall give one out.
    base
        The snapshot that the change was prepared on: what came after it may conflict.
    checked
        The snapshot, when it is newer than the base, up to which keys were compared and the places of rows are right.
    fresh
        Whether all rows that were there before end: create, replace.
    redefined
        Whether name, columns or settings are new: create, replace, alter.
    segments, blobs
        New rows, in order. Their row ids are given out in the commit. A segment's `deleted` rows are gone from the start.
    deletes
        The sorted int64 positions that are deleted of each part that lives at the base.
    next_column_id
        The first column id that the change gave to no column, of those that it dropped again too; 0 for none.
    """

    operation: str
    schema: TableSchema
    base: int
    fresh: bool = False
    redefined: bool = False
    segments: tuple[SegmentRef, ...] = ()
    blobs: tuple[NewBlob, ...] = ()
    deletes: Mapping[str, np.ndarray] = field(default=NO_DELETES)
    rewrite: Rewrite | None = None
    checked: int = 0
    next_column_id: int = 0

    @property
    def adds_rows(self) -> bool:
        """Whether it has new rows."""
        return bool(self.segments or self.blobs)

    @property
    def drops(self) -> bool:
        """Whether the table is gone afterwards."""
        return self.operation.endswith("drop")


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What a commit does to one object: `create` gives it an id when it has none, `alter` defines it anew, `drop` ends it."""

    operation: str
    object: CatalogObject
    base: int


ANY_TABLE = 0
"""In the place of a table's id: every table and object."""


@dataclass(frozen=True, slots=True)
class Reliance:
    """What a commit takes for granted: that none of `operations` happened to a table since `base`.

    `table_id` may be an object's id too, or `ANY_TABLE`; `table` and `kind` are what a conflict is told about.
    """

    table_id: int
    table: str
    base: int
    operations: frozenset[str]
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What the snapshot records beside its changes; `lease` is given back by the commit."""

    operation: str
    author: str
    message: str
    token: str
    namespace: str = "main"
    lease: str | None = None


class BehindError(ConflictError):
    """The change must be prepared again on a newer snapshot before it can be told whether it conflicts.

    Rows came to a table whose keys are checked, or rows that it deletes moved to other parts.
    """


class ReliedError(ConflictError):
    """What a rule was compared with has changed: it must be compared again on a newer snapshot."""

    reliance: Reliance | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit made.

    Attributes
    ----------
    fresh
        Whether this very call made the snapshot, and not an earlier one with the same token.
    rewritten
        The ids of tables whose rewrite was applied.
    blobs
        Table ids and the blobs that were added to them.
    """

    snapshot: Snapshot
    fresh: bool
    rewritten: frozenset[int] = frozenset()
    blobs: tuple[tuple[int, BlobRef], ...] = ()
