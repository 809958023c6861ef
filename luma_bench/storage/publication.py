"""What a published bench says of itself: `published/latest.json`, which lists every published snapshot and its catalog file.

The pointer is the only file of a publication that is ever replaced. The catalog files it names are immutable, and are
named by their content; so whoever has read a pointer can read everything that it lists.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import msgspec

from luma_bench.errors import CatalogError, CorruptionError
from luma_bench.types.record import Snapshot

FOLDER = "published"
POINTER = f"{FOLDER}/latest.json"
PUBLICATION_FORMAT = 1


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """One published snapshot.

    Attributes
    ----------
    snapshot, time, operation, author, message, namespace, token, tags, tables
        The snapshot as the bench lists it; the tags as they were when it was published last.
    file, sha256, nbytes
        Its catalog file, in the folder of the pointer.
    """

    snapshot: int
    time: dt.datetime
    operation: str
    author: str
    message: str
    namespace: str
    token: str
    tags: tuple[str, ...]
    tables: tuple[str, ...]
    file: str
    sha256: str
    nbytes: int

    @property
    def path(self) -> str:
        """Where the catalog file lies in the bench's folder."""
        return f"{FOLDER}/{self.file}"

    @property
    def value(self) -> Snapshot:
        """The snapshot as the bench lists it."""
        return Snapshot(
            self.snapshot,
            self.time,
            self.operation,
            self.author,
            self.message,
            self.tags,
            self.namespace,
            self.token,
            self.tables,
        )


class Pointer(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """Every published snapshot of one bench, oldest first.

    `bench` is the token of the bench's first snapshot, which no other bench has; `latest` is the newest published one.
    """

    format: int
    bench: str
    latest: int
    published: tuple[Entry, ...]

    def with_entry(self, entry: Entry) -> Pointer:
        """The pointer that lists a snapshot too, or as it is now."""
        others = [one for one in self.published if one.snapshot != entry.snapshot]
        entries = tuple(sorted([*others, entry], key=lambda one: one.snapshot))
        return Pointer(self.format, self.bench, entries[-1].snapshot, entries)

    def without(self, snapshot: int) -> Pointer:
        """The pointer that does not list a snapshot; the last one stays."""
        entries = tuple(one for one in self.published if one.snapshot != snapshot)
        return Pointer(self.format, self.bench, entries[-1].snapshot, entries)

    def find(self, snapshot: int) -> Entry | None:
        """A snapshot's entry."""
        return next((one for one in self.published if one.snapshot == snapshot), None)


@dataclass(frozen=True, slots=True)
class Publication:
    """What `bench.publish` made.

    Attributes
    ----------
    snapshot
        The snapshot that can be read there.
    url
        The folder or URL to open.
    catalog
        The catalog file, relative to it.
    segments, uploaded
        How many segments the snapshot has, and how many of them were not there yet.
    nbytes
        Bytes that were written.
    rewritten
        How many of the segments are not those of the bench, but were written anew, without deleted rows and dropped columns.
    """

    snapshot: Snapshot
    url: str
    catalog: str
    segments: int
    uploaded: int
    nbytes: int
    rewritten: int = 0


def encode(pointer: Pointer) -> bytes:
    """The pointer as JSON for people too."""
    return msgspec.json.format(msgspec.json.encode(pointer), indent=1) + b"\n"


def decode(data: bytes, url: str) -> Pointer:
    """The pointer from its bytes.

    Raises
    ------
    CatalogError
        A later version wrote it.
    CorruptionError
        It is no pointer.
    """
    try:
        head = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        found = msgspec.json.decode(head.get("format", b"0"), type=int)
        if found > PUBLICATION_FORMAT:
            raise CatalogError.newer_format(url, found, PUBLICATION_FORMAT)
        pointer = msgspec.json.decode(data, type=Pointer)
    except msgspec.DecodeError as error:
        raise CorruptionError(f"{url}/{POINTER} is damaged: {error}.", segment=POINTER) from error
    if pointer.find(pointer.latest) is None or any("/" in one.file for one in pointer.published):
        raise CorruptionError(f"{url}/{POINTER} does not list what it names.", segment=POINTER)
    return pointer
