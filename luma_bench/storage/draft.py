"""What a transaction has staged for one table, and how the staged tables look from inside."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from luma_bench.storage.catalog.change import ObjectChange, TableChange
from luma_bench.storage.catalog.resolved import EMPTY, Contents, Holdings, ResolvedSnapshot, Staged
from luma_bench.storage.evolve_values import table_as
from luma_bench.storage.locate import Located
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.schema import CatalogObject, TableSchema

PROVISIONAL = 1 << 62
"""Staged rows have row ids from here on, until the commit gives them their own."""

_DRAFTS = itertools.count(1)


@dataclass(slots=True, eq=False)
class TableDraft:
    """The staged changes of one table.

    Attributes
    ----------
    schema
        The table as the view shows it; the id of a new one is negative until a file must name it.
    base
        The table at the transaction's base; None when it is new.
    fresh
        Whether the rows of the base are gone.
    segments, inline
        Staged rows, under provisional row ids.
    deletes
        Positions that are deleted of committed parts.
    deleted_ids
        The sorted row ids of the same rows.
    keys
        The primary keys of all rows that were written.
    """

    schema: TableSchema
    base: TableSchema | None
    fresh: bool = False
    redefined: bool = False
    dropped: bool = False
    segments: list[SegmentRef] = field(default_factory=list[SegmentRef])
    inline: list[InlineBlob] = field(default_factory=list[InlineBlob])
    deletes: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    deleted_ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    keys: list[pa.Table] = field(default_factory=list[pa.Table])
    operations: dict[str, None] = field(default_factory=dict[str, None])
    next_row: int = PROVISIONAL
    next_column_id: int = 1

    @classmethod
    def new(cls, schema: TableSchema) -> TableDraft:
        """The draft of a table that is created."""
        made = cls(schema, None, fresh=True, redefined=True)
        made._count_columns()
        return made

    @classmethod
    def of(cls, schema: TableSchema) -> TableDraft:
        """The draft of a table of the base."""
        return cls(schema, schema)

    def copy(self) -> TableDraft:
        """The draft as it is now, which later changes do not touch."""
        return replace(
            self,
            segments=list(self.segments),
            inline=list(self.inline),
            deletes=dict(self.deletes),
            keys=list(self.keys),
            operations=dict(self.operations),
        )

    def restore(self, before: TableDraft) -> None:
        """Be again what a copy says."""
        for item in fields(self):
            setattr(self, item.name, getattr(before, item.name))

    def did(self, operation: str) -> None:
        """Note an operation, once, in the order in which they came."""
        # Whatever is done to a table that the transaction makes is part of making it.
        if not (self.base is None and operation in ("replace", "alter")):
            self.operations[operation] = None

    def add(self, segments: Sequence[SegmentRef], table: pa.Table | None, keys: Sequence[pa.Table]) -> None:
        """Stage rows that are stored already, or few enough to stay in memory."""
        for ref in segments:
            self.segments.append(replace(ref, first_row_id=self.next_row))
            self.next_row += ref.rows
        if table is not None:
            self.inline.append(InlineBlob(-len(self.inline) - 1, table.num_rows, self.next_row, table))
            self.next_row += table.num_rows
        self.keys += keys

    def delete(self, found: Located, committed_ids: np.ndarray) -> None:
        """Stage the deletion of rows."""
        for part, places in found.parts.items():
            self.deletes[part] = _joined(self.deletes.get(part), places)
        self.deleted_ids = _joined(self.deleted_ids, committed_ids)
        for at, ref in enumerate(self.segments):
            if ref.ulid in found.staged_segments:
                gone = _joined(ref.deleted, found.staged_segments[ref.ulid])
                self.segments[at] = replace(ref, deleted=gone)
        for at, blob in enumerate(self.inline):
            if blob.id in found.staged_inline:
                self.inline[at] = replace(blob, deleted=_joined(blob.deleted, found.staged_inline[blob.id]))

    def replace(self, schema: TableSchema) -> None:
        """Stage new columns and settings without any row."""
        self.schema = schema
        self.fresh = self.redefined = True
        self.segments, self.inline, self.deletes, self.keys = [], [], {}, []
        self.deleted_ids = np.zeros(0, np.int64)
        self._count_columns()

    def redefine(self, schema: TableSchema) -> None:
        """Stage an altered definition."""
        self.inline = [replace(blob, table=table_as(blob.table, self.schema, schema)) for blob in self.inline]
        self.schema = schema
        self.redefined = True
        names = set(schema.settings.primary_key)
        if any(set(table.column_names) != names for table in self.keys):
            self.keys = [table.rename_columns(list(schema.settings.primary_key)) for table in self.keys]
        self._count_columns()
        self.did("alter")

    def drop(self) -> None:
        """Stage the end of a table of the base."""
        self.dropped = True
        self.segments, self.inline, self.deletes, self.keys = [], [], {}, []
        self.deleted_ids = np.zeros(0, np.int64)
        self.operations["drop"] = None

    def small_rows(self) -> pa.Table | None:
        """The live rows that are held in memory, as one table under the present schema; None when there are none."""
        from luma_bench.storage.tail import exact

        if not sum(blob.live_rows for blob in self.inline):
            return None
        columns = [exact(self.inline, column) for column in self.schema.columns]
        return pa.Table.from_arrays(columns, schema=self.schema.arrow)

    def staged(self) -> Staged:
        """What the view shows of it."""
        rows = sum(part.live_rows for part in (*self.segments, *self.inline)) - len(self.deleted_ids)
        return Staged(tuple(self.segments), tuple(self.inline), MappingProxyType(dict(self.deletes)), rows)

    def change(self, base: int) -> TableChange:
        """The change that a commit makes of it, but for the rows that are held in memory."""
        if self.dropped:
            assert self.base is not None
            return TableChange("drop", self.base, base)
        return TableChange(
            "+".join(self.operations),
            self.schema,
            base,
            fresh=self.fresh,
            redefined=self.redefined,
            segments=tuple(ref for ref in self.segments if ref.live_rows),
            deletes=MappingProxyType(dict(self.deletes)),
            next_column_id=self.next_column_id if self.redefined else 0,
        )

    def _count_columns(self) -> None:
        self.next_column_id = max(self.next_column_id, *(column.id + 1 for column in self.schema.columns))


@dataclass(frozen=True, slots=True)
class ObjectDraft:
    """The staged change of one object: as it was at the transaction's base (None: it is new), and as it will be (None: gone)."""

    base: CatalogObject | None
    staged: CatalogObject | None

    def change(self, base: int) -> ObjectChange | None:
        """The change that a commit makes of it; None when there is none after all."""
        if self.staged == self.base:
            return None
        if self.staged is None:
            assert self.base is not None
            return ObjectChange("drop", self.base, base)
        return ObjectChange("create" if self.base is None else "alter", self.staged, base)


