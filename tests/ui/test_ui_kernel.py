"""A KadeQL notebook in JupyterLab: bare cells run, and its pin is saved with it and outlives the kernel."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from lab_server import LabServer
from playwright.sync_api import Page

import luma_bench as lb
from luma_bench.notebook.pinned.pin import METADATA

COUNT = "SELECT count(*) AS n FROM orders"
RUN = "() => window.jupyterapp.commands.execute('{}')"


def saved(lab: LabServer, page: Page, name: str, ready: Callable[[dict], bool]) -> dict:
    """The notebook's file, saved until it is as it should be: the pin comes by a message of its own."""
    for _ in range(60):
        page.evaluate(RUN.format("docmanager:save"))
        found = json.loads((lab.root / name).read_text("utf-8"))
        if ready(found):
            return found
        time.sleep(0.5)
    raise AssertionError(f"never as expected: {found['metadata']}")


def counts(page: Page) -> str:
    return page.locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea-output").last.inner_text()


def run_all(page: Page) -> None:
    page.evaluate(RUN.format("notebook:run-all-cells"))
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(p => /\\d/.test(p.textContent))""",
        timeout=90_000,
    )


def test_a_kadeql_notebook_is_pinned_and_stays_so(lab: LabServer, open_notebook: Callable[..., Page]):
    name = "pinned-kadeql.ipynb"
    with lb.open(lab.root / "kernel.luma") as bench:
        bench.write("orders", {"a": [1, 2, 3]})
    page = open_notebook(["%luma open kernel.luma", "%luma pin", COUNT], kernel="kadeql", name=name)
    run_all(page)
    assert "3" in counts(page)
    kept = saved(lab, page, name, lambda found: METADATA in found["metadata"])
    assert kept["metadata"][METADATA]["pin"]["benches"][0]["snapshot"] == 2
    answer = kept["cells"][2]["outputs"][-1]
    assert answer["metadata"][METADATA]["rows"] == 1

    with lb.open(lab.root / "kernel.luma") as bench:
        bench.write("orders", {"a": [4]}, mode="append")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    run_all(page)
    again = saved(lab, page, name, lambda found: bool(found["cells"][2]["outputs"]))
    assert again["cells"][2]["outputs"][-1]["metadata"][METADATA] == answer["metadata"][METADATA]

    page.locator(".jp-CodeCell").nth(1).click()
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource('%luma unpin')"
    )
    run_all(page)
    after = saved(lab, page, name, lambda found: METADATA not in found["metadata"])
    assert after["cells"][2]["outputs"][-1]["metadata"][METADATA]["snapshot"] == 3
