"""A saved notebook as `verify` reads it: its pin, its cells' tags and fingerprints; whatever else a file holds is refused."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from luma_bench.errors import CatalogError, UnsupportedError
from luma_bench.notebook.pinned.fingerprint import Fingerprint
from luma_bench.notebook.pinned.pin import METADATA, MIME, Pin

SKIPPED = "skip-execution"
"""The tag of cells that are not run, as nbclient has it."""
_PINS = re.compile(r"^[ \t]*%luma[ \t]+pin\b", re.MULTILINE)
_HINT = "Give the path of an .ipynb file."


def read_notebook(path: Path) -> Any:
    """A notebook's file.

    Raises
    ------
    CatalogError
        There is none, or it is no notebook.
    UnsupportedError
        The packages for it are not installed.
    """
    if find_spec("nbformat") is None or find_spec("nbclient") is None:
        raise UnsupportedError(
            "What reads and runs notebooks, nbformat and nbclient, is not installed.",
            hint="Install it: pip install 'luma-bench[lab]'.",
        )
    import nbformat.reader

    if not path.is_file():
        raise CatalogError(f"There is no notebook {str(path)!r}.", hint=_HINT)
    try:
        with warnings.catch_warnings():
            # Not `nbformat.read`, which logs whatever is amiss: older programs saved cells without ids, for one.
            warnings.simplefilter("ignore")
            found = nbformat.convert(nbformat.reader.reads(path.read_text("utf-8")), 4)
    except OSError as error:
        raise CatalogError(f"{str(path)!r} cannot be read: {error.strerror or error}.", hint=_HINT) from error
    except (ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError, nbformat.ValidationError) as error:  # fmt: skip
        raise _no_notebook(path, str(error).partition("\n")[0] or type(error).__name__) from error
    amiss = _amiss(found)
    if amiss:
        raise _no_notebook(path, amiss)
    return found


def pin_of(notebook: Any) -> Pin | None:
    """The pin of a notebook: that of its metadata, else of the last output of `%luma pin`.

    Raises
    ------
    CatalogError
        There is something where the pin is, and it is none: what the notebook read is not known.
    """
    kept = notebook.metadata.get(METADATA)
    if kept is not None and not isinstance(kept, Mapping):
        raise Pin.unreadable(f"metadata.{METADATA} is not an object")
    pin = Pin.read(None if kept is None else cast("Mapping[str, object]", kept).get("pin"))
    if pin is not None:
        return pin
    shown = [
        output["data"][MIME]
        for cell in notebook.cells
        for output in _outputs(cell)
        if isinstance(output.get("data"), Mapping) and MIME in output["data"]
    ]
    return Pin.read(shown[-1]) if shown else None


def pins_itself(notebook: Any) -> bool:
    """Whether a cell of the notebook pins it."""
    return any(
        cell.cell_type == "code" and SKIPPED not in tags(cell) and _PINS.search(cell.source)
        for cell in notebook.cells
    )


def fingerprints(cell: Any) -> list[Fingerprint | None]:
    """The fingerprints that a cell's outputs carry, in order; None for one that cannot be read."""
    kept = [
        output["metadata"][METADATA]
        for output in _outputs(cell)
        if isinstance(output.get("metadata"), Mapping) and METADATA in output["metadata"]
    ]
    return [Fingerprint.from_json(one) for one in kept]


def tags(cell: Any) -> set[str]:
    """A cell's tags."""
    found = cell.metadata.get("tags")
    return {tag for tag in found if isinstance(tag, str)} if isinstance(found, list) else set()


def kernel_name(notebook: Any) -> str:
    """The name of the notebook's kernel, Python's where it names none."""
    spec = notebook.metadata.get("kernelspec")
    name = spec.get("name") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) and name else "python3"


def _outputs(cell: Any) -> list[Any]:
    return list(cell.get("outputs", ()))


def _amiss(notebook: Any) -> str:
    """What of a notebook's shape would be stumbled over; nothing said of what is not read."""
    if not isinstance(notebook, Mapping) or not isinstance(notebook.get("metadata"), Mapping):
        return "its metadata are not an object"
    if not isinstance(notebook.get("cells"), list):
        return "its cells are not a list"
    for number, cell in enumerate(notebook["cells"], 1):
        if not isinstance(cell, Mapping) or not isinstance(cell.get("cell_type"), str):
            return f"cell {number} has no type"
        if not isinstance(cell.get("source"), str) or not isinstance(cell.get("metadata"), Mapping):
            return f"cell {number} has no source, or no metadata"
        outputs = cell.get("outputs", [])
        if not isinstance(outputs, list) or not all(isinstance(one, Mapping) for one in outputs):
            return f"the outputs of cell {number} are not a list of objects"
    return ""


def _no_notebook(path: Path, why: str) -> CatalogError:
    return CatalogError(f"{str(path)!r} is no notebook: {why}.", hint=_HINT)
