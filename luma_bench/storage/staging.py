"""Staging: rows of a transaction are stored, keys looked up, and deletions located, before any snapshot shows them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog import Catalog, ResolvedSnapshot
from luma_bench.storage.catalog.change import ANY_TABLE, ObjectChange, Reliance, TableChange
from luma_bench.storage.catalog.sequences import sequence_of
from luma_bench.storage.draft import PROVISIONAL, ObjectDraft, TableDraft, drafted
from luma_bench.storage.ingest import Incoming
from luma_bench.storage.inline import TAIL_ROWS, encode_blob
from luma_bench.storage.keyed import check_free, held_rows
from luma_bench.storage.keys import KeySet
from luma_bench.storage.locate import locate
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.ruled import fitted
from luma_bench.storage.rules_between import Touched, compared, referring, rows_at, scan_of
from luma_bench.storage.rules_relied import Compared
from luma_bench.storage.scan import TableScan
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.write import Files, Progress, chained, pieces, reported, sort_keys, sorted_rows
from luma_bench.types.rules import RowRules
from luma_bench.types.schema import CatalogObject, TableSchema

Seen = Callable[[pa.RecordBatch], None]


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of one write: in segments, or in memory when they are few; and their primary keys."""

    schema: TableSchema
    segments: tuple[SegmentRef, ...]
    table: pa.Table | None
    keys: list[pa.Table]
    rows: int


