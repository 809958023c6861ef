"""Addresses of benches: what is a URL, what is a folder, and which of them are refused."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from luma_bench.errors import UnsupportedError

READABLE = ("s3", "gs", "az", "abfs", "abfss", "https", "http")
"""The schemes of URLs that hold published benches."""

_WEB = ("https", "http")


@dataclass(frozen=True, slots=True)
class Address:
    """A published bench's URL without its last slash."""

    url: str
    scheme: str

    @property
    def web(self) -> bool:
        """Whether it is a web server, which gives files and takes none."""
        return self.scheme in _WEB


def is_url(text: str) -> bool:
    """Whether this is meant as a URL and not as a path."""
    return "://" in text


def local_path(place: str | os.PathLike[str]) -> Path | None:
    """The folder that a path or a `file://` URL names; None for another URL.

    Raises
    ------
    UnsupportedError
        The `file://` URL names another machine, or has a query.
    """
    text = os.fspath(place)
    if not is_url(text):
        return Path(text)
    parts = urlsplit(text)
    if parts.scheme != "file":
        return None
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise UnsupportedError(f"{text!r} names no folder of this machine.", hint="Write file:///the/folder.")
    return Path(unquote(parts.path))


def parse_url(text: str) -> Address:
    """The address that a URL means.

    Raises
    ------
    UnsupportedError
        The scheme is unknown, or the URL holds a password, a query or a fragment.
    """
    parts = urlsplit(text)
    schemes = ", ".join(f"{name}://" for name in READABLE)
    if parts.scheme not in READABLE:
        raise UnsupportedError(
            f"{text!r}: benches are not kept behind {parts.scheme}://.",
            hint=f"Use a folder, or one of {schemes}.",
        )
    if not parts.netloc:
        hint = "Write it like s3://bucket/folder or https://host/folder."
        raise UnsupportedError(f"{text!r} names no host or bucket.", hint=hint)
    # "abfss://container@account.dfs…" has no secret before its "@".
    if (parts.scheme in _WEB and "@" in parts.netloc) or parts.password:
        hint = "Give the credentials in storage_options or in the environment, not in the address, which errors show."
        raise UnsupportedError("The address of the bench holds a user name or a password.", hint=hint)
    if parts.query or parts.fragment:
        hint = (
            "Choose a snapshot with bench.at(…); give credentials in storage_options or in the environment."
        )
        raise UnsupportedError(
            f"{text.split('?')[0].split('#')[0]}: the address has a query or a fragment.", hint=hint
        )
    return Address(text.rstrip("/"), parts.scheme)
