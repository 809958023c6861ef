"""A bench's folder: seen to be one, or made one, before its catalog is opened."""

from __future__ import annotations

from pathlib import Path

from luma_bench.config import FORMAT, Settings, read_toml
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.database import FILE, catalog_url
from luma_bench.storage.catalog.identity import TOML, replace_file
from luma_bench.storage.segment_write import sync_folder

_TOML_TEXT = f"""# A Luma bench: the folder and everything in it belong together. Settings may be added below.
format = {FORMAT}

[settings]
"""


def prepare(folder: Path, settings: Settings, *, read_only: bool) -> None:
    """See that the folder is a bench, or becomes one: first `luma.toml`, which says so, then the catalog.

    Raises
    ------
    CatalogError
        There is no bench, the folder is something else, its catalog is missing, or its format is newer.
    """
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
            _make_toml(folder)
    _check_format(folder)
    if not catalog_url(folder, settings):
        _check_file(folder, read_only=read_only)


def _make_toml(folder: Path) -> None:
    """Write the file unless another process has just done so: that one may have added to it already."""
    replace_file(folder / TOML, _TOML_TEXT, fresh=True)


def _check_format(folder: Path) -> None:
    found = read_toml(folder).get("format")
    if not isinstance(found, int):
        raise CatalogError.not_a_bench(str(folder), f"its {TOML} names no format")
    if found > FORMAT:
        raise CatalogError.newer_format(str(folder), found, FORMAT)


def _check_file(folder: Path, *, read_only: bool) -> None:
    """A bench that is just being made has no segments; one that has them lost its catalog: a new one would orphan them."""
    catalog = folder / FILE
    used = (folder / "segments").exists()
    if not catalog.exists() and (read_only or used):
        raise CatalogError.not_a_bench(str(folder), f"its {FILE} is missing")
    if used and not catalog.stat().st_size:
        why = f"its {FILE} is empty while it has segments; restore it from a copy"
        raise CatalogError.not_a_bench(str(folder), why)
