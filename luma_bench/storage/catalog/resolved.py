"""One snapshot, pinned: its tables, what they hold, and what a transaction adds to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

import numpy as np

from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.change import BlobRef
from luma_bench.storage.catalog.deletes import DeletionRef
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.graph import GRAPH, holds_no_rows
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import CatalogObject, TableSchema


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds at a snapshot, in row-id order.

    Attributes
    ----------
    starts
        The segments' smallest row ids.
    deletions
        The deletions of each part that has any.
    rows
        Rows that are not deleted.
    last_row
        The largest row id that any part was ever given; -1 when there is none.
    tail_rows, tail_bytes
        Rows, deleted ones included, and encoded bytes of the blobs together.
    """

    segments: tuple[SegmentRef, ...] = ()
    starts: tuple[int, ...] = ()
    blobs: tuple[BlobRef, ...] = ()
    deletions: Mapping[str, tuple[DeletionRef, ...]] = field(default=MappingProxyType({}))
    rows: int = 0
    last_row: int = field(default=-1, compare=False)
    tail_rows: int = 0
    tail_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Staged:
    """What a transaction that is not committed adds to a table, under row ids of its own, and takes from it."""

    segments: tuple[SegmentRef, ...] = ()
    inline: tuple[InlineBlob, ...] = ()
    deletes: Mapping[str, np.ndarray] = field(default=MappingProxyType({}))
    rows: int = 0


Tail = Callable[[TableSchema, Sequence[BlobRef]], tuple[InlineBlob, ...]]
Fetch = Callable[[Sequence[int]], Mapping[int, tuple[int, bytes]]]
"""Gives checksum and bytes of blobs by id; collected ones are left out."""
Deleted = Callable[[Mapping[str, Sequence[DeletionRef]]], dict[str, np.ndarray]]

EMPTY = Contents()


class Holdings(Protocol):
    """What the tables of one snapshot hold, read from the catalog when it is first asked for."""

    def __call__(self, table_id: int) -> Contents:
        """What is committed of a table; nothing for an id that the snapshot does not know.

        Raises
        ------
        SnapshotExpired
            The snapshot was collected before the table was read.
        """
        ...

    def rows(self, table_id: int) -> int:
        """The number of rows of a table, without reading what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class ResolvedSnapshot:
    """One snapshot, pinned: its tables and what they hold. Immutable and shared between threads.

    `snapshot.tags` are the tags when it was first resolved; `Store.snapshots()` has the present ones. What a transaction
    sees is one too: `id` is its base then, `draft` numbers the view, and `staged` holds what is not committed.
    """

    id: int
    snapshot: Snapshot
    tables: Mapping[str, TableSchema]
    schema_snapshot: int
    holdings: Holdings = field(compare=False, repr=False)
    tail: Tail = field(compare=False, repr=False)
    deleted: Deleted = field(compare=False, repr=False)
    draft: int = 0
    staged: Mapping[int, Staged] = field(default=MappingProxyType({}))
    objects: Mapping[tuple[str, str], CatalogObject] = field(default=MappingProxyType({}))

    def object(self, kind: str, name: str) -> CatalogObject | None:
        """The object of this kind and name, ignoring case; None when there is none."""
        return self.objects.get((kind, name.casefold()))

    def objects_of(self, kind: str) -> list[CatalogObject]:
        """The objects of a kind, by name."""
        return sorted(
            (item for item in self.objects.values() if item.kind == kind), key=lambda item: item.name
        )

    def find(self, name: str) -> TableSchema:
        """The table of this name; case is ignored when no name matches exactly.

        Raises
        ------
        CatalogError
            There is none at this snapshot; the hint lists the nearest.
        """
        found = self.named(name)
        if found is None:
            if (view := self.object("view", name)) is not None:
                raise CatalogError.is_view(view.name)
            if (graph := self.object(GRAPH, name)) is not None:
                raise holds_no_rows(graph.name)
            raise CatalogError.unknown_table(name, list(self.tables))
        return found

    def relation(self, name: str) -> str:
        """The name of a table or view as it was given, ignoring case.

        Raises
        ------
        CatalogError
            There is neither at this snapshot.
        """
        view = self.object("view", name)
        return self.find(name).name if view is None else view.name

    def named(self, name: str) -> TableSchema | None:
        """The table of this name, ignoring case when no name matches exactly; None when there is none."""
        found = self.tables.get(name)
        if found is not None:
            return found
        folded = name.casefold()
        return next((table for table in self.tables.values() if table.name.casefold() == folded), None)

    def rows(self, name: str) -> int:
        """The number of rows of a table."""
        table_id = self.find(name).id
        staged = self.staged.get(table_id)
        return self.holdings.rows(table_id) + (0 if staged is None else staged.rows)

    def segments(self, table_id: int) -> tuple[SegmentRef, ...]:
        """The table's segments in row-id order, each with the rows that are deleted.

        Raises
        ------
        CorruptionError
            A deletion's checksum is wrong.
        """
        held, staged = self.holds(table_id), self.staged.get(table_id)
        gone = self.gone(table_id)
        refs = tuple(
            replace(ref, deleted=gone[ref.ulid]) if ref.ulid in gone else ref for ref in held.segments
        )
        return refs if staged is None else (*refs, *staged.segments)

    def inline(self, table_id: int) -> tuple[InlineBlob, ...]:
        """The table's small writes that are not in a segment yet, decoded, in row-id order; adjoining ones joined.

        Raises
        ------
        CorruptionError
            A blob's or a deletion's checksum is wrong.
        """
        held, staged = self.holds(table_id), self.staged.get(table_id)
        found: tuple[InlineBlob, ...] = ()
        if held.blobs:
            schema = next(table for table in self.tables.values() if table.id == table_id)
            found = without_deleted(self.tail(schema, held.blobs), held.blobs, self.gone(table_id))
        return found if staged is None else (*found, *staged.inline)

    def gone(self, table_id: int) -> dict[str, np.ndarray]:
        """The sorted positions that are deleted of each part, staged deletes among them."""
        held, staged = self.holds(table_id), self.staged.get(table_id)
        gone = self.deleted(held.deletions) if held.deletions else {}
        for part, positions in {} if staged is None else staged.deletes.items():
            gone[part] = (
                np.sort(np.concatenate([gone[part], positions]), kind="stable") if part in gone else positions
            )
        return gone

    def deletions(self, table_id: int) -> Mapping[str, tuple[DeletionRef, ...]]:
        """The committed deletions of each part that has any."""
        return self.holds(table_id).deletions

    def holds(self, table_id: int) -> Contents:
        """What is committed of a table, by id."""
        return self.holdings(table_id)


def without_deleted(
    parts: Sequence[InlineBlob], blobs: Sequence[BlobRef], gone: Mapping[str, np.ndarray]
) -> tuple[InlineBlob, ...]:
    """The decoded tail with the deleted positions of `blobs`; a decoded part may join several adjoining blobs."""
    ids = [blob.first_row_id + gone[blob.part] for blob in blobs if blob.part in gone]
    if not ids:
        return tuple(parts)
    rows = np.sort(np.concatenate(ids))
    found: list[InlineBlob] = []
    for part in parts:
        low, high = np.searchsorted(rows, (part.first_row_id, part.first_row_id + part.rows))
        deleted = rows[low:high] - part.first_row_id
        found.append(replace(part, deleted=deleted) if len(deleted) else part)
    return tuple(found)
