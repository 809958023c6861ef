"""A folder of immutable files on this machine or behind a URL: what publishing writes and opening reads.

Paths are relative, with "/" between names. A file that is not there is a `FileNotFoundError`; every other failure of a
request, after obstore's own retries, is a `RemoteError` that names the URL.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from luma_bench.errors import RemoteError, UnsupportedError
from luma_bench.storage.files import ByteSource, LocalFile, aside, replace_file
from luma_bench.storage.remote.address import Address
from luma_bench.storage.segment_write import sync_folder

Change = Callable[[bytes | None], bytes | None]
"""Makes a file's next bytes from its present ones (None: not there); None leaves it. It may be called again."""

_PART_BYTES = 8 << 20
_ATTEMPTS = 8
_RETRIES = 6
_BEYOND = ("416", "InvalidRange")  # how servers, and obstore, say that a file ends before the range
_RETRY_SECONDS = 60
_CLIENT_OPTIONS = frozenset(
    [
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "default_content_type",
        "default_headers",
        "http1_only",
        "http2_only",
        "http2_keep_alive_interval",
        "http2_keep_alive_timeout",
        "http2_keep_alive_while_idle",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_url",
        "proxy_ca_certificate",
        "proxy_excludes",
        "root_certificate",
        "randomize_addresses",
        "read_timeout",
        "timeout",
        "user_agent",
    ]
)
_CLIENT: dict[str, Any] = {"connect_timeout": "10s", "read_timeout": "30s", "timeout": "300s"}


