"""Writes docs/images/notebook-*.png: JupyterLab with the tour's bench, seen in a headless chromium.

Usage: python scripts/pictures.py [BENCH]; without one, the tour's tables are built into a temporary bench.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import luma_bench as lb  # noqa: E402
from benchmarks.notebook_lab import IDLE, browser, opened, server  # noqa: E402 - the root is on the path now
from luma_bench.demo.build import build  # noqa: E402

IMAGES = ROOT / "docs" / "images"
_SLOW = """\
SELECT name, count(*) AS flights, median(dep_delay) AS late
FROM flights JOIN airlines USING (carrier)
WHERE month = 2 GROUP BY name ORDER BY late DESC"""
CELLS = (
    "%load_ext luma_bench\n%luma open tour.luma",
    "%%kadeql\nSELECT carrier, origin, dest, sched AS scheduled, dep_delay, distance\nFROM flights WHERE dep_delay > 30",
    "%%kadeql --profile\n" + _SLOW,
    "%%kadeql\nSELECT carier, count(*) FROM flights GROUP BY ALL",
)
_RUN = """async number => {
  const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.sessionContext);
  panel.content.activeCellIndex = number;
  await window.jupyterapp.commands.execute('notebook:run-cell');
  panel.content.widgets[number].node.scrollIntoView({ block: 'start' });
}"""


def main(arguments: list[str]) -> None:
    """Take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, browser() as chromium:
        folder = Path(name)
        with server(folder / "lab") as lab:
            bench = lab.root / "tour.luma"
            if arguments:
                shutil.copytree(arguments[0], bench)
            else:
                with lb.open(bench) as made:
                    build(made, print)
            lab.write("late.ipynb", CELLS)
            page = opened(chromium, lab, "late.ipynb", [])
            _take(page)


def _take(page: Any) -> None:
    page.evaluate(_RUN, 0)
    page.wait_for_function(IDLE)
    page.evaluate("() => window.jupyterapp.commands.execute('luma-bench:show-catalog')")
    page.evaluate(_RUN, 1)
    page.wait_for_timeout(8000)
    page.wait_for_timeout(2500)  # the columns' distributions come after the rows
    _shot(page, "grid")
    page.get_by_role("tab", name="Chart").first.click()
    page.wait_for_timeout(6000)
    _shot(page, "chart")
    page.evaluate(_RUN, 2)
    page.wait_for_timeout(3000)
    _shot(page, "plan")
    page.evaluate(
        "() => [...window.jupyterapp.shell.widgets('main')].find(w => w.sessionContext).content.widgets[3].node.scrollIntoView()"
    )
    page.wait_for_timeout(2000)
    page.locator(".cm-lintRange-error").first.hover()
    page.wait_for_timeout(1500)
    _shot(page, "lint")
    page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })"
    )
    page.wait_for_timeout(2500)
    page.evaluate(_RUN, 1)
    page.wait_for_timeout(4000)
    _shot(page, "dark")


def _shot(page: Any, name: str) -> None:
    target = IMAGES / f"notebook-{name}.png"
    page.screenshot(path=target)
    print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
