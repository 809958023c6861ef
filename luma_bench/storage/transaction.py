"""A transaction: changes of any number of tables, staged over one snapshot and committed as one.

It holds no lock. Rows are stored as they are written, under a lease, and no snapshot shows them before the commit, which
checks for conflicts and makes one snapshot of everything. Reads inside see the base and what is staged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import EllipsisType, TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ClosedError, UnsupportedError
from luma_bench.storage.catalog import Catalog, CommitInfo, ResolvedSnapshot
from luma_bench.storage.catalog.objects import RELATIONS
from luma_bench.storage.committing import commit
from luma_bench.storage.definition import Request, check_free, planned
from luma_bench.storage.evolve import Action, evolved_all
from luma_bench.storage.evolve_check import check_evolved, needs_check
from luma_bench.storage.ingest import Incoming, incoming
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.storage.staging import Staging
from luma_bench.storage.write import Progress
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import CatalogObject, TableSettings


class Transaction:
    """Changes that become one snapshot, or none. For one thread at a time; end it, or use it in a `with` statement.

    Attributes
    ----------
    base
        The snapshot that it began on.
    snapshot
        The snapshot that its commit made; None before. A commit that had nothing to do makes none, and this is the base.
    """

    def __init__(
        self,
        catalog: Catalog,
        pool: BufferPool,
        settings: Settings,
        base: ResolvedSnapshot,
        info: CommitInfo,
    ) -> None:
        self.base = base
        self.snapshot: Snapshot | None = None
        self._staging = Staging(catalog, pool, settings, base)
        self._catalog = catalog
        self._info = info
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._open:
            return
        if kind is None:
            self.commit()
        else:
            self.rollback()

    @property
    def open(self) -> bool:
        """Whether it was neither committed nor rolled back."""
        return self._open

    def view(self) -> ResolvedSnapshot:
        """The base with everything staged so far: what a statement inside reads. Later changes do not touch it."""
        self._alive()
        return self._staging.view()

    def resolve(self, at: Any = None) -> ResolvedSnapshot:
        """The view; a statement inside a transaction reads no other snapshot but by an explicit pin."""
        if at is not None:
            return self._catalog.resolve_id(self._catalog.find(at))
        return self.view()

    # --- changes; each is staged wholly or not at all ---

    def write(
        self,
        table: str,
        data: Any,
        *,
        mode: str = "create",
        primary_key: Sequence[str] = (),
        sort_by: Sequence[str] = (),
        time_column: str | None = None,
        series_key: Sequence[str] = (),
        codec: str | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Write rows; see `Store.write`. The number of rows."""
        self._alive()
        settings = TableSettings(
            tuple(primary_key), tuple(sort_by), time_column, tuple(series_key), codec or "auto"
        )
        # Refused by mode before the data is touched: a stream is read once only.
        opened = incoming(data)
        request = Request(table, mode, settings)
        plan = planned(self._staging.next_column_id, self.view(), request, opened.schema)
        return self._staging.write(*plan, opened, progress)

    def create_table(
        self, schema: pa.Schema, name: str, settings: TableSettings | None = None, *, replace: bool = False
    ) -> None:
        """Make a table without rows; `replace` empties and redefines one that is there."""
        self._alive()
        request = Request(name, "replace" if replace else "create", settings or TableSettings())
        plan = planned(self._staging.next_column_id, self.view(), request, schema)
        self._staging.write(*plan, Incoming(schema, iter(())), None)

    def drop_table(self, name: str) -> None:
        """Drop a table; older snapshots keep it."""
        self._alive()
        self._staging.drop(self.view().find(name))

    def alter(self, table: str, *actions: Action) -> None:
        """Change a table's definition: columns, defaults, comments, names, settings. No row is rewritten.

        Raises
        ------
        SchemaError, CatalogError
            An action does not fit the table.
        ConstraintError
            A column that shall be NOT NULL holds a NULL.
        """
        self._alive()
        view = self.view()
        present = view.find(table)
        schema = evolved_all(present, actions, self._staging.next_column_id(present))
        if needs_check(present, schema):
            parts = view.segments(present.id), view.inline(present.id)
            check_evolved(TableScan(present, *parts, self._staging.pool, self._staging.settings), schema)
        other = view.named(schema.name)
        if other is not None and other.id != present.id:
            raise CatalogError.table_exists(other.name)
        if other is None:
            check_free(view, schema.name)
        if schema != present:
            self._staging.redefine(present, schema)

    def delete(self, table: str, row_ids: np.ndarray | pa.Array | pa.ChunkedArray) -> int:
        """Delete rows by their row ids, as the view shows them; how many there were.

        Raises
        ------
        CatalogError
            A row id is no live row's.
        """
        self._alive()
        schema = self.view().find(table)
        ids = _sorted_ids(row_ids)
        if len(ids):
            self._staging.delete(schema, ids)
            self._staging.draft(schema).did("delete")
        return len(ids)

    def update(self, table: str, row_ids: np.ndarray | pa.Array | pa.ChunkedArray, data: Any) -> int:
        """Put rows of `data`, with every column, in the place of rows by their ids; how many there were.

        An updated row gets a new row id.
        """
        self._alive()
        schema = self.view().find(table)
        ids = _sorted_ids(row_ids)
        opened = incoming(data)
        if len(ids):
            self._staging.add(schema, "update", opened, None, ids)
        return len(ids)

    # --- objects: what has a name and holds no rows ---

    def create_object(
        self, kind: str, name: str, definition: str, *, comment: str | None = None, replace: bool = False
    ) -> None:
        """Make a view, schema, sequence or policy; `replace` redefines one that is there, under its id.

        Raises
        ------
        CatalogError
            The name is taken: by another of its kind, or for a view by a table.
        """
        self._alive()
        view = self.view()
        present = view.object(kind, name)
        if present is not None and not replace:
            raise CatalogError.object_exists(kind, present.name)
        if present is None and kind in RELATIONS and (table := view.named(name)) is not None:
            raise CatalogError.table_exists(table.name)
        made = CatalogObject(0 if present is None else present.id, kind, name, definition, comment)
        self._staging.stage_object(present, made)

    def alter_object(
        self,
        kind: str,
        name: str,
        *,
        definition: str | None = None,
        rename: str | None = None,
        comment: str | EllipsisType | None = ...,
    ) -> None:
        """Change an object's definition, name or comment; what is left out stays.

        Raises
        ------
        CatalogError
            There is none, or the new name is taken.
        """
        present = self._object(kind, name)
        wanted = CatalogObject(
            present.id,
            kind,
            present.name if rename is None else rename,
            present.definition if definition is None else definition,
            present.comment if isinstance(comment, EllipsisType) else comment,
        )
        if wanted.key != present.key:
            view = self.view()
            other = view.object(kind, wanted.name)
            if other is not None:
                raise CatalogError.object_exists(kind, other.name)
            if kind in RELATIONS and (table := view.named(wanted.name)) is not None:
                raise CatalogError.table_exists(table.name)
        if wanted != present:
            self._staging.stage_object(present, wanted)

    def drop_object(self, kind: str, name: str) -> None:
        """Drop an object; older snapshots keep it.

        Raises
        ------
        CatalogError
            There is none.
        """
        self._staging.stage_object(self._object(kind, name), None)

    def rely(self, table: str, operations: Iterable[str]) -> None:
        """Make the commit a conflict when any of these operations happens to a table meanwhile.

        `operations` are words of `catalog.change.OPERATIONS`. It is how a rule over several rows or tables stays true:
        what was compared with is still there when the snapshot is made.
        """
        self._alive()
        self._staging.rely(self.view().find(table), frozenset(operations))

    def _object(self, kind: str, name: str) -> CatalogObject:
        self._alive()
        view = self.view()
        found = view.object(kind, name)
        if found is None:
            raise CatalogError.unknown_object(kind, name, [item.name for item in view.objects_of(kind)])
        return found

    # --- the end ---

    def commit(self, *, message: str | None = None) -> Snapshot:
        """Make one snapshot of everything that was staged; `message` is what it says, instead of the one given at the start.

        Raises
        ------
        ConflictError
            Another writer committed something that this does not fit on; nothing was applied.
        """
        self._alive()
        try:
            info = self._info if message is None else replace(self._info, message=message)
            self.snapshot = commit(self._staging, info)
        finally:
            self._end()
        return self.snapshot

    def rollback(self) -> None:
        """Forget everything that was staged."""
        if self._open:
            self._end()

    def _end(self) -> None:
        self._open = False
        self._staging.close()

    def _alive(self) -> None:
        if not self._open:
            raise ClosedError("The transaction has ended.", hint="Begin another one.")


def _sorted_ids(row_ids: Any) -> np.ndarray:
    """Row ids from anything that NumPy makes an array of."""
    row_ids = np.asarray(row_ids)
    if row_ids.dtype.kind not in "iu" and len(row_ids):
        raise UnsupportedError(f"Row ids are whole numbers, not {row_ids.dtype}.")
    ids = row_ids.astype(np.int64, copy=False)
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        # np.unique would hash whole numbers: seconds for a million of them.
        ids = np.sort(ids)
        ids = ids[np.append(True, ids[1:] != ids[:-1])]
    return ids
