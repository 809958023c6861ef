"""Publishing: one snapshot for readers of a folder, a web server or an object store, without a database.

In its own folder a bench's segments are published as they lie there. In any other the publication holds what the snapshot
shows: segments with deleted rows or dropped columns are written anew without them.

The order is segments, catalog file, pointer. Everything before the pointer is new and immutable, so a publication that
is cut off at any step leaves the former one as it was, and running it again goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, CorruptionError, UnsupportedError
from luma_bench.storage.catalog import Catalog, ResolvedSnapshot
from luma_bench.storage.catalog.history import check_kept, read_snapshot
from luma_bench.storage.catalog.tables import LEASE, SNAPSHOT
from luma_bench.storage.files import LocalFile
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.publication import (
    FOLDER,
    POINTER,
    PUBLICATION_FORMAT,
    Entry,
    Pointer,
    Publication,
    decode,
    encode,
)
from luma_bench.storage.publish_catalog import write_catalog
from luma_bench.storage.publish_shown import Anew, Rewritten, Shown
from luma_bench.storage.remote.address import local_path, parse_url
from luma_bench.storage.remote.folder import Folder, LocalFolder, RemoteFolder
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.segment_index import is_sealed
from luma_bench.types.record import Snapshot

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes that shall be."""

_UPLOADS = 4
_NEVER = 1 << 62
_HELD = select(LEASE.c.id).where(LEASE.c.id == sa.bindparam("id", type_=sa.Text))
_LET_GO = sa.delete(LEASE).where(LEASE.c.id == sa.bindparam("id", type_=sa.Text))
_FIRST_TOKEN = select(SNAPSHOT.c.token).order_by(SNAPSHOT.c.id).limit(1)


