"""A notebook run again without a reader, in its own kernel, its answers held against the saved ones."""

from __future__ import annotations

import atexit
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luma_bench.errors import (
    EngineError,
    KadeQLReadOnlyError,
    ReadOnlyError,
    UnsupportedError,
    choices,
)
from luma_bench.notebook.pinned.comparing import Change, changes
from luma_bench.notebook.pinned.fingerprint import Fingerprint
from luma_bench.notebook.pinned.pin import Pin, differing, environment
from luma_bench.notebook.pinned.pins import NEWEST, VARIABLE
from luma_bench.notebook.pinned.report import CellReport, Report, Status
from luma_bench.notebook.pinned.saved import (
    SKIPPED,
    fingerprints,
    kernel_name,
    pin_of,
    pins_itself,
    read_notebook,
    tags,
)

VOLATILE = "volatile"
"""The tag of cells whose answers change with every run, and are not compared."""
REFUSALS = (ReadOnlyError.__name__, KadeQLReadOnlyError.__name__)
"""What a cell ends with that writes to a bench which is open for reading."""
OWN_KERNELS = {
    "kadeql": ("luma_bench.notebook.kernel", "kadeql"),
    "python3": ("ipykernel_launcher", "python"),
}
"""Kernels that this interpreter can start itself where no kernelspec of the name is installed: module and language."""

UNSAVED = "no answer of this cell is saved: run the notebook and save it"

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """The cell at which a run ended.

    Attributes
    ----------
    cell
        Its index.
    said
        Its error in a line.
    writes
        Whether all that is wrong with it is that it writes to a bench that the run only reads.
    """

    cell: int
    said: str
    writes: bool = False


def verify(
    path: str | os.PathLike[str],
    *,
    at: str | None = None,
    kernel: str | None = None,
    timeout: float | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Run a notebook and compare each answer with the saved one; the notebook's file and its benches stay as they are.

    What a notebook that is not pinned writes goes to a copy of the bench, which is thrown away.

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
        There is no such notebook, or it or its pin cannot be read, or its kernel does not learn of the pin.
    UnsupportedError
        Its kernel is not installed here, or the timeout is none.
    """
    if timeout is not None and not timeout > 0:
        raise UnsupportedError(
            f"A timeout of {timeout:g} s lets no cell run.",
            hint="Give the seconds that a cell may run, or no timeout for no limit.",
        )
    place = Path(path)
    saved = read_notebook(place)
    import nbformat

    pin = pin_of(saved)
    told = {"pin": None if pin is None else pin.to_json(), "at": at, "verify": True}
    # A pinned notebook writes nowhere else either.
    copies = pin is None and at in (None, NEWEST) and not pins_itself(saved)
    started = time.perf_counter()
    run = nbformat.from_dict(json.loads(json.dumps(saved)))
    failure = _executed(run, place.resolve().parent, told, kernel, timeout, progress, copies=copies)
    if output is not None:
        nbformat.write(run, str(output))
    cells = tuple(_compared(saved, run, failure))
    return Report(
        place.name,
        _reading(pin, at),
        cells,
        tuple(differing(pin.environment, environment())) if pin is not None else (),
        tuple(_notes(pin, at)),
        time.perf_counter() - started,
    )


def _executed(
    notebook: Any, folder: Path, told: dict[str, Any], kernel: str | None, timeout: float | None, progress: Progress | None, *, copies: bool
) -> Failure | None:  # fmt: skip
    """Run every cell in place; the cell that failed, None when none did."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    total, at = len(notebook.cells), [0]

    def begin(cell: Any, cell_index: int) -> None:
        at[0] = cell_index
        if progress is not None:
            progress(cell_index, total)

    for cell in notebook.cells:
        if "tags" in cell.metadata:
            # nbclient looks into whatever stands there.
            cell.metadata["tags"] = sorted(tags(cell))
        if cell.cell_type == "code" and SKIPPED not in tags(cell):
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory(prefix="luma-") as room:
        told_ = {**os.environ, VARIABLE: json.dumps({**told, "room": room if copies else None})}
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
            said = f"{error.ename}: {error.evalue}".partition("\n")[0]
            return Failure(at[0], said, writes=error.ename in REFUSALS)
        except CellTimeoutError:
            return Failure(at[0], f"it ran longer than {timeout:g} s")
        except DeadKernelError:
            return Failure(at[0], "the kernel died")
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

    name = kernel or kernel_name(notebook)
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


def _compared(saved: Any, run: Any, failure: Failure | None) -> Iterator[CellReport]:
    some = any(fingerprints(cell) for cell in saved.cells)
    for index, (before, after) in enumerate(zip(saved.cells, run.cells, strict=True)):
        if before.cell_type != "code":
            continue
        old, new = fingerprints(before), fingerprints(after)
        line, number = _first_line(before.source), index + 1
        if failure is not None and index == failure.cell:
            yield CellReport(number, line, "writes" if failure.writes else "failed", details=(failure.said,))
        elif not old and not (some and new):
            # It answers nothing, or it stands in a notebook of which no answer is saved.
            continue
        elif {VOLATILE, SKIPPED} & tags(before):
            yield CellReport(number, line, "left out")
        elif not old:
            yield CellReport(number, line, "unclear", details=(f"cannot tell: {UNSAVED}",))
        elif failure is not None and index > failure.cell:
            yield CellReport(number, line, "not run")
        else:
            found = list(_changes(old, new))
            details = tuple(f"{place}{change.kind}: {change.text}" for place, change in found)
            yield CellReport(number, line, _status([change for _, change in found]), len(old), details)


def _status(found: list[Change]) -> Status:
    if not found:
        return "equal"
    return "unclear" if all(change.kind == "cannot tell" for change in found) else "changed"


def _changes(old: list[Fingerprint | None], new: list[Fingerprint | None]) -> Iterator[tuple[str, Change]]:
    """What changed in a cell's answers, each with the answer's place where there are several."""
    if len(old) != len(new):
        yield "", Change("answers", f"{len(old)} before, {len(new)} now")
    for number, (before, after) in enumerate(zip(old, new, strict=False), 1):
        place = f"answer {number}, " if len(old) > 1 else ""
        if before is None or after is None:
            why = "what was kept of the answer is damaged, or another version's: run the notebook and save it"
            yield place, Change("cannot tell", why)
            continue
        for change in changes(before, after):
            yield place, change


def _notes(pin: Pin | None, at: str | None) -> Iterator[str]:
    if pin is None and at is None:
        yield "The notebook is not pinned, so it read what is newest: %luma pin holds it to a snapshot."


def _reading(pin: Pin | None, at: str | None) -> str:
    if at is not None:
        return "reading what is newest" if at == NEWEST else f"reading snapshot {at}"
    if pin is None:
        return "not pinned"
    return "pinned to " + " and ".join(f"snapshot {one.snapshot} of {one.name}" for one in pin.benches)


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("%%", "--", "#"))]
    return (telling or lines or [""])[0][:100]
