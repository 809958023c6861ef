"""A notebook run again without a reader, in its own kernel, its answers held against the saved ones."""

from __future__ import annotations

import atexit
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from luma_bench.errors import CatalogError, EngineError, UnsupportedError, choices
from luma_bench.notebook.pinned.comparing import changes, compared_values
from luma_bench.notebook.pinned.fingerprint import Fingerprint
from luma_bench.notebook.pinned.pin import METADATA, MIME, Pin, differing, environment
from luma_bench.notebook.pinned.pins import NEWEST, VARIABLE
from luma_bench.notebook.pinned.report import CellReport, Report

VOLATILE = "volatile"
"""The tag of cells whose answers change with every run, and are not compared."""
SKIPPED = "skip-execution"
"""The tag of cells that are not run, as nbclient has it."""
OWN_KERNELS = {
    "kadeql": ("luma_bench.notebook.kernel", "kadeql"),
    "python3": ("ipykernel_launcher", "python"),
}
"""Kernels that this interpreter can start itself where no kernelspec of the name is installed: module and language."""

Progress = Callable[[int, int | None], None]


def verify(
    path: str | os.PathLike[str],
    *,
    at: str | None = None,
    kernel: str | None = None,
    timeout: float | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Run a notebook and compare each answer with the saved one; the notebook's file stays as it is.

    Parameters
    ----------
    path
        The notebook.
    at
        Read this snapshot instead of the pinned one: an id, a tag, a time, or `newest`.
    kernel
        The name of the kernel, instead of the notebook's own.
    timeout
        Seconds that a cell may run.
    output
        Where to keep the notebook as it was run.
    progress
        Called with cells done and cells in all.

    Raises
    ------
    CatalogError
        There is no such notebook, or it cannot be read.
    UnsupportedError
        Its kernel is not installed here.
    """
    place = Path(path)
    saved = read_notebook(place)
    import nbformat

    pin = pin_of(saved)
    told = {"pin": None if pin is None else pin.to_json(), "at": at, "verify": True}
    started = time.perf_counter()
    run = nbformat.from_dict(json.loads(json.dumps(saved)))
    failure = _executed(run, place.resolve().parent, told, kernel, timeout, progress)
    if output is not None:
        nbformat.write(run, str(output))
    cells = tuple(_compared(saved, run, failure))
    return Report(
        place.name,
        _reading(pin, at),
        cells,
        tuple(differing(pin.environment, environment())) if pin is not None else (),
        tuple(_notes(saved, run, pin, at)),
        time.perf_counter() - started,
    )


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
    import nbformat
    from nbformat.reader import NotJSONError

    hint = "Give the path of an .ipynb file."
    if not path.is_file():
        raise CatalogError(f"There is no notebook {str(path)!r}.", hint=hint)
    try:
        return nbformat.read(str(path), as_version=4)
    except (NotJSONError, nbformat.ValidationError, UnicodeDecodeError, AttributeError, KeyError) as error:
        raise CatalogError(f"{str(path)!r} is no notebook: {error}.", hint=hint) from error


def pin_of(notebook: Any) -> Pin | None:
    """The pin of a notebook: that of its metadata, else of the last output of `%luma pin`."""
    pin = Pin.from_json(notebook.metadata.get(METADATA, {}).get("pin"))
    if pin is not None:
        return pin
    found = [
        Pin.from_json(output["data"][MIME])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    return next((one for one in reversed(found) if one is not None), None)


def fingerprints(cell: Any) -> list[Fingerprint]:
    """The fingerprints that a cell's outputs carry, in order."""
    found = [
        Fingerprint.from_json(output.get("metadata", {}).get(METADATA)) for output in cell.get("outputs", [])
    ]
    return [one for one in found if one is not None]


def _executed(
    notebook: Any, folder: Path, told: dict[str, Any], kernel: str | None, timeout: float | None, progress: Progress | None
) -> tuple[int, str] | None:  # fmt: skip
    """Run every cell in place; the index of the cell that failed and its error, None when none did."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    total, at = len(notebook.cells), [0]

    def begin(cell: Any, cell_index: int) -> None:
        at[0] = cell_index
        if progress is not None:
            progress(cell_index, total)

    for cell in notebook.cells:
        if cell.cell_type == "code" and SKIPPED not in _tags(cell):
            cell.outputs, cell.execution_count = [], None
    told_ = {**os.environ, VARIABLE: json.dumps(told)}
    with tempfile.TemporaryDirectory(prefix="luma-") as room:
        client = NotebookClient(
            notebook,
            km=_manager(notebook, kernel, room),
            timeout=timeout,
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=begin,
        )
        try:
            # The kernel is ours to end, whoever made what started it.
            client.execute(cleanup_kc=True, env=told_)
        except CellExecutionError as error:
            return at[0], f"{error.ename}: {error.evalue}".partition("\n")[0]
        except CellTimeoutError:
            return at[0], f"it ran longer than {timeout:g} s"
        except DeadKernelError:
            return at[0], "the kernel died"
        except RuntimeError as error:
            raise EngineError(
                f"The notebook's kernel did not start: {error}.",
                hint="Start it by hand to see why: python -m luma_bench.notebook.kernel, or --kernel NAME for another.",
            ) from error
        finally:
            atexit.unregister(client._cleanup_kernel)
    return None


def _manager(notebook: Any, kernel: str | None, room: str) -> Any:
    """What starts the notebook's kernel."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
    from jupyter_client.manager import AsyncKernelManager

    name = kernel or notebook.metadata.get("kernelspec", {}).get("name") or "python3"
    manager = AsyncKernelManager(kernel_name=name)
    if os.name == "posix":
        # Nobody else on this machine can read along on sockets that are files in a folder of one's own.
        manager.transport, manager.ip = "ipc", f"{room}/kernel"
    try:
        KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        if name not in OWN_KERNELS:
            known = sorted({*KernelSpecManager().find_kernel_specs(), *OWN_KERNELS})
            raise UnsupportedError(
                f"There is no kernel {name!r} here.",
                hint=f"--kernel names another. {choices(name, known, 'kernels')}",
            ) from None
        module, language = OWN_KERNELS[name]
        argv = [sys.executable, "-m", module, "-f", "{connection_file}"]
        manager._kernel_spec = KernelSpec(argv=argv, display_name=name, language=language)
    return manager


def _compared(saved: Any, run: Any, failure: tuple[int, str] | None) -> Iterator[CellReport]:
    for index, (before, after) in enumerate(zip(saved.cells, run.cells, strict=True)):
        if before.cell_type != "code":
            continue
        old, new = fingerprints(before), fingerprints(after)
        line, number = _first_line(before.source), index + 1
        if failure is not None and index == failure[0]:
            yield CellReport(number, line, "failed", details=(failure[1],))
        elif not old:
            continue
        elif {VOLATILE, SKIPPED} & _tags(before):
            yield CellReport(number, line, "left out")
        elif failure is not None and index > failure[0]:
            yield CellReport(number, line, "not run")
        else:
            details = list(_details(old, new))
            yield CellReport(number, line, "changed" if details else "equal", len(old), tuple(details))


def _details(old: list[Fingerprint], new: list[Fingerprint]) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{len(old)} answers before, {len(new)} now"
    several = len(old) > 1
    for place, (before, after) in enumerate(zip(old, new, strict=False), 1):
        for change in changes(before, after):
            yield (
                f"answer {place}, {change.kind}: {change.text}"
                if several
                else f"{change.kind}: {change.text}"
            )


def _notes(saved: Any, run: Any, pin: Pin | None, at: str | None) -> Iterator[str]:
    if pin is None and at is None:
        yield "The notebook is not pinned, so it read what is newest: %luma pin holds it to a snapshot."
    large = sum(
        not compared_values(one, two)
        for before, after in zip(saved.cells, run.cells, strict=True)
        for one, two in zip(fingerprints(before), fingerprints(after), strict=False)
    )
    if large:
        yield (
            f"Of {large} large answer{'s' if large > 1 else ''} only schema and rows were compared: they were saved before "
            "the notebook was pinned."
        )


def _reading(pin: Pin | None, at: str | None) -> str:
    if at is not None:
        return "reading what is newest" if at == NEWEST else f"reading snapshot {at}"
    if pin is None:
        return "not pinned"
    return "pinned to " + " and ".join(f"snapshot {one.snapshot} of {one.name}" for one in pin.benches)


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("%%", "--", "#"))]
    return (telling or lines or [""])[0][:100]
