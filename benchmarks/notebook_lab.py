"""A real JupyterLab in a headless chromium: what the suite about the notebook asks of its page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "ui"))

from lab_server import LabServer

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
IDLE = """() => {
  const panels = [...window.jupyterapp.shell.widgets('main')].filter(w => w.sessionContext);
  return panels.length > 0 && panels.every(w => w.sessionContext.session?.kernel?.status === 'idle');
}"""
RUN_UNTIL = """async ([cell, shown]) => {
  const app = window.jupyterapp;
  const panel = [...app.shell.widgets('main')].find(w => w.sessionContext);
  panel.content.activeCellIndex = cell;
  const output = panel.content.widgets[cell].node;
  const began = performance.now();
  void app.commands.execute('notebook:run-cell');
  for (;;) {
    await new Promise(next => requestAnimationFrame(next));
    if (output.querySelector(shown)) return performance.now() - began;
    if (performance.now() - began > 60000) throw new Error('nothing was shown in a minute');
  }
}"""
"""Runs a cell and gives the milliseconds until something stands in its output."""


@contextmanager
def browser() -> Iterator[Any]:
    """Debian's chromium, headless."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, headless=True, args=list(FLAGS))
        try:
            yield made
        finally:
            made.close()


@contextmanager
def server(folder: Path, *, bare: bool = False) -> Iterator[LabServer]:
    """A JupyterLab over a folder; `bare` without the extension."""
    made = LabServer(folder, bare=bare)
    try:
        yield made
    finally:
        made.stop()


def opened(chromium: Any, lab: LabServer, name: str, received: list[int]) -> Any:
    """A fresh page with a notebook whose kernel is idle; the bytes that its sockets receive go into `received`."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(90_000)
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    page.goto(lab.address(name))
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function("() => !!window.jupyterapp")
    page.wait_for_function(IDLE)
    return page


def run_cells(page: Any, count: int) -> None:
    """Run the first cells of the notebook and wait for the kernel."""
    page.evaluate(
        """async count => {
  const app = window.jupyterapp;
  const panel = [...app.shell.widgets('main')].find(w => w.sessionContext);
  for (let cell = 0; cell < count; cell++) {
    panel.content.activeCellIndex = cell;
    await app.commands.execute('notebook:run-cell');
  }
}""",
        count,
    )
    page.wait_for_function(IDLE)