class Folder(Protocol):
    """Where a publication lies."""

    @property
    def url(self) -> str:
        """What messages call it."""
        ...

    def read(self, path: str) -> bytes:
        """A whole file."""
        ...

    def sizes(self, under: str) -> dict[str, int]:
        """The bytes of every whole file under a folder, by path."""
        ...

    def store(self, path: str, source: ByteSource) -> None:
        """Put a file there, whole or not at all, over one that is there."""
        ...

    def change(self, path: str, change: Change) -> None:
        """Replace a small file, atomically with respect to others who change it."""
        ...


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine; what it stores is synced when the call returns."""

    path: Path

    @property
    def url(self) -> str:
        """The path."""
        return str(self.path)

    def read(self, path: str) -> bytes:
        """A whole file."""
        return (self.path / path).read_bytes()

    def sizes(self, under: str) -> dict[str, int]:
        """The bytes of every whole file under a folder, by path; drafts are none."""
        return {
            item.relative_to(self.path).as_posix(): item.stat().st_size
            for item in (self.path / under).rglob("*")
            if item.is_file() and not item.name.startswith(".")
        }

    def store(self, path: str, source: ByteSource) -> None:
        """Copy a file: written aside, synced, renamed, the folder synced."""
        target = self._made(path)
        draft = aside(target)
        try:
            with source.stream() as stream, draft.open("wb") as copy:
                shutil.copyfileobj(stream, copy, _PART_BYTES)
                copy.flush()
                os.fsync(copy.fileno())
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)

    def change(self, path: str, change: Change) -> None:
        """Replace a small file under the lock of its folder, which ends with the process that holds it."""
        target = self._made(path)
        with _locked(target.parent):
            try:
                present = target.read_bytes()
            except FileNotFoundError:
                present = None
            data = change(present)
            if data is not None:
                replace_file(target, data)

    def _made(self, path: str) -> Path:
        target = self.path / path
        missing = [parent for parent in target.parents if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            sync_folder(parent.parent)
        return target


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder behind a URL. Thread-safe."""

    address: Address
    client: Any

    @classmethod
    def open(cls, address: Address, options: Mapping[str, Any] | None = None) -> RemoteFolder:
        """Make the client; nothing is sent yet.

        Parameters
        ----------
        options
            obstore's settings of the service, such as `endpoint` or `region`, and of the HTTP client. What is not
            given comes from the environment (`AWS_…`, `AZURE_…`, `GOOGLE_…`).

        Raises
        ------
        UnsupportedError
            obstore is not installed, or does not know an option.
        """
        try:
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ImportError as error:
            hint = "Install it: pip install 'luma-bench[connect]'."
            raise UnsupportedError(
                f"{address.url}: reading URLs needs obstore, which is not installed.", hint=hint
            ) from error
        given = {name: value for name, value in (options or {}).items() if value is not None}
        # obstore does not survive a setting of the client among those of a service.
        client = {name: given.pop(name) for name in [*given] if address.web or name in _CLIENT_OPTIONS}
        arguments: dict[str, Any] = {
            "client_options": _CLIENT | {"allow_http": _plain_http(address)} | client,
            "retry_config": {"max_retries": _RETRIES, "retry_timeout": dt.timedelta(seconds=_RETRY_SECONDS)},
        }
        if given:
            arguments["config"] = given
        try:
            made = from_url(address.url, **arguments)
        except (BaseError, TypeError, ValueError) as error:
            hint = "See obstore's documentation for the options of the service."
            raise UnsupportedError(f"{address.url}: {_sentence(error)}.", hint=hint) from error
        return cls(address, made)

    @property
    def url(self) -> str:
        """The address."""
        return self.address.url

    def read(self, path: str) -> bytes:
        """A whole file."""
        import obstore

        with self._translated("read", path):
            return bytes(obstore.get(self.client, path).bytes())

    def read_range(self, path: str, offset: int, length: int) -> tuple[bytes, int]:
        """The bytes of a range, fewer at the end of the file, and the size of the whole file."""
        import obstore
        from obstore.exceptions import BaseError

        with self._translated("read", path):
            try:
                answer = obstore.get(self.client, path, options={"range": (offset, offset + length)})
            except BaseError as error:
                if not any(sign in str(error) for sign in _BEYOND):
                    raise
                return b"", self.size(path)
            if answer.range[0] != offset:
                raise RemoteError.failed(
                    "read", f"{self.url}/{path}", "the answer is another range than was asked for"
                )
            return bytes(answer.bytes()), answer.meta["size"]

    def size(self, path: str) -> int:
        """The bytes of a file."""
        import obstore

        with self._translated("read", path):
            return obstore.head(self.client, path)["size"]

    def version(self, path: str) -> tuple[str, int]:
        """What tells this content of a file from another (its entity tag, else its time), and its bytes."""
        import obstore

        with self._translated("read", path):
            meta = obstore.head(self.client, path)
        return str(meta["e_tag"] or meta["last_modified"]), meta["size"]

    def parts(self, path: str) -> Iterator[bytes]:
        """A whole file, some megabytes at a time."""
        import obstore

        with self._translated("read", path):
            for part in obstore.get(self.client, path).stream(min_chunk_size=_PART_BYTES):
                yield bytes(part)

    def sizes(self, under: str) -> dict[str, int]:
        """The bytes of every file under a folder, by path."""
        import obstore

        with self._translated("listed", under):
            return {item["path"]: item["size"] for page in obstore.list(self.client, under) for item in page}

    def store(self, path: str, source: ByteSource) -> None:
        """Upload a file; the service shows it when it is whole."""
        import obstore

        self.require_writable()
        with self._translated("written", path):
            if isinstance(source, LocalFile):
                obstore.put(self.client, path, source.path, chunk_size=_PART_BYTES)
                return
            with source.stream() as stream:
                obstore.put(
                    self.client, path, iter(lambda: stream.read(_PART_BYTES), b""), chunk_size=_PART_BYTES
                )

    def change(self, path: str, change: Change) -> None:
        """Replace a small file, on the condition that nobody else has meanwhile.

        A service without conditional writes gets a plain one: there, publish from one place at a time.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, NotSupportedError, PreconditionError

        self.require_writable()
        for _ in range(_ATTEMPTS):
            present, condition = self._versioned(path)
            data = change(present)
            if data is None:
                return
            with self._translated("written", path):
                try:
                    obstore.put(self.client, path, data, mode=condition, use_multipart=False)
                    return
                except (PreconditionError, AlreadyExistsError):
                    continue
                except NotSupportedError:
                    obstore.put(self.client, path, data, use_multipart=False)
                    return
        raise RemoteError.failed(
            "written", f"{self.url}/{path}", "others changed it at the same time, again and again"
        )

    def _versioned(self, path: str) -> tuple[bytes | None, Any]:
        import obstore

        with self._translated("read", path):
            try:
                answer = obstore.get(self.client, path)
            except FileNotFoundError:
                return None, "create"
            meta = answer.meta
            known = {"e_tag": meta["e_tag"], "version": meta["version"]}
            given = {name: value for name, value in known.items() if value is not None}
            return bytes(answer.bytes()), given or "overwrite"

    def require_writable(self) -> None:
        """Refuse a web server, before anything is sent."""
        if self.address.web:
            hint = (
                "Publish into the folder that the server shows, or to an object store (s3://, gs://, az://)."
            )
            raise UnsupportedError(f"{self.url}: a web server takes no files.", hint=hint)

    @contextlib.contextmanager
    def _translated(self, doing: str, path: str) -> Generator[None]:
        from obstore.exceptions import BaseError

        where = f"{self.url}/{path}"
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{where} is not there") from error
        except (BaseError, PermissionError) as error:
            raise RemoteError.failed(doing, where, _sentence(error)) from error


def _plain_http(address: Address) -> bool:
    """Whether requests may go without TLS: the address says so, or the variable that obstore has for the service."""
    if address.web:
        return address.scheme == "http"
    service = {"s3": "AWS", "gs": "GOOGLE"}.get(address.scheme, "AZURE")
    return os.environ.get(f"{service}_ALLOW_HTTP", "").lower() in ("1", "true", "yes", "on")


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sentence(error: BaseException) -> str:
    """What obstore says, without the address and the retries, its dump of Rust structures, and pages of HTML."""
    text = str(error).split("\n\nDebug source")[0]
    if "Error performing" in text:
        text = text.partition(" - ")[2] or text
    text = " ".join(text.split("<!DOCTYPE")[0].split("<html")[0].split())
    return text.rstrip(" :.")[:400]
