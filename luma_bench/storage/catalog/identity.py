"""A bench's id in its `luma.toml`: what ties the folder to the catalog that is kept elsewhere."""

from __future__ import annotations

import json
import os
import re
import threading
import tomllib
from pathlib import Path

from luma_bench.config import read_toml
from luma_bench.errors import CatalogError
from luma_bench.storage.segment_write import sync_folder

TOML = "luma.toml"
_FORMAT_LINE = re.compile(r"(?m)^format\s*=.*$")
_SETTINGS_LINE = re.compile(r"(?m)^\[settings\][^\n]*$")


def bench_id(folder: Path) -> str | None:
    """The id that `luma.toml` names, None when it names none."""
    found = read_toml(folder).get("bench")
    return found if isinstance(found, str) and found else None


def write_identity(folder: Path, bench: str, catalog: str) -> None:
    """Add the id, and the catalog's address unless one stands there, to the folder's `luma.toml`; all or nothing.

    Raises
    ------
    CatalogError
        The file is not one that can be added to.
    """
    path = folder / TOML
    text = path.read_text("utf-8")
    before = read_toml(folder)
    made = _FORMAT_LINE.sub(lambda found: f"{found[0]}\nbench = {json.dumps(bench)}", text, count=1)
    if "catalog" not in before.get("settings", {}):
        line = f"catalog = {json.dumps(catalog)}"
        if _SETTINGS_LINE.search(made):
            made = _SETTINGS_LINE.sub(lambda found: f"{found[0]}\n{line}", made, count=1)
        else:
            made = f"{made.rstrip()}\n\n[settings]\n{line}\n"
    settings = {"catalog": catalog} | before.get("settings", {})
    if tomllib.loads(made) != before | {"bench": bench, "settings": settings}:
        hint = f"Add these lines to it: bench = {json.dumps(bench)} at its top, and under [settings] catalog = {json.dumps(catalog)}."
        raise CatalogError(f"{str(path)!r} is written in a way that it cannot be added to.", hint=hint)
    replace_file(path, made)


def replace_file(path: Path, text: str, *, fresh: bool = False) -> None:
    """Write the file under another name and rename it, so that it is there whole or not at all, and durable.

    With `fresh` a file that is there already is left alone.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    if fresh:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                draft.replace(path)
        draft.unlink(missing_ok=True)
    else:
        draft.replace(path)
    sync_folder(path.parent)
