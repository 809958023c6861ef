"""Which store an address means: a bench's folder, what is published in a folder, or what is published behind a URL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luma_bench import config
from luma_bench.errors import CatalogError, ReadOnlyError

if TYPE_CHECKING:
    from luma_bench.storage.store import Store


def open_store(
    place: str | os.PathLike[str], mode: str, settings: Mapping[str, Any], options: Mapping[str, Any] | None
) -> Store:
    """Open what is at a path or URL.

    Raises
    ------
    LumaError
        See `luma_bench.open`.
    """
    from luma_bench.storage.remote.address import local_path, parse_url
    from luma_bench.storage.store import Store

    folder = local_path(place)
    if folder is None:
        from luma_bench.storage.remote.store import PublishedStore, refuse_writing

        url = parse_url(os.fspath(place)).url
        if mode != "r":
            raise refuse_writing(url)
        return PublishedStore.open_url(url, config.load(None, settings), options)
    if folder.is_file():
        raise CatalogError.not_a_bench(str(folder), "it is a file")
    if _is_published(folder):
        from luma_bench.storage.remote.store import PublishedStore

        if mode != "r":
            hint = "Open it with mode='r'. To write, open the bench that it was published from."
            raise ReadOnlyError(f"{str(folder)!r} holds published snapshots only.", hint=hint)
        return PublishedStore.open_folder(folder, config.load(None, settings))
    return Store.open(folder, mode=mode, settings=config.load(folder, settings))


def _is_published(folder: Path) -> bool:
    """Whether a folder holds published snapshots and no catalog to write to."""
    from luma_bench.storage.publication import POINTER

    return (folder / POINTER).is_file() and not (folder / "luma.toml").exists()
