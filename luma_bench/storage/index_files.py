"""Files of rebuildable indexes: `index/<table id>/<index id>/<ulid>/`, a folder of artefacts with a manifest.

`manifest.json` names every file with its SHA-256 and size, and what the index was built from:

    {"format": 1, "kind": "csr", "snapshot": 17, "library": {"numpy": "2.5.0"}, "parameters": {…},
     "files": {"indptr.npy": {"sha256": "…", "bytes": 8000}}}

The catalog keeps the SHA-256 of the manifest itself (`index_generation.manifest_sha256`), so that no file of an index is
believed unchecked. The folder is made under another name and renamed when everything in it is on disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from luma_bench.errors import CorruptionError
from luma_bench.storage.segment_write import sync_folder

MANIFEST = "manifest.json"
INDEX_FORMAT = 1
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of an index: the SHA-256 of its bytes (hex), and how many they are."""

    sha256: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index is: its kind, the snapshot and the parameters it was built with, library versions, and its files."""

    kind: str
    snapshot: int
    library: Mapping[str, str]
    parameters: Mapping[str, Any]
    files: Mapping[str, FileEntry]

    def encoded(self) -> bytes:
        """The bytes of `manifest.json`: keys in order, so that the same manifest has the same checksum."""
        files = {name: {"sha256": item.sha256, "bytes": item.nbytes} for name, item in self.files.items()}
        value = {
            "format": INDEX_FORMAT,
            "kind": self.kind,
            "snapshot": self.snapshot,
            "library": dict(self.library),
            "parameters": dict(self.parameters),
            "files": files,
        }
        return json.dumps(value, sort_keys=True, indent=1).encode()

    @classmethod
    def decoded(cls, data: bytes) -> Manifest:
        """The manifest from its bytes.

        Raises
        ------
        ValueError
            They are no manifest, or one of a later format.
        """
        try:
            value = json.loads(data)
            if value["format"] > INDEX_FORMAT:
                raise ValueError(f"its format is {value['format']}; this version reads up to {INDEX_FORMAT}")
            files = {
                str(name): FileEntry(str(item["sha256"]), int(item["bytes"]))
                for name, item in value["files"].items()
            }
            made = cls(
                str(value["kind"]),
                int(value["snapshot"]),
                dict(value["library"]),
                dict(value["parameters"]),
                files,
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"it lacks {error}") from error
        if any(name in ("", ".", "..", MANIFEST) or "/" in name or "\\" in name for name in files):
            raise ValueError("it names a file outside of its folder")
        return made


class IndexWriter:
    """Writes one generation of an index; it is there whole or not at all.

    Examples
    --------
    >>> with IndexWriter(folder, kind="csr", snapshot=17) as writer:
    ...     with writer.open("indptr.npy") as stream:
    ...         np.save(stream, indptr)
    ...     sha256 = writer.finish()
    """

    def __init__(
        self,
        folder: Path,
        *,
        kind: str,
        snapshot: int,
        library: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self._draft = folder.with_name(f".{folder.name}.part")
        self._about = kind, snapshot, dict(library or {}), dict(parameters or {})
        self._names: list[str] = []
        self._finished = False

    def __enter__(self) -> IndexWriter:
        self._draft.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._finished:
            shutil.rmtree(self._draft, ignore_errors=True)

    def open(self, name: str) -> IO[bytes]:
        """A new file of the index, to write and close."""
        if name == MANIFEST or "/" in name or name in self._names:
            raise ValueError(f"{name!r} cannot be a file of the index")
        self._names.append(name)
        return (self._draft / name).open("xb")

    def finish(self) -> str:
        """Make everything durable and give the folder its name; the SHA-256 of the manifest, for the catalog."""
        kind, snapshot, library, parameters = self._about
        files = {name: _entry(self._draft / name, sync=True) for name in self._names}
        data = Manifest(kind, snapshot, library, parameters, files).encoded()
        with (self._draft / MANIFEST).open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        sync_folder(self._draft)
        self._draft.rename(self.folder)
        sync_folder(self.folder.parent)
        self._finished = True
        return hashlib.sha256(data).hexdigest()


def index_folder(bench: Path, table_id: int, index_id: int, ulid: str) -> Path:
    """Where a generation of an index lies in a bench's folder."""
    return bench / "index" / str(table_id) / str(index_id) / ulid


def read_manifest(folder: Path, sha256: str) -> Manifest:
    """The manifest of an index, believed only when it has the checksum that the catalog keeps.

    Raises
    ------
    CorruptionError
        It is missing or another one.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise CorruptionError.file_of(
            folder.name, f"its manifest cannot be read: {error.strerror}"
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CorruptionError.file_of(folder.name, "its manifest does not match its checksum")
    try:
        return Manifest.decoded(data)
    except ValueError as error:
        raise CorruptionError.file_of(folder.name, f"its manifest is none: {error}") from error


def verify_index(folder: Path, sha256: str, *, deep: bool = True) -> Iterator[CorruptionError]:
    """What is wrong with the files of an index: each is compared with the manifest, and the manifest with `sha256`.

    Parameters
    ----------
    deep
        Whether every byte is read; else names and sizes are compared.
    """
    try:
        manifest = read_manifest(folder, sha256)
    except CorruptionError as error:
        yield error
        return
    for name, entry in manifest.files.items():
        path = folder / name
        try:
            size = path.stat().st_size
            wrong = size != entry.nbytes or (deep and _entry(path) != entry)
        except OSError as error:
            yield CorruptionError.file_of(folder.name, f"its file {name!r} cannot be read: {error.strerror}")
            continue
        if wrong:
            yield CorruptionError.file_of(folder.name, f"its file {name!r} does not match its checksum")


def _entry(path: Path, *, sync: bool = False) -> FileEntry:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
        if sync:
            os.fsync(stream.fileno())
    return FileEntry(digest.hexdigest(), size)
