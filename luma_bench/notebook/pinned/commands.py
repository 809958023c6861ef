"""`%luma pin`, `%luma unpin` and `%luma verify`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luma_bench.bench import display
from luma_bench.bench.moment import parse_moment
from luma_bench.errors import CatalogError, LumaError, TransactionError, UnsupportedError
from luma_bench.notebook.display import Panel, line_panel
from luma_bench.notebook.pinned.pin import MIME, Pin, PinnedBench, differing, environment
from luma_bench.notebook.pinned.pins import notebook_path
from luma_bench.notebook.pinned.report import Report

if TYPE_CHECKING:
    from luma_bench.notebook.magic import LumaMagics

Read = Callable[..., tuple[list[str], dict[str, str]]]

PIN = "%luma pin [--at S] [--tag NAME]"
VERIFY = "%luma verify [NOTEBOOK]"


class PinPanel(Panel):
    """What `%luma pin` shows: text, HTML, and the pin itself, so that it stays in a notebook of any front end."""

    __slots__ = ("_pin",)

    def __init__(self, pin: Pin, text: str, html: str) -> None:
        super().__init__(text, html)
        self._pin = pin

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {**self.bundle, MIME: self._pin.to_json()}


def pin(magics: LumaMagics, options: dict[str, str]) -> Panel:
    """Pin the notebook to its bench's snapshot: the one of `--at`, the one it is pinned to already, or the newest.

    Raises
    ------
    TransactionError
        A transaction is open.
    CatalogError
        No bench is open, or it has no such snapshot.
    """
    bench = magics.unpinned
    if bench.in_transaction:
        raise TransactionError(
            "%luma pin: a transaction is open, and what it changed is in no snapshot yet.",
            hint="COMMIT or ROLLBACK it first.",
        )
    pins = magics.pins
    held = None if pins.pin is None else pins.pin.of(bench)
    if held is not None and "--at" not in options:
        at: Any = held.snapshot
    else:
        at = parse_moment(options["--at"]) if "--at" in options else bench.snapshot
    if "--tag" in options:
        bench.tag(options["--tag"], at)
    number = bench.at(at).snapshot
    snapshot = next(one for one in bench.snapshots() if one.id == number)
    chosen = PinnedBench.of(bench, snapshot)
    kept = held is not None and held.snapshot == chosen.snapshot
    made = (pins.pin or Pin.now(())).with_bench(chosen)
    if kept and pins.pin is not None and not options:
        made = pins.pin
    pins.take(made)
    magics.show_pinned()
    return _panel(made, chosen, kept=kept)


def unpin(magics: LumaMagics) -> Panel:
    """Read what is newest again."""
    if not magics.pins.pinned:
        return line_panel("This notebook is not pinned.")
    magics.pins.take(None)
    magics.show_pinned()
    found = magics.find_bench()
    again = ""
    if found is not None and found.read_only:
        again = " The bench was opened for reading; %luma open PATH opens it for writing."
    return line_panel(f"This notebook reads the newest snapshot again.{again}")


def verify(magics: LumaMagics, words: Sequence[str]) -> Panel:
    """Run the notebook again in a kernel of its own, and hold its answers against those that are saved.

    Raises
    ------
    UnsupportedError
        The front end does not say where the notebook's file is, and no path is given.
    """
    path = Path(words[0]).expanduser() if words else notebook_path(magics.variables)
    if path is None:
        raise UnsupportedError(
            "This front end does not say which file the notebook is.",
            hint="Save it, and give its path: %luma verify NOTEBOOK.ipynb.",
        )
    command = [sys.executable, "-m", "luma_bench.notebook.pinned", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (this interpreter, no shell)
    try:
        told = json.loads(done.stdout.strip().rpartition("\n")[2])
    except json.JSONDecodeError as error:
        last = done.stderr.strip().rpartition("\n")[2] or f"it ended with {done.returncode}"
        raise CatalogError(
            f"The notebook could not be run: {last}.", hint="Run luma-bench verify NOTEBOOK to see all."
        ) from error
    if "error" in told:
        raise LumaError(told["error"], hint=told["hint"])
    report = Report.from_json(told)
    return Panel(report.text(), report.html())


def _panel(pin: Pin, chosen: PinnedBench, *, kept: bool) -> Panel:
    when = chosen.time.replace("T", " ").removesuffix("Z").partition(".")[0]
    lead = "Still pinned" if kept else "Pinned"
    lines = [f"{lead}: this notebook reads snapshot {chosen.snapshot} of {chosen.name}, of {when} UTC."]
    others = [f"{one.name} at snapshot {one.snapshot}" for one in pin.benches if one.time != chosen.time]
    if others:
        lines.append(f"It is pinned to {' and '.join(others)} too.")
    if chosen.tags:
        lines.append(f"Tagged {', '.join(chosen.tags)}, so compaction keeps it.")
    else:
        lines.append("No tag keeps it: %luma pin --tag NAME does, where old snapshots are removed.")
    cautions = [
        f"Made with another environment: {', '.join(apart)}."
        for apart in [differing(pin.environment, environment())]
        if apart
    ]
    known = ", ".join(f"{name} {version}" for name, version in pin.environment.items())
    text = "\n".join([*lines, *(f"! {line}" for line in cautions), known])
    html = "".join(f"<div>{display.escaped(line)}</div>" for line in lines)
    html += "".join(display.caution_html(line) for line in cautions)
    html += f'<div class="luma-size">{display.escaped(known)}</div>'
    return PinPanel(pin, text, html)
