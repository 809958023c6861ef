"""JupyterLab in Debian's chromium: what a person sees, asserted in the rendered page."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab_server import LabServer

import luma_bench as lb

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
SHOTS = Path(__file__).resolve().parents[2] / "out" / "screenshots"
IDLE = """() => {
  const panels = [...window.jupyterapp.shell.widgets('main')].filter(w => w.sessionContext);
  return panels.length > 0 && panels.every(w => w.sessionContext.session?.kernel?.status === 'idle');
}"""
"""Whether every notebook's kernel is connected and idle."""
BUILT = Path(lb.__file__).parent / "labextension" / "package.json"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    found = os.environ.get("LUMA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium here: scripts/chromium.sh says how to get one")
    if not BUILT.exists():
        pytest.skip("the JupyterLab extension is not built: make extension")
    return found


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[LabServer]:
    """A JupyterLab with a bench `shop.luma` in its root: tables `orders` (100,000 rows) and `customers`, two snapshots, a tag, a graph."""
    server = LabServer(tmp_path_factory.mktemp("lab"))
    try:
        make_shop(server.root / "shop.luma")
        yield server
    finally:
        server.stop()


def make_shop(path: Path) -> None:
    """The bench that these tests read."""
    import numpy as np

    rng = np.random.default_rng(7)
    count = 100_000
    with lb.open(path) as bench:
        bench.write(
            "customers",
            {"id": np.arange(500), "name": [f"Customer {n}" for n in range(500)], "city": rng.choice(["Oslo", "Lima", "Kyoto"], 500)},
            mode="create", primary_key="id",
        )  # fmt: skip
        bench.write(
            "orders",
            {
                "id": np.arange(count),
                "customer": rng.integers(0, 500, count),
                "amount": np.round(rng.gamma(2.0, 30.0, count), 2),
                "placed": np.datetime64("2026-01-01T00:00:00", "us") + rng.integers(0, 180 * 86_400, count).astype("timedelta64[s]"),
                "state": rng.choice(["open", "paid", "sent", "returned"], count, p=[0.1, 0.5, 0.35, 0.05]),
            },
            mode="create",
        )  # fmt: skip
        bench.tag("before-returns")
        bench.kadeql("DELETE FROM orders WHERE state = 'returned' AND id < 50000")
        bench.kadeql(
            "CREATE PROPERTY GRAPH trade VERTEX TABLES (customers KEY (id)) "
            "EDGE TABLES (orders SOURCE KEY (customer) REFERENCES customers (id) DESTINATION KEY (customer) REFERENCES customers (id))"
        )


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(FLAGS))
        yield made
        made.close()


@pytest.fixture(scope="session")
def outside() -> list[str]:
    """The addresses outside of this machine that pages asked for."""
    return []


@pytest.fixture(scope="session")
def context(browser: Browser, outside: list[str]) -> Iterator[BrowserContext]:
    """Where pages open: JupyterLab's own files are fetched once. Routes would switch the browser's cache off; so it is listened to."""
    made = browser.new_context(viewport={"width": 1400, "height": 900})
    made.set_default_timeout(30_000)

    def note(address: str) -> None:
        if not re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|blob:|data:|about:", address):
            outside.append(address)

    made.on("request", lambda asked: note(asked.url))
    made.on("page", lambda page: page.on("websocket", lambda socket: note(socket.url)))
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, outside: list[str], request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh page; a picture of it is kept in out/screenshots, and any request that leaves this machine fails the test."""
    before = len(outside)
    made = context.new_page()
    yield made
    SHOTS.mkdir(parents=True, exist_ok=True)
    made.screenshot(path=SHOTS / f"{re.sub(r'[^\w.-]+', '_', request.node.name)}.png")
    for left in context.pages:
        left.close()
    assert not outside[before:], f"the page asked for {outside[before:]}"


@pytest.fixture
def open_notebook(
    lab: LabServer, page: Page, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Opens a notebook of the given cells in JupyterLab and waits until its kernel is idle; the kernel ends with the test."""

    def opened(cells: Sequence[str], *, kernel: str = "python3", app: str = "lab", name: str = "") -> Page:
        name = name or f"{re.sub(r'[^\w-]+', '_', request.node.name)}.ipynb"
        lab.write(name, cells, kernel)
        page.goto(lab.address(name, app=app))
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function("() => !!window.jupyterapp")
        page.wait_for_function(IDLE)
        return page

    yield opened
    page.goto("about:blank")  # or JupyterLab would ask what to do about its lost kernel
    lab.end_kernels()


def run_all(page: Page) -> None:
    """Run every cell and wait until none is left to run."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(p => !p.textContent.includes('*'))
        && [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].some(p => /\\d/.test(p.textContent))""",
        timeout=60_000,
    )
