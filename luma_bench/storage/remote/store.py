"""Opening a published bench: by URL, or in a folder that holds nothing but what was published."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from luma_bench.config import Settings
from luma_bench.errors import CatalogError, CorruptionError, ReadOnlyError, RemoteError, UnsupportedError
from luma_bench.storage.check import Progress
from luma_bench.storage.check_report import CheckReport, Problem
from luma_bench.storage.inline import TailCache
from luma_bench.storage.publication import POINTER, Entry, Publication, decode
from luma_bench.storage.remote.address import parse_url
from luma_bench.storage.remote.blocks import Blocks
from luma_bench.storage.remote.cache import DiskCache
from luma_bench.storage.remote.catalog import PublishedCatalog, segment_file
from luma_bench.storage.remote.folder import RemoteFolder
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.store import Store


class PublishedStore(Store):
    """The published snapshots of a bench, read where they were published to. Thread-safe.

    Attributes
    ----------
    blocks
        What fetches segments, with its traffic; None in a folder of this machine.
    """

    def __init__(
        self, place: Path, shown: str, catalog: PublishedCatalog, settings: Settings, blocks: Blocks | None
    ) -> None:
        super().__init__(place, catalog, settings, read_only=True)
        self.blocks = blocks
        self._shown = shown
        self._published = catalog

    @property
    def shown(self) -> str:
        """The folder or URL."""
        return self._shown

    @classmethod
    def open_url(
        cls, url: str, settings: Settings, options: Mapping[str, Any] | None = None
    ) -> PublishedStore:
        """Open the bench that is published behind a URL, for reading.

        Parameters
        ----------
        options
            See `RemoteFolder.open`.

        Raises
        ------
        CatalogError
            Nothing is published there.
        UnsupportedError
            The URL cannot be read, or obstore is not installed.
        RemoteError
            The service could not be reached.
        """
        folder = RemoteFolder.open(parse_url(url), options)
        cache = DiskCache(settings.effective_cache_dir, folder.url, settings.cache_bytes)
        blocks = Blocks(folder, cache)
        try:
            pointer = decode(folder.read(POINTER), folder.url)
        except FileNotFoundError as error:
            raise _nothing(folder.url) from error
        place = cache.folder

        def read(entry: Entry) -> tuple[Path, bytes]:
            return Path(place, entry.file), _catalog_bytes(folder, cache, entry)

        def locate(table_id: int, ulid: str, nbytes: int) -> Any:
            return blocks.file(segment_file(table_id, ulid), ulid, nbytes)

        return cls(
            place, folder.url, PublishedCatalog(place, pointer, read, locate, TailCache), settings, blocks
        )

    @classmethod
    def open_folder(cls, folder: Path, settings: Settings) -> PublishedStore:
        """Open what is published in a folder of this machine, for reading; nothing is written anywhere.

        Raises
        ------
        CatalogError
            Nothing is published there.
        """
        try:
            pointer = decode((folder / POINTER).read_bytes(), str(folder))
        except FileNotFoundError as error:
            raise _nothing(str(folder)) from error
        catalog = PublishedCatalog(
            folder, pointer, lambda entry: (folder / entry.path, None), lambda *_: None, TailCache
        )
        return cls(folder, str(folder), catalog, settings, None)

    def publish(self, *_: Any, **__: Any) -> Publication:
        """Refused: what is published is copied as files."""
        hint = "Publish from the bench itself, or copy the folders `published` and `segments`."
        raise ReadOnlyError("publish: this bench is itself a publication.", hint=hint)

    def withdraw(self, *_: Any, **__: Any) -> None:
        """Refused."""
        hint = "Withdraw from the bench itself: bench.withdraw(snapshot, target)."
        raise ReadOnlyError("withdraw: this bench is itself a publication.", hint=hint)

    def check(
        self, progress: Progress | None = None, *, deep: bool = True, stop: threading.Event | None = None
    ) -> CheckReport:
        """Compare every file of every published snapshot with its checksum; a remote one is read from its origin.

        Parameters
        ----------
        progress
            Called with how many parts are done and how many there are.
        deep
            False opens segments without reading them whole.
        stop
            Ends the check early when it is set.
        """
        begun = time.monotonic()
        problems: list[Problem] = []
        refs: dict[str, SegmentRef] = {}
        blobs = 0
        for entry in self._published.pointer.published:
            try:
                found = self._published.resolve_id(entry.snapshot)
                for table in found.tables.values():
                    blobs += len(found.holds(table.id).blobs)
                    found.inline(table.id)  # decodes them
                    refs |= {ref.ulid: ref for ref in found.segments(table.id)}
            except CorruptionError as error:
                problems.append(Problem.of(error, "catalog"))
        done = nbytes = 0
        for ref in refs.values():
            if stop is not None and stop.is_set():
                break
            problems += [Problem.of(error, "file") for error in _wrong(ref, deep=deep)]
            done, nbytes = done + 1, nbytes + ref.nbytes
            if progress is not None:
                progress(done, len(refs))
        seconds = time.monotonic() - begun
        return CheckReport(tuple(problems), (), done, blobs, nbytes=nbytes, seconds=seconds, deep=deep)

    def close(self) -> None:
        """Close the catalog files and stop fetching."""
        super().close()
        if self.blocks is not None:
            self.blocks.close()


def _catalog_bytes(folder: RemoteFolder, cache: DiskCache, entry: Entry) -> bytes:
    """The catalog file, from the cache when its content is the published one."""
    name = f"catalog/{entry.sha256}"
    kept = cache.get(name)
    if kept is not None and hashlib.sha256(kept).hexdigest() == entry.sha256:
        return kept
    try:
        data = folder.read(entry.path)
    except FileNotFoundError as error:
        raise CorruptionError(f"{error}, though {POINTER} lists it.", segment=entry.file) from error
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise RemoteError.failed(
            "read", f"{folder.url}/{entry.path}", "the content is not what was published"
        )
    cache.put(name, data)
    return data


def _wrong(ref: SegmentRef, *, deep: bool) -> list[CorruptionError]:
    try:
        segment = Segment.open(ref)
    except CorruptionError as error:
        return [error]
    return segment.verify() if deep else []


def _nothing(place: str) -> CatalogError:
    return CatalogError(
        f"There is no published bench at {place!r}.",
        hint=f"It needs {POINTER}, which bench.publish() writes there; give the address of the folder above it.",
    )


def refuse_writing(url: str) -> UnsupportedError:
    """A URL that was opened for writing."""
    return UnsupportedError(
        f"{url!r} can only be read.",
        hint="Open it with mode='r'. To write, keep the bench in a local folder and bench.publish() it there, or share it through a PostgreSQL catalog.",
    )
