"""A bench's storage: tables written and read at snapshots, in one folder."""

from __future__ import annotations

import datetime as dt
import operator
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.care import StoreCare
from luma_bench.storage.catalog import Catalog, CommitInfo, ResolvedSnapshot
from luma_bench.storage.evolve import Action
from luma_bench.storage.folder import prepare
from luma_bench.storage.inline import TailCache
from luma_bench.storage.scan import TableScan
from luma_bench.storage.transaction import Transaction
from luma_bench.storage.write import Progress as WriteProgress
from luma_bench.types.identity import Permit
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import TableSettings
from luma_bench.types.sequence import Sequence as Sequence_

if TYPE_CHECKING:
    from luma_bench.storage.catalog.timeline import TableSize, TimelineEntry
    from luma_bench.storage.check import Progress
    from luma_bench.storage.repair import RepairReport

_SCANS = 128


class Store(StoreCare):
    """One bench's tables, snapshots and files. Thread-safe; close it, or use it in a `with` statement.

    Attributes
    ----------
    path
        The bench's folder.
    settings
        The settings it works with.
    read_only
        Whether it was opened with `mode="r"`.
    pool
        The buffer pool that its scans share.
    """

    @classmethod
    def open(cls, path: str | Path, *, mode: str = "a", settings: Settings | None = None) -> Self:
        """Open a bench, making it when it is missing and `mode` is "a".

        Parameters
        ----------
        mode
            "a" reads and writes; "r" reads only and never makes or changes a file.

        Raises
        ------
        CatalogError
            There is no bench, the folder is something else, or its format is newer.
        """
        folder = Path(path)
        if mode not in ("a", "r"):
            raise CatalogError(
                f"There is no open mode {mode!r}.",
                hint="The modes are: 'a' to read and write, 'r' to read only.",
            )
        settings = settings or Settings()
        try:
            prepare(folder, settings, read_only=mode == "r")
        except OSError as error:
            hint = "Give the path of a folder that may be written, or open a bench with mode='r'."
            raise CatalogError(
                f"{str(folder)!r} cannot be opened: {error.strerror or error}.", hint=hint
            ) from error
        catalog = Catalog.open(
            folder,
            read_only=mode == "r",
            author=lambda: settings.effective_author,
            tail=TailCache,
            settings=settings,
        )
        return cls(folder, catalog, settings, read_only=mode == "r")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def head(self) -> int:
        """The id of the newest snapshot of any process; it costs microseconds."""
        return self._catalog.head()

    def resolve(self, at: int | dt.datetime | str | None = None) -> ResolvedSnapshot:
        """Pin a snapshot.

        Parameters
        ----------
        at
            None for the newest; an id; a datetime (without a zone: local time) for the newest at or before it; a tag; or
            an id or ISO 8601 time as text.

        Raises
        ------
        CatalogError
            There is no such snapshot; the hint says which there are.
        """
        if at is None:
            return self._catalog.resolve_head()
        if not isinstance(at, str | dt.datetime):
            try:
                at = operator.index(at)
            except TypeError:
                hint = "Give an id, a datetime, a tag, or an ISO 8601 time as text."
                raise CatalogError(f"A {type(at).__name__} does not name a snapshot.", hint=hint) from None
        return self._catalog.resolve_id(self._catalog.find(at))

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot, oldest first, with its tags as they are now."""
        return self._catalog.snapshots()

    def timeline(self, before: int | None, limit: int) -> tuple[list[TimelineEntry], bool]:
        """Snapshots with what each changed, newest first, below `before` (None for all); and whether there are older ones."""
        return self._catalog.timeline(before, limit)

    def sizes(self, snapshot: int) -> dict[int, TableSize]:
        """Rows and bytes of every table that holds some at a snapshot, by table id; see `timeline.read_sizes`."""
        return self._catalog.sizes(snapshot)

    def tag(self, name: str, at: int | dt.datetime | str | None = None) -> Snapshot:
        """Give a snapshot a name, visible at once. A tag is no change of data and makes no snapshot.

        Raises
        ------
        CatalogError
            The name is empty, reads as an id or a time, or names another snapshot already.
        """
        self._writable("tag")
        if not name.strip() or "\0" in name or name.strip().isdigit() or _is_time(name):
            hint = "Give a name that is no number and no date, such as 'paper-v1'."
            raise CatalogError(f"{name!r} cannot be a tag.", hint=hint)
        return self._catalog.tag(name, self.resolve(at).id, self.settings.effective_author)

    def write(
        self,
        table: str,
        data: Any,
        *,
        mode: str = "create",
        primary_key: str | Sequence[str] = (),
        sort_by: str | Sequence[str] = (),
        time_column: str | None = None,
        series_key: str | Sequence[str] = (),
        codec: str | None = None,
        message: str = "",
        author: str | None = None,
        token: str | None = None,
        progress: WriteProgress | None = None,
    ) -> Snapshot:
        """Write data to a table as one snapshot, all of it or nothing.

        Parameters
        ----------
        data
            What `ingest.incoming` accepts; a stream may be bigger than memory.
        mode
            create: a new table. append: rows for a table; columns are matched by name, missing nullable ones are NULL.
            upsert: rows for a table with a primary key; a row takes the place of the one with its key.
            replace: the table anew, with exactly this data, schema and settings, under its id; made when it is missing.
        primary_key
            Columns that are never NULL and together never equal in two rows.
        sort_by
            Columns by which each segment is sorted.
        time_column, series_key
            The time of a row and the columns that name its series; they sort when `sort_by` does not.
        token
            A name for this write: when a snapshot with it exists, that is returned and nothing is written.
        progress
            Called with the number of rows taken from the data so far.

        Raises
        ------
        CatalogError, SchemaError, ConstraintError, ConflictError, ReadOnlyError, UnsupportedError
            Nothing was written.
        """
        with self.begin(message=message, author=author, token=token, operation="write") as transaction:
            if token is not None and (made := self.made(token, table)) is not None:
                transaction.rollback()
                return made
            transaction.write(
                table,
                data,
                mode=mode,
                primary_key=_names(primary_key),
                sort_by=_names(sort_by),
                time_column=time_column,
                series_key=_names(series_key),
                codec=codec,
                progress=progress,
            )
            return transaction.commit()

    def begin(
        self,
        *,
        message: str = "",
        author: str | None = None,
        token: str | None = None,
        operation: str = "transaction",
        permit: Permit | None = None,
    ) -> Transaction:
        """Begin a transaction on the newest snapshot: changes that become one snapshot, or none.

        Parameters
        ----------
        message, author
            What its snapshot says, and who made it.
        token
            A name for it: when a snapshot with it exists at the commit, that is returned and nothing is applied.
        operation
            What a read-only bench is told that it refused.
        permit
            Asked before anything is changed; None allows everything.
        """
        self._writable(operation)
        name = self.settings.effective_author if author is None else author
        info = CommitInfo("transaction", name, message, token or self._catalog.new_ulid())
        base = self._catalog.resolve_head()
        transaction = Transaction(
            self._catalog, self.pool, self.settings, base, info, permit=permit, rules=self.rules
        )
        transaction.on_end(self.pins.hold_for(transaction, base.id))
        return transaction

    def create_table(
        self,
        schema_arrow: pa.Schema,
        name: str,
        settings: TableSettings | None = None,
        *,
        replace: bool = False,
        message: str = "",
        author: str | None = None,
    ) -> Snapshot:
        """Make a table without rows; `replace` empties and redefines one that is there.

        Raises
        ------
        CatalogError, SchemaError, ConflictError, ReadOnlyError
            Nothing was changed.
        """
        with self.begin(message=message, author=author, operation="create table") as transaction:
            transaction.create_table(schema_arrow, name, settings, replace=replace)
            return transaction.commit()

    def drop_table(self, name: str, *, message: str = "", author: str | None = None) -> Snapshot:
        """Drop a table; older snapshots keep it.

        Raises
        ------
        CatalogError
            There is no such table.
        ConflictError
            It was changed meanwhile.
        """
        with self.begin(message=message, author=author, operation="drop table") as transaction:
            transaction.drop_table(name)
            return transaction.commit()

    def alter(self, table: str, *actions: Action, message: str = "", author: str | None = None) -> Snapshot:
        """Change a table's definition without rewriting a row; see `Transaction.alter`."""
        with self.begin(message=message, author=author, operation="alter table") as transaction:
            transaction.alter(table, *actions)
            return transaction.commit()

    def delete(
        self,
        table: str,
        row_ids: Any,
        *,
        message: str = "",
        author: str | None = None,
        token: str | None = None,
    ) -> Snapshot:
        """Delete rows of the newest snapshot by their row ids; see `Transaction.delete`."""
        with self.begin(message=message, author=author, token=token, operation="delete") as transaction:
            transaction.delete(table, row_ids)
            return transaction.commit()

    def update(
        self, table: str, row_ids: Any, data: Any, *, message: str = "", author: str | None = None
    ) -> Snapshot:
        """Put rows in the place of others of the newest snapshot; see `Transaction.update`."""
        with self.begin(message=message, author=author, operation="update") as transaction:
            transaction.update(table, row_ids, data)
            return transaction.commit()

    def last_value(self, sequence: Sequence_) -> int | None:
        """The value that a sequence gave last, to anybody; None before its first."""
        return self._catalog.last_value(sequence)

    def advance(self, sequence: Sequence_, seen: int | None, last: int) -> bool:
        """Claim the values of a sequence after `seen` up to `last`; False when others were given meanwhile.

        Raises
        ------
        ReadOnlyError
            The bench cannot be written to.
        """
        self._writable("nextval")
        return self._catalog.advance(sequence, seen, last)

    def scan(self, snapshot: ResolvedSnapshot, table: str) -> TableScan:
        """The rows of a table at a snapshot, as engines read them; cached.

        Raises
        ------
        CatalogError
            There is no such table.
        """
        schema = snapshot.find(table)
        key = (snapshot.id, snapshot.draft, schema.id)
        with self._lock:
            found = self._scans.get(key)
            if found is not None:
                self._scans.move_to_end(key)
                return found
        made = TableScan(
            schema,
            snapshot.segments(schema.id),
            snapshot.inline(schema.id),
            self.pool,
            self.settings,
            draft=schema.id in snapshot.staged,
        )
        with self._lock:
            found = self._scans.setdefault(key, made)
            while len(self._scans) > _SCANS:
                self._scans.popitem(last=False)
        return found

    def repair(
        self,
        *,
        dry_run: bool = True,
        salvage: bool = False,
        progress: Progress | None = None,
        stop: threading.Event | None = None,
    ) -> RepairReport:
        """Check everything and repair what can be; see `Bench.repair`."""
        from luma_bench.storage.repair import repair_store
        from luma_bench.storage.salvage import salvaged

        if not dry_run:
            self._writable("repair")
        done = repair_store(self._catalog, self.settings, dry_run=dry_run, progress=progress, stop=stop)
        with self._lock:
            self._scans.clear()
        return salvaged(self, done, dry_run=dry_run, stop=stop) if salvage else done

    def made(self, token: str, table: str) -> Snapshot | None:
        """The snapshot that a write with this token made; None when there was none.

        Raises
        ------
        CatalogError
            The token belongs to a write of another table.
        """
        made = self._catalog.by_token(token)
        if made is not None and table.casefold() not in {name.casefold() for name in made.tables}:
            hint = "A token names one write: give this one another."
            raise CatalogError(
                f"The token {token!r} belongs to snapshot {made.id}, which did not write {table!r}.",
                hint=hint,
            )
        return made


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _is_time(name: str) -> bool:
    try:
        dt.datetime.fromisoformat(name)
    except ValueError:
        return False
    return True
