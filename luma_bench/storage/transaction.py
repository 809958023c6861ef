"""A transaction: changes of any number of tables, staged over one snapshot and committed as one.

It holds no lock. Rows are stored as they are written, under a lease, and no snapshot shows them before the commit, which
checks for conflicts and makes one snapshot of everything. Reads inside see the base and what is staged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from types import EllipsisType, TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, ClosedError
from luma_bench.storage.catalog import Catalog, CommitInfo, ResolvedSnapshot
from luma_bench.storage.catalog.objects import RELATIONS
from luma_bench.storage.committing import commit
from luma_bench.storage.definition import Request, check_free, planned, told
from luma_bench.storage.evolve import Action, evolved_all
from luma_bench.storage.evolve_check import check_evolved, needs_check
from luma_bench.storage.graph_rules import carried, check_unread
from luma_bench.storage.ingest import Incoming, incoming
from luma_bench.storage.locate import sorted_ids
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.rules_between import check_definition, check_unreferenced, parent_of
from luma_bench.storage.rules_new import check_key, check_rules
from luma_bench.storage.scan import TableScan
from luma_bench.storage.staging import Seen, Staging
from luma_bench.storage.write import Progress
from luma_bench.types.constraints import ITSELF
from luma_bench.types.identity import Permit
from luma_bench.types.record import Snapshot
from luma_bench.types.retention import Retention
from luma_bench.types.rules import RowRules
from luma_bench.types.schema import CatalogObject, TableSchema, TableSettings


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
        rules: RowRules | None = None,
        permit: Permit | None = None,
    ) -> None:
        self.base = base
        self._permit = permit
        self.snapshot: Snapshot | None = None
        self._staging = Staging(catalog, pool, settings, base, rules)
        self._catalog = catalog
        self._info = info
        self._open = True
        self._at_end: Callable[[], object] | None = None

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
        retention: Retention | str | None = None,
        progress: Progress | None = None,
        seen: Seen | None = None,
    ) -> int:
        """Write rows; see `Store.write`. The number of rows; `seen` is shown each batch as it is stored, in the order given."""
        self._alive()
        settings = told(primary_key, sort_by, time_column, series_key, codec, retention)
        # Refused by mode before the data is touched: a stream is read once only.
        opened = incoming(data)
        request = Request(table, mode, settings)
        plan = planned(self._staging.next_column_id, self.view(), request, opened.schema)
        self._permitted(plan[1], f"{mode} rows of")
        with self._staging.statement():
            return self._staging.write(*plan, opened, progress, seen)

    def create_table(
        self, schema: pa.Schema, name: str, settings: TableSettings | None = None, *, replace: bool = False
    ) -> None:
        """Make a table without rows; `replace` empties and redefines one that is there."""
        self._alive()
        request = Request(name, "replace" if replace else "create", settings or TableSettings())
        plan = planned(self._staging.next_column_id, self.view(), request, schema)
        self._permitted(plan[1], "replace")
        self._staging.write(*plan, Incoming(schema, iter(())), None)

    def drop_table(self, name: str) -> None:
        """Drop a table; older snapshots keep it.

        Raises
        ------
        ConstraintError
            A foreign key of another table refers to it, or a property graph is made of it.
        """
        self._alive()
        present = self.view().find(name)
        self._permitted(present, "drop")
        check_unreferenced(self.view(), present, "dropped")
        check_unread(self.view(), present)
        self._staging.drop(present)

    def alter(self, table: str, *actions: Action) -> None:
        """Change a table's definition: columns, defaults, comments, names, settings. No row is rewritten.

        Property graphs of the table follow new names.

        Raises
        ------
        SchemaError, CatalogError
            An action does not fit the table.
        ConstraintError
            A column that shall be NOT NULL holds a NULL, or a property graph needs what would be gone.
        """
        self._alive()
        view = self.view()
        present = view.find(table)
        self._permitted(present, "alter")
        schema = evolved_all(present, actions, self._staging.next_column_id(present))
        self._permitted(schema, "alter")
        if needs_check(present, schema):
            check_evolved(self._staging.scan(present), schema)
        check_key(self._staging, present, schema)
        other = view.named(schema.name)
        if other is not None and other.id != present.id:
            raise CatalogError.table_exists(other.name)
        if other is None:
            check_free(view, schema.name)
        check_definition(view, present, schema)
        graphs = carried(view, present, schema)
        if schema != present:
            with self._staging.statement():
                self._staging.redefine(present, schema)
                for before, after in graphs:
                    self._staging.stage_object(before, after)
                check_rules(self._staging, present, schema)

    def statement(self) -> AbstractContextManager[None]:
        """A block of changes that stay together or not at all: rules between rows are checked once, at its end."""
        self._alive()
        return self._staging.statement()

    def prepared(self, table: str, data: Any) -> pa.Table:
        """Rows as a write of them would store them: converted, with defaults and generated columns, checked one by one."""
        self._alive()
        return self._staging.prepared(self.view().find(table), incoming(data))

    @property
    def row_rules(self) -> RowRules | None:
        """What computes columns and checks constraints."""
        return self._staging.rules

    def scan(self, table: TableSchema) -> TableScan:
        """The rows of a table as the view has them."""
        self._alive()
        return self._staging.scan(table)

    def permanent_id(self, table: str) -> int:
        """The id of a table, which a new one is given here instead of at the commit."""
        self._alive()
        return self._staging.numbered(self.view().find(table)).id

    def delete(self, table: str, row_ids: np.ndarray | pa.Array | pa.ChunkedArray) -> int:
        """Delete rows by their row ids, as the view shows them; how many there were.

        Raises
        ------
        CatalogError
            A row id is no live row's.
        """
        self._alive()
        schema = self.view().find(table)
        self._permitted(schema, "delete rows of")
        ids = sorted_ids(row_ids)
        if len(ids):
            with self._staging.statement():
                self._staging.delete(schema, ids)
                self._staging.draft(schema).did("delete")
        return len(ids)

    def update(
        self,
        table: str,
        row_ids: np.ndarray | pa.Array | pa.ChunkedArray,
        data: Any,
        seen: Seen | None = None,
    ) -> int:
        """Put rows of `data`, with every column, in the place of rows by their ids; how many there were.

        An updated row gets a new row id. `seen` is shown each batch as it is stored, in the order of `data`.
        """
        self._alive()
        schema = self.view().find(table)
        self._permitted(schema, "update rows of")
        ids = sorted_ids(row_ids)
        opened = incoming(data)
        if len(ids):
            with self._staging.statement():
                self._staging.add(schema, "update", opened, None, ids, seen)
        return len(ids)

    # --- objects: what has a name and holds no rows ---

    def create_object(
        self, kind: str, name: str, definition: str, *, comment: str | None = None, replace: bool = False
    ) -> None:
        """Make a view, schema, sequence, policy or property graph; `replace` redefines one that is there, under its id.

        Raises
        ------
        CatalogError
            The name is taken: by another of its kind; views, property graphs and tables have their names together.
        """
        self._alive()
        if self._permit is not None:
            self._permit.object(kind, name, "create")
        view = self.view()
        present = view.object(kind, name)
        if present is not None and not replace:
            raise CatalogError.object_exists(kind, present.name)
        if present is None and kind in RELATIONS:
            check_free(view, name, kind)
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
        present = self._object(kind, name, "alter")
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
            if kind in RELATIONS:
                check_free(view, wanted.name, kind)
        if wanted != present:
            self._staging.stage_object(present, wanted)

    def drop_object(self, kind: str, name: str) -> None:
        """Drop an object; older snapshots keep it.

        Raises
        ------
        CatalogError
            There is none.
        """
        self._staging.stage_object(self._object(kind, name, "drop"), None)

    def rely(self, table: str, operations: Iterable[str]) -> None:
        """Make the commit a conflict when any of these operations happens to a table meanwhile.

        `operations` are words of `catalog.change.OPERATIONS`. It is how a rule over several rows or tables stays true:
        what was compared with is still there when the snapshot is made.
        """
        self._alive()
        self._staging.rely(self.view().find(table), frozenset(operations))

    def require(self, table: str, operation: str) -> None:
        """Make sure that a table may be changed at all, before anything of it is read for the change.

        Raises
        ------
        ForbiddenError
            Who asks may not; `operation` says what, such as `update rows of`.
        """
        self._permitted(self.view().find(table), operation)

    def _permitted(self, schema: TableSchema, operation: str) -> None:
        """Ask for a change of a table; whether a key is there, a foreign key to another table tells too."""
        if self._permit is None:
            return
        if schema.id > 0:
            self._permit.table(schema, operation)
        for key in schema.rules.foreign:
            if key.table not in (ITSELF, schema.id):
                self._permit.table(parent_of(self.view(), schema, key), "refer to")

    def _object(self, kind: str, name: str, operation: str) -> CatalogObject:
        self._alive()
        if self._permit is not None:
            self._permit.object(kind, name, operation)
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
            if self._permit is not None:
                self._staging.rely_on_all(self._permit.relies)
            self.snapshot = commit(self._staging, info)
        finally:
            self._end()
        return self.snapshot

    def rollback(self) -> None:
        """Forget everything that was staged."""
        if self._open:
            self._end()

    def on_end(self, release: Callable[[], object]) -> None:
        """Have the base let go of when this ends: an error's traceback may keep the transaction itself for long."""
        self._at_end = release

    def _end(self) -> None:
        self._open = False
        try:
            self._staging.close()
        finally:
            if self._at_end is not None:
                self._at_end()

    def _alive(self) -> None:
        if not self._open:
            raise ClosedError("The transaction has ended.", hint="Begin another one.")