def publish(
    catalog: Catalog,
    resolved: ResolvedSnapshot,
    folder: Folder,
    *,
    pool: BufferPool,
    settings: Settings,
    lease: bool,
    own: bool,
    progress: Progress | None = None,
) -> Publication:
    """Make a snapshot readable in a folder that may be the bench's own.

    Parameters
    ----------
    resolved
        The snapshot.
    folder
        Where to. Segments that are there with the right size are taken for the same: their names are never used again.
    pool, settings
        What segments are read and written with.
    lease
        Whether to hold a lease against the collection of the snapshot's files meanwhile.
    own
        Whether the folder is the bench's own: the snapshot's files are kept then until it is withdrawn.

    Raises
    ------
    CatalogError
        The folder holds the publication of another bench.
    CorruptionError
        A segment of the bench is damaged; the former publication stands.
    RemoteError
        The service failed; the former publication stands.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="luma-publish-") as scratch:
            shown = None if own else Shown(catalog, resolved, pool, settings, Path(scratch))
            return _publish(catalog, resolved, folder, shown, Path(scratch), lease, progress)
    except OSError as error:
        raise not_published(folder.url, error) from error


def not_published(target: str, error: OSError) -> CatalogError:
    """That a folder did not take a publication, and why."""
    hint = "What was published before stands. Give a folder that may be written, and has room."
    why = error.strerror or str(error)
    if isinstance(error, FileExistsError | NotADirectoryError) and error.filename is not None:
        place = Path(os.fsdecode(error.filename))
        file = next((one for one in (place, *place.parents) if one.is_file()), place)
        why = f"{str(file)!r} is a file, not a folder"
        hint = "Give a folder that is there, or one that can be made."
    return CatalogError(f"{target} cannot be published to: {why}.", hint=hint)


def _publish(
    catalog: Catalog,
    resolved: ResolvedSnapshot,
    folder: Folder,
    shown: Shown | None,
    scratch: Path,
    lease: bool,
    progress: Progress | None,
) -> Publication:
    bench: str = catalog.read(lambda connection: connection.execute(_FIRST_TOKEN).scalar_one())
    snapshot = catalog.read(
        lambda connection: read_snapshot(connection, resolved.id)
    )  # with its present tags
    _check_same_bench(present(folder), bench, snapshot, folder.url)
    held: AbstractContextManager[Any] = catalog.take_lease(resolved.id, "read") if lease else nullcontext()
    with held:
        if shown is None:
            _keep(catalog, resolved.id)
        there = folder.sizes("segments") | folder.sizes(FOLDER)
        refs = {
            _segment_path(table.id, ref): ref
            for table in resolved.tables.values()
            for ref in resolved.segments(table.id)
        }
        count = _Count(progress, sum(ref.nbytes for ref in refs.values()))
        made = {} if shown is None else dict(_rewritten(shown, folder, there, count))
        for path in [
            path for path, ref in refs.items() if shown is not None and ref.ulid in shown.anew.parts
        ]:
            del refs[path]
        file = scratch / "catalog.sqlite"
        anew = Anew() if shown is None else shown.anew
        catalog.read(lambda connection: _made(connection, resolved.id, file, anew))
        entry = _entry(snapshot, file)
        missing = {path: ref for path, ref in refs.items() if there.get(path) != ref.nbytes}
        new = there.get(entry.path) != entry.nbytes
        count.expect(entry.nbytes)
        count.add(sum(ref.nbytes for path, ref in refs.items() if path not in missing))
        _upload(folder, missing, count)
        if new:
            folder.store(entry.path, LocalFile(file))
        count.add(entry.nbytes)
    folder.change(POINTER, lambda before: _pointed(before, bench, entry, folder.url))
    uploaded = [*missing.values(), *(ref for path, ref in made.items() if there.get(path) != ref.nbytes)]
    written = sum(ref.nbytes for ref in uploaded) + (entry.nbytes if new else 0)
    return Publication(
        snapshot, folder.url, entry.path, len(refs) + len(made), len(uploaded), written, len(made)
    )


def _segment_path(table_id: int, ref: SegmentRef) -> str:
    return f"segments/{table_id}/{ref.ulid}.zarr.zip"


def _rewritten(
    shown: Shown, folder: Folder, there: Mapping[str, int], count: _Count
) -> Iterator[tuple[str, SegmentRef]]:
    """Write what holds more than the snapshot shows anew, one segment after the other, and store it."""

    def stored(made: Rewritten, former: int) -> tuple[str, SegmentRef]:
        path = _segment_path(made.table_id, made.ref)
        count.expect(made.ref.nbytes - former)
        if there.get(path) != made.ref.nbytes:
            folder.store(path, made.ref.file)
        made.ref.path.unlink()
        count.add(made.ref.nbytes)
        return path, made.ref

    for table, ref in shown.dirty():
        _check_whole(ref)
        made = shown.segment(table, ref)
        if made is None:
            count.expect(-ref.nbytes)
        else:
            yield stored(made, ref.nbytes)
    for made in shown.tails():
        yield stored(made, 0)


def present(folder: Folder) -> Pointer | None:
    """What a folder has published; None when it has nothing."""
    try:
        return decode(folder.read(POINTER), folder.url)
    except FileNotFoundError:
        return None


def withdraw(catalog: Catalog, folder: Folder, snapshot: int, *, own: bool) -> None:
    """Take a snapshot off the list of published ones; who has opened it goes on reading.

    Raises
    ------
    CatalogError
        It is not published, or it is the only one.
    """

    def change(before: bytes | None) -> bytes:
        pointer = None if before is None else decode(before, folder.url)
        if pointer is None or pointer.find(snapshot) is None:
            known = "nothing is published there" if pointer is None else _listed(pointer)
            raise CatalogError(
                f"Snapshot {snapshot} is not published in {folder.url}.", hint=f"There, {known}."
            )
        if len(pointer.published) == 1:
            hint = f"Publish another first, or delete {POINTER} to withdraw the bench."
            raise CatalogError(f"Snapshot {snapshot} is the only one published in {folder.url}.", hint=hint)
        return encode(pointer.without(snapshot))

    folder.change(POINTER, change)
    if own:
        catalog._queue.submit(lambda connection: connection.execute(_LET_GO, {"id": _hold_id(snapshot)}))


def _keep(catalog: Catalog, snapshot: int) -> None:
    """Hold a snapshot for as long as it is published here, by a lease that does not run out."""
    row = {
        "id": _hold_id(snapshot),
        "kind": "publish",
        "owner": FOLDER,
        "snapshot_id": snapshot,
        "started": time.time_ns() // 1000,
        "expires": _NEVER,
    }

    def keep(connection: sa.Connection) -> None:
        check_kept(connection, snapshot)
        if connection.execute(_HELD, {"id": row["id"]}).scalar() is None:
            connection.execute(sa.insert(LEASE), row)

    catalog._queue.submit(keep)


def _hold_id(snapshot: int) -> str:
    return f"published-{snapshot}"


def _listed(pointer: Pointer) -> str:
    return f"the published snapshots are {', '.join(str(one.snapshot) for one in pointer.published)}"


def _made(connection: sa.Connection, snapshot: int, file: Path, anew: Anew) -> None:
    file.unlink(missing_ok=True)  # a read may be run again
    write_catalog(connection, snapshot, file, anew)


def _entry(snapshot: Snapshot, file: Path) -> Entry:
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Entry(
        snapshot=snapshot.id,
        time=snapshot.time,
        operation=snapshot.operation,
        author=snapshot.author,
        message=snapshot.message,
        namespace=snapshot.namespace,
        token=snapshot.token,
        tags=tuple(sorted(snapshot.tags)),
        tables=snapshot.tables,
        file=f"{snapshot.id}-{digest[:16]}.sqlite",
        sha256=digest,
        nbytes=len(data),
    )


def _pointed(before: bytes | None, bench: str, entry: Entry, url: str) -> bytes | None:
    pointer = Pointer(PUBLICATION_FORMAT, bench, entry.snapshot, ())
    if before is not None:
        pointer = decode(before, url)
        _check_same_bench(pointer, bench, entry.value, url)
    data = encode(pointer.with_entry(entry))
    return None if data == before else data


def _check_same_bench(pointer: Pointer | None, bench: str, snapshot: Snapshot, url: str) -> None:
    if pointer is None:
        return
    known = pointer.find(snapshot.id)
    if pointer.bench != bench or (known is not None and known.token != snapshot.token):
        what = (
            "another bench"
            if pointer.bench != bench
            else f"another snapshot {snapshot.id}, of a copy of this bench"
        )
        raise CatalogError(f"{url} holds the publication of {what}.", hint="Publish to a folder of its own.")


def _upload(folder: Folder, missing: dict[str, SegmentRef], count: _Count) -> None:
    """Store segments, some at a time; the first failure stops the rest."""

    def one(path: str, ref: SegmentRef) -> None:
        _check_whole(ref)
        folder.store(path, ref.file)
        count.add(ref.nbytes)

    with ThreadPoolExecutor(_UPLOADS, thread_name_prefix="luma-publish") as threads:
        work = [threads.submit(one, path, ref) for path, ref in missing.items()]
        try:
            for future in work:
                future.result()
        finally:
            for future in work:
                future.cancel()


def _check_whole(ref: SegmentRef) -> None:
    """Never publish damage: the file against its own checksum."""
    try:
        with ref.file.stream() as stream:
            whole = ref.file.size() == ref.nbytes and is_sealed(stream, ref.nbytes)
    except OSError as error:
        raise CorruptionError.file_of(ref.ulid, f"{ref.file.name}: {error}") from error
    if not whole:
        raise CorruptionError.file_of(ref.ulid, f"{ref.file.name} does not match its checksum")


class _Count:
    """Adds up bytes from several threads and reports them."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def expect(self, nbytes: int) -> None:
        """Count on more bytes, or on fewer."""
        with self._lock:
            self._total += nbytes

    def add(self, nbytes: int) -> None:
        with self._lock:
            self._done += nbytes
            if self._progress is not None:
                self._progress(self._done, self._total)


def target_folder(
    target: str | os.PathLike[str] | None, own: Path, options: Mapping[str, Any] | None
) -> Folder:
    """Where to publish: the bench's own folder, another one that is no bench, or an object store.

    Raises
    ------
    CatalogError
        It is the folder of another bench.
    UnsupportedError
        It is a web server, or a URL that means nothing here.
    """
    if target is None:
        return LocalFolder(own)
    if not os.fspath(target):
        raise UnsupportedError(
            "An empty path is no place to publish.", hint="Leave it out for the bench's own folder."
        )
    path = local_path(target)
    if path is None:
        folder = RemoteFolder.open(parse_url(os.fspath(target)), options)
        folder.require_writable()
        return folder
    if path.resolve() == own.resolve():
        return LocalFolder(own)
    if (path / "luma.toml").exists():
        hint = "Publish to a new folder, or to the bench's own with publish()."
        raise CatalogError(f"{str(path)!r} is the folder of another bench.", hint=hint)
    return LocalFolder(path)
