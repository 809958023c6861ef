"""A bench's storage: tables written and read at snapshots, in one folder."""

from __future__ import annotations

import datetime as dt
import operator
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from luma_bench.config import FORMAT, Settings, read_toml
from luma_bench.errors import CatalogError, ReadOnlyError
from luma_bench.storage.catalog import Catalog, CommitInfo, ResolvedSnapshot, TableChange
from luma_bench.storage.catalog.database import FILE
from luma_bench.storage.check import CheckReport, Progress, check_store
from luma_bench.storage.ingest import Incoming, incoming
from luma_bench.storage.inline import TailCache
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.storage.write import Progress as WriteProgress
from luma_bench.storage.write import Request, Write, plan_change, sync_folder
from luma_bench.types.record import Snapshot
from luma_bench.types.schema import TableSettings

TOML = "luma.toml"
_SCANS = 128
_TOML_TEXT = f"""# A Luma bench: the folder and everything in it belong together. Settings may be added below.
format = {FORMAT}

[settings]
"""


class Store:
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

    def __init__(self, path: Path, catalog: Catalog, settings: Settings, *, read_only: bool) -> None:
        self.path = path
        self.settings = settings
        self.read_only = read_only
        self.pool = BufferPool(settings.effective_pool_bytes, settings.effective_threads)
        self._catalog = catalog
        self._lock = threading.Lock()
        self._scans: OrderedDict[tuple[int, int], TableScan] = OrderedDict()

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
            _prepare(folder, read_only=mode == "r")
        except OSError as error:
            hint = "Give the path of a folder that may be written, or open a bench with mode='r'."
            raise CatalogError(
                f"{str(folder)!r} cannot be opened: {error.strerror or error}.", hint=hint
            ) from error
        catalog = Catalog.open(
            folder, read_only=mode == "r", author=lambda: settings.effective_author, tail=TailCache
        )
        return cls(folder, catalog, settings, read_only=mode == "r")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the catalog's connections; calls after it raise `ClosedError`. Closing twice does nothing."""
        self._catalog.close()
        self.pool.close()
        with self._lock:
            self._scans.clear()

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
        self._writable("write")
        settings = TableSettings(_names(primary_key), _names(sort_by), time_column, _names(series_key))
        if token is not None and (made := self._made(token, table)) is not None:
            return made
        base = self._catalog.resolve_head()
        # Refused by mode before the data is touched: a stream is read once only.
        opened = incoming(data)
        change = plan_change(self._catalog, base, Request(table, mode, settings), opened.schema)
        return self._run(change, opened, base, self._info(change.operation, message, author, token), progress)

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
        self._writable("create table")
        base = self._catalog.resolve_head()
        request = Request(name, "replace" if replace else "create", settings or TableSettings())
        change = plan_change(self._catalog, base, request, schema_arrow)
        info = self._info(change.operation, message, author, None)
        return self._run(change, Incoming(schema_arrow, iter(())), base, info, None)

    def drop_table(self, name: str, *, message: str = "", author: str | None = None) -> Snapshot:
        """Drop a table; older snapshots keep it.

        Raises
        ------
        CatalogError
            There is no such table.
        ConflictError
            It was changed meanwhile.
        """
        self._writable("drop table")
        base = self._catalog.resolve_head()
        change = TableChange("drop", base.find(name), base.id)
        return self._catalog.commit([change], self._info("drop", message, author, None)).snapshot

    def scan(self, snapshot: ResolvedSnapshot, table: str) -> TableScan:
        """The rows of a table at a snapshot, as engines read them; cached.

        Raises
        ------
        CatalogError
            There is no such table.
        """
        schema = snapshot.find(table)
        key = (snapshot.id, schema.id)
        with self._lock:
            found = self._scans.get(key)
            if found is not None:
                self._scans.move_to_end(key)
                return found
        made = TableScan(
            schema, snapshot.segments(schema.id), snapshot.inline(schema.id), self.pool, self.settings
        )
        with self._lock:
            found = self._scans.setdefault(key, made)
            while len(self._scans) > _SCANS:
                self._scans.popitem(last=False)
        return found

    def check(self, progress: Progress | None = None) -> CheckReport:
        """Read and verify everything of every snapshot: files, checksums, zone maps, inline rows and the catalog.

        Parameters
        ----------
        progress
            Called with how many parts are done and how many there are.
        """
        return check_store(self._catalog, progress)

    def _run(
        self,
        change: TableChange,
        data: Incoming,
        base: ResolvedSnapshot,
        info: CommitInfo,
        progress: WriteProgress | None,
    ) -> Snapshot:
        return Write(self._catalog, self.pool, self.settings, change, info).run(data, base, progress)

    def _info(self, operation: str, message: str, author: str | None, token: str | None) -> CommitInfo:
        name = self.settings.effective_author if author is None else author
        return CommitInfo(operation, name, message, token or self._catalog.new_ulid())

    def _made(self, token: str, table: str) -> Snapshot | None:
        made = self._catalog.by_token(token)
        if made is not None and table.casefold() not in {name.casefold() for name in made.tables}:
            hint = "A token names one write: give this one another."
            raise CatalogError(
                f"The token {token!r} belongs to snapshot {made.id}, which did not write {table!r}.",
                hint=hint,
            )
        return made

    def _writable(self, operation: str) -> None:
        if self.read_only:
            raise ReadOnlyError.opened(operation)


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _is_time(name: str) -> bool:
    try:
        dt.datetime.fromisoformat(name)
    except ValueError:
        return False
    return True


def _prepare(folder: Path, *, read_only: bool) -> None:
    """See that the folder is a bench, or becomes one: first `luma.toml`, which says so, then the catalog."""
    shown = str(folder)
    if not folder.exists():
        if read_only:
            raise CatalogError.no_bench(shown)
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.absolute().parent)
    if not folder.is_dir():
        raise CatalogError.not_a_bench(shown, "it is a file")
    if not (folder / TOML).exists():
        foreign = any(not item.name.startswith(f".{TOML}.") for item in folder.iterdir())
        # Asked again, because another process may be making the bench at this moment.
        if foreign and not (folder / TOML).exists():
            raise CatalogError.not_a_bench(shown, f"it has no {TOML}")
        if read_only:
            raise CatalogError.no_bench(shown)
        if not foreign:
            _write_toml(folder)
    _check_format(folder)
    if not (folder / FILE).exists() and (read_only or (folder / "segments").exists()):
        raise CatalogError.not_a_bench(shown, f"its {FILE} is missing")
    # A bench that was just being made has no segments; one that has them lost its catalog, and a new one would orphan them.
    catalog = folder / FILE
    if catalog.exists() and not catalog.stat().st_size and (folder / "segments").exists():
        raise CatalogError.not_a_bench(
            shown, f"its {FILE} is empty while it has segments; restore it from a copy"
        )


def _check_format(folder: Path) -> None:
    found = read_toml(folder).get("format")
    if not isinstance(found, int):
        raise CatalogError.not_a_bench(str(folder), f"its {TOML} names no format")
    if found > FORMAT:
        raise CatalogError.newer_format(str(folder), found, FORMAT)


def _write_toml(folder: Path) -> None:
    """Write the file under another name and rename it, so that it is there whole or not at all."""
    draft = folder / f".{TOML}.{os.getpid()}-{threading.get_ident()}"
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(_TOML_TEXT)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(folder / TOML)
    sync_folder(folder)