class _Drafted:
    """Holdings under a transaction: tables that are new or replaced hold nothing that is committed."""

    def __init__(self, base: Holdings, hidden: frozenset[int]) -> None:
        self._base = base
        self._hidden = hidden

    def __call__(self, table_id: int) -> Contents:
        return EMPTY if table_id in self._hidden else self._base(table_id)

    def rows(self, table_id: int) -> int:
        return 0 if table_id in self._hidden else self._base.rows(table_id)


def drafted(
    base: ResolvedSnapshot, drafts: Sequence[TableDraft], objects: Sequence[ObjectDraft] = ()
) -> ResolvedSnapshot:
    """The base with the drafts over it."""
    changed = {draft.base.id for draft in drafts if draft.base is not None}
    tables = {table.name: table for table in base.tables.values() if table.id not in changed}
    tables |= {draft.schema.name: draft.schema for draft in drafts if not draft.dropped}
    hidden = frozenset(draft.schema.id for draft in drafts if draft.fresh)
    staged = {draft.schema.id: draft.staged() for draft in drafts if not draft.dropped}
    left = {draft.base.key for draft in objects if draft.base is not None}
    kept = {key: item for key, item in base.objects.items() if key not in left}
    kept |= {draft.staged.key: draft.staged for draft in objects if draft.staged is not None}
    return replace(
        base,
        tables=MappingProxyType(tables),
        objects=MappingProxyType(kept),
        holdings=_Drafted(base.holdings, hidden),
        draft=next(_DRAFTS),
        staged=MappingProxyType(staged),
    )


def _joined(first: np.ndarray | None, second: np.ndarray) -> np.ndarray:
    # A row that is deleted is not found again, so the two have nothing in common.
    return second if first is None or not len(first) else np.sort(np.concatenate([first, second]))
