"""Plans in JupyterLab: the drawing folds, zooms and tells details; the grid's Plan tab shows the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_all

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "extensions" / "lab" / "node_modules" / "axe-core" / "axe.min.js"
OPEN = "%load_ext luma_bench\n%luma open shop.luma --mode r"
JOIN = (
    "WITH big AS (SELECT customer, sum(amount) AS spent FROM orders WHERE state = 'paid' GROUP BY customer)\n"
    "SELECT c.name, a.spent, b.spent AS again FROM big a JOIN big b USING (customer) "
    "JOIN customers c ON c.id = a.customer ORDER BY a.spent DESC LIMIT 5"
)
PLAN = ".luma-plan-live"


@pytest.mark.slow
def test_a_profile_folds_zooms_and_tells_details(open_notebook: Callable[..., Page]) -> None:
    page = open_notebook([OPEN, f"%%kadeql --profile\n{JOIN}"])
    run_all(page)
    plan = page.locator(PLAN).first
    plan.wait_for()
    items = plan.locator('[role="treeitem"]')
    assert items.count() > 8
    scan = items.filter(has_text="TABLE_SCANorders").first
    scan.click()
    details = plan.locator(".luma-plan-details")
    assert "orders" in details.inner_text()
    assert "storage" in details.inner_text()

    items.first.focus()
    page.keyboard.press("ArrowLeft")
    assert sum(item.is_visible() for item in items.all()) == 1
    page.keyboard.press("ArrowRight")
    assert all(item.is_visible() for item in items.all())

    before = plan.locator("svg").bounding_box()
    for _ in range(2):
        plan.get_by_role("button", name="Zoom in").click()
    after = plan.locator("svg").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"]
    plan.get_by_role("button", name="Fit the drawing to the page").click()

    page.add_script_tag(path=AXE)
    found: Any = page.evaluate(
        "async () => (await axe.run('.luma-plan-live')).violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])"
    )
    assert found == []
    scan.click()

    grid = page.locator(".luma-grid").first
    grid.wait_for()
    grid.get_by_role("tab", name="Plan").click()
    page.locator(f".luma-grid {PLAN}").wait_for()
    assert page.locator(f'.luma-grid {PLAN} [role="treeitem"]').first.is_visible()


@pytest.mark.slow
def test_a_saved_plan_is_live_without_a_kernel(open_notebook: Callable[..., Page]) -> None:
    page = open_notebook([OPEN, f"%%kadeql --explain\n{JOIN}"])
    run_all(page)
    page.locator(PLAN).first.wait_for()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    page.reload()
    page.locator(PLAN).first.wait_for()
    assert page.locator(f'{PLAN} [role="treeitem"]').count() > 8