class Staging:
    """What a transaction has changed so far, table by table, and how its tables look from inside.

    Attributes
    ----------
    base
        The snapshot that it is staged over.
    files
        The segments that were stored for it.
    """

    def __init__(
        self,
        catalog: Catalog,
        pool: BufferPool,
        settings: Settings,
        base: ResolvedSnapshot,
        rules: RowRules | None = None,
    ) -> None:
        self.base = base
        self.rules = rules
        self.catalog = catalog
        self.pool = pool
        self.settings = settings
        self.files = Files(catalog, settings, base.id)
        self.relies: dict[Reliance, None] = {}
        self._drafts: list[TableDraft] = []
        self._objects: list[ObjectDraft] = []
        self._view: ResolvedSnapshot | None = base
        self._next_new = -1
        self._touched: dict[TableDraft, Touched] | None = None
        self.compared = Compared(rules, pool, settings)

    @contextmanager
    def statement(self) -> Generator[None]:
        """A block whose changes stay together or not at all; rules between rows are checked at its end, once."""
        if self._touched is not None:
            yield
            return
        drafts = [(draft, draft.copy()) for draft in self._drafts]
        kept = list(self._objects), dict(self.relies)
        self._touched = {}
        try:
            yield
            if self._touched:
                self.compared.check(self.view(), self._touched)
        except BaseException:
            for draft, before in drafts:
                draft.restore(before)
            self._drafts = [draft for draft, _ in drafts]
            self._objects, self.relies = kept
            self._view = None
            raise
        finally:
            self._touched = None

    def scan(self, table: TableSchema) -> TableScan:
        """The rows of a table as the view has them."""
        return scan_of(self.view(), table, self.pool, self.settings)

    def _touch(self, schema: TableSchema) -> Touched:
        assert self._touched is not None
        return self._touched.setdefault(self.draft(schema), Touched())

    @property
    def drafts(self) -> list[TableDraft]:
        """The tables that were changed."""
        return [draft for draft in self._drafts if draft.operations]

    @property
    def objects(self) -> list[ObjectChange]:
        """What is staged of objects."""
        found = (draft.change(self.base.id) for draft in self._objects)
        return [change for change in found if change is not None]

    def view(self) -> ResolvedSnapshot:
        """The base with everything staged so far; later changes do not touch it."""
        if self._view is None:
            self._view = drafted(self.base, self.drafts, self._objects)
        return self._view

    def over(
        self, newer: ResolvedSnapshot, pairs: Sequence[tuple[TableDraft, TableChange]]
    ) -> ResolvedSnapshot:
        """A newer snapshot with what is staged over it; the changes say where the deleted rows are there."""
        drafts: list[TableDraft] = []
        for draft, change in pairs:
            moved = draft.copy()
            moved.deletes = dict(change.deletes)
            drafts.append(moved)
        return drafted(newer, drafts, self._objects)

    def stage_object(self, present: CatalogObject | None, wanted: CatalogObject | None) -> None:
        """Stage what becomes of an object that the view shows (None: a new one); None ends it."""
        if present is None:
            assert wanted is not None
            self._objects.append(ObjectDraft(None, replace(wanted, id=self._new_id())))
        else:
            for at, draft in enumerate(self._objects):
                if draft.staged is not None and draft.staged.key == present.key:
                    self._objects[at] = replace(draft, staged=wanted)
                    break
            else:
                self._objects.append(ObjectDraft(present, wanted))
            self._objects = [draft for draft in self._objects if draft.base != draft.staged]
        self._view = None

    def rely(self, table: TableSchema, operations: frozenset[str]) -> None:
        """Take for granted that none of the operations happens to a table before the commit."""
        if table.id > 0:
            self.relies[Reliance(table.id, table.name, self.base.id, operations)] = None

    def rely_on_all(self, operations: frozenset[str]) -> None:
        """Take for granted that none of the operations happens to anything before the commit."""
        if operations:
            self.relies[Reliance(ANY_TABLE, "a table", self.base.id, operations, "policy")] = None

    def close(self) -> None:
        """Forget everything, and remove the files that no snapshot lists."""
        self._view = None
        self._drafts.clear()
        self._objects.clear()
        self.files.close()

    def write(
        self,
        operation: str,
        schema: TableSchema,
        data: Incoming,
        progress: Progress | None,
        seen: Seen | None = None,
    ) -> int:
        """Store the rows of a write and stage what it makes of its table; the number of rows."""
        if operation in ("append", "upsert"):
            return self.add(schema, operation, data, progress, None, seen)
        # The rows are stored before the draft changes, so that a write that fails leaves what was staged before.
        if operation == "create":
            schema = replace(schema, id=self._new_id())
        stored = self._store(schema, data, progress, seen)
        try:
            if schema.settings.primary_key and stored.keys:
                KeySet(schema, stored.keys).check_distinct()
        except BaseException:
            self.files.discard([ref.ulid for ref in stored.segments])
            raise
        if operation == "create":
            draft = TableDraft.new(stored.schema)
            self._drafts.append(draft)
        else:
            # Files of rows that were staged before stay until the end: an earlier view of them may still be read.
            draft = self.draft(self.view().find(schema.name))
            draft.replace(stored.schema)
        draft.add(stored.segments, stored.table, stored.keys)
        draft.did(operation)
        self._view = None
        return stored.rows

    def add(
        self,
        schema: TableSchema,
        operation: str,
        data: Incoming,
        progress: Progress | None,
        replaced: np.ndarray | None = None,
        seen: Seen | None = None,
    ) -> int:
        """Store rows; then take out those that they replace, by key or by row id; then put them in."""
        view = self.view()
        written: list[pa.Table] = []
        stored = self._store(schema, data, progress, seen, written)
        try:
            if written:
                self._touch(stored.schema).written += written
            gone = np.zeros(0, np.int64) if replaced is None else replaced
            if schema.settings.primary_key and stored.keys:
                keys = KeySet(schema, stored.keys)
                keys.check_distinct()
                held = held_rows(view, schema, stored.keys, self.pool)
                if operation == "upsert":
                    gone = np.sort(held[held >= 0])  # distinct, as the keys are
                else:
                    check_free(schema, stored.keys, held, gone)
            if len(gone):
                self.delete(stored.schema, gone)
            if not stored.rows and not len(gone):
                return 0
        except BaseException:
            self.files.discard([ref.ulid for ref in stored.segments])
            raise
        draft = self.draft(stored.schema)
        draft.add(stored.segments, stored.table, stored.keys)
        draft.did(operation)
        self._view = None
        return stored.rows

    def _store(
        self,
        schema: TableSchema,
        data: Incoming,
        progress: Progress | None,
        seen: Seen | None,
        written: list[pa.Table] | None = None,
    ) -> Stored:
        stream = fitted(schema, data, self.rules, self._take)
        if written is not None and (columns := compared(schema)):
            stream = _shown(stream, lambda batch: written.append(_part(batch, columns)))
        if progress is not None:
            stream = reported(stream, progress)
        if seen is not None:
            stream = _shown(stream, seen)
        waiting: list[pa.RecordBatch] = []
        count = size = 0
        rest = None
        for batch in stream:
            waiting.append(batch)
            count += batch.num_rows
            size += batch.nbytes
            if size >= self.settings.inline_bytes or count > TAIL_ROWS:
                rest = stream
                break
        first = pa.Table.from_batches(waiting, schema.arrow)
        names = schema.settings.primary_key
        order = sort_keys(schema.settings)
        if rest is None and (not count or self._is_small(first, schema)):
            table = sorted_rows(first, order)
            return Stored(schema, (), table if count else None, [table.select(names)] if names else [], count)
        schema = self.numbered(schema)
        keys: list[pa.Table] = []

        def cut() -> Iterator[pa.Table]:
            for piece in pieces(chained(first, rest), schema.arrow, self.settings.shard_rows):
                if names:
                    keys.append(piece.select(names))
                yield piece

        segments = self.files.store_all(cut(), schema, lambda piece: sorted_rows(piece, order))
        return Stored(schema, tuple(segments), None, keys, sum(ref.rows for ref in segments))

    def numbered(self, schema: TableSchema) -> TableSchema:
        """The table with an id that files can be named by."""
        if schema.id > 0:
            return schema
        given = replace(schema, id=self.catalog.reserve_table())
        for draft in self._drafts:
            if draft.schema.id == schema.id:
                draft.schema = replace(draft.schema, id=given.id)
                self._view = None
        return given

    def _is_small(self, table: pa.Table, schema: TableSchema) -> bool:
        if table.nbytes < self.settings.inline_bytes // 2:
            return True
        return len(encode_blob(table, schema).ipc) < self.settings.inline_bytes

    def drop(self, schema: TableSchema) -> None:
        """Stage the end of a table; one that was made here is forgotten."""
        draft = self.draft(schema)
        if draft.base is None:
            self._drafts = [item for item in self._drafts if item is not draft]
        else:
            draft.drop()
        self._view = None

    def prepared(self, schema: TableSchema, data: Incoming) -> pa.Table:
        """The rows with every column of the table, as they would be stored."""
        return pa.Table.from_batches(fitted(schema, data, self.rules, self._take), schema.arrow)

    def _take(self, token: str, count: int) -> pa.Array:
        """The next values of a sequence; they are not given back when the transaction fails."""
        return self.catalog.take_values(sequence_of(self.view(), token), count)

    def redefine(self, present: TableSchema, schema: TableSchema) -> None:
        """Stage another definition of a table."""
        self.draft(present).redefine(schema)
        self._view = None

    def delete(self, schema: TableSchema, ids: np.ndarray) -> None:
        """Stage the deletion of rows by their sorted row ids.

        Raises
        ------
        CatalogError
            One is no live row's.
        """
        view = self.view()
        if self._touched is not None and (keys := referring(view, schema)):
            names = [schema.by_id[column] for _, key in keys for column in key.referenced]
            values = rows_at(self.scan(schema), ids, list(dict.fromkeys(names)))
            self._touch(schema).removed.append(values)
        found = locate(view, schema.id, ids, self.pool)
        if len(found.lost):
            hint = "Take row ids from a query of this very state: SELECT _rowid …"
            raise CatalogError(
                f"Table {schema.name!r} has no live row of id {int(found.lost[0])}.", hint=hint
            )
        self.draft(schema).delete(found, ids[ids < PROVISIONAL])
        self._view = None

    def draft(self, schema: TableSchema) -> TableDraft:
        """The draft of a table that the view shows, begun when this is its first change."""
        for draft in self._drafts:
            if draft.schema.id == schema.id and not draft.dropped:
                return draft
        made = TableDraft.of(schema)
        self._drafts.append(made)
        return made

    def _new_id(self) -> int:
        self._next_new -= 1
        return self._next_new + 1

    def next_column_id(self, schema: TableSchema) -> int:
        """The first column id that a table never gave out."""
        own = max(column.id for column in schema.columns) + 1
        draft = next((item for item in self._drafts if item.schema.id == schema.id), None)
        if draft is not None and draft.base is None:
            return max(own, draft.next_column_id)
        stored = self.catalog.next_column_id(schema.id)
        return max(own, stored, 0 if draft is None else draft.next_column_id)


def _shown(stream: Iterator[pa.RecordBatch], seen: Seen) -> Iterator[pa.RecordBatch]:
    for batch in stream:
        seen(batch)
        yield batch


def _part(batch: pa.RecordBatch, columns: tuple[str, ...]) -> pa.Table:
    """Some columns of a batch."""
    return pa.Table.from_batches([batch]).select(list(columns))
