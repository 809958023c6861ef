"""A live notebook in JupyterLab: grids that answer while a cell runs, statements that stop, outputs that outlive both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from conftest import run_all

if TYPE_CHECKING:
    from lab_server import LabServer
    from playwright.sync_api import Page

LOAD = "%load_ext luma_bench\n%luma open shop.luma --mode r"
ENDLESS = "%%kadeql\nSELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"


def command(page: Page, name: str) -> None:
    """Start a command of JupyterLab, and do not wait: it may ask something first."""
    page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}') }}")


def run_cell(page: Page, number: int) -> None:
    """Start a cell, and do not wait for it."""
    page.locator(".jp-Cell").nth(number).locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+Enter")


def test_a_result_becomes_a_grid_and_stays_one_over_a_reload(open_notebook: Callable[..., Page]):
    page = open_notebook([LOAD, "%%kadeql\nSELECT * FROM orders ORDER BY id"])
    run_all(page)
    grid = page.locator(".jp-OutputArea-output [role=grid]")
    grid.wait_for()
    assert int(grid.get_attribute("aria-rowcount") or 0) > 90_000
    assert not page.locator(".jp-Cell").nth(1).locator(".luma-result").is_visible()
    command(page, "docmanager:save")
    page.wait_for_timeout(500)
    page.reload()
    grid.wait_for()
    command(page, "kernelmenu:restart")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    # Nobody holds the rows any more: the grid keeps those in sight, and after a reload the table that was saved stands.
    page.get_by_role("alert").filter(has_text="Run the cell again").wait_for()
    assert grid.locator(".lg-row .lg-cell").first.is_visible()
    page.reload()
    page.locator(".jp-Cell").nth(1).locator(".luma-result").wait_for()
    assert grid.count() == 0 or not grid.is_visible()


@pytest.mark.slow
def test_a_grid_answers_while_another_cell_runs(open_notebook: Callable[..., Page]):
    page = open_notebook([LOAD, "%%kadeql\nSELECT id, amount FROM orders", "import time\ntime.sleep(300)"])
    run_cell(page, 0)
    run_cell(page, 1)
    grid = page.locator(".jp-OutputArea-output [role=grid]")
    grid.wait_for()
    run_cell(page, 2)
    page.locator(".jp-InputPrompt", has_text="[*]").wait_for()
    grid.locator("[role=columnheader]", has_text="amount").first.click()
    page.wait_for_function(
        "() => document.querySelector('[role=grid] [role=columnheader][aria-sort=ascending]') !== null"
    )
    assert page.locator(".jp-InputPrompt", has_text="[*]").count() == 1
    command(page, "notebook:interrupt-kernel")
    page.locator(".jp-OutputArea-output", has_text="KeyboardInterrupt").wait_for()


def test_a_running_statement_shows_its_progress_and_its_button_stops_it(open_notebook: Callable[..., Page]):
    page = open_notebook([LOAD, "1 + 1", ENDLESS])
    run_cell(page, 0)
    run_cell(page, 1)
    page.locator(".jp-OutputArea-output", has_text="2").first.wait_for()
    run_cell(page, 2)
    line = page.locator(".luma-progress")
    line.wait_for()
    assert "Running for" in line.inner_text()
    line.get_by_role("button", name="Cancel").click()
    error = page.locator(".jp-OutputArea-output", has_text="Cancelled after")
    error.wait_for(timeout=10_000)
    assert page.locator(".luma-progress").count() == 0


@pytest.mark.slow
def test_ten_million_rows_are_sorted_and_scrolled(open_notebook: Callable[..., Page]):
    text = "SELECT range AS id, (hash(range) % 1000003)::DOUBLE / 7 AS x FROM range(10000000)"
    page = open_notebook([LOAD, f"%%kadeql\n{text}"])
    run_all(page)
    grid = page.locator(".jp-OutputArea-output [role=grid]")
    grid.wait_for()
    grid.locator("[role=columnheader]", has_text="x").first.click()
    page.wait_for_function(
        """() => [...document.querySelectorAll('[role=grid] [role=gridcell]')].some(cell => cell.textContent === '456290')""",
        timeout=90_000,
    )
    grid.locator("[role=gridcell]").first.click()
    page.keyboard.press("Control+End")
    page.wait_for_function(
        """() => [...document.querySelectorAll('[role=grid] [role=gridcell]')].some(cell => cell.textContent.startsWith('142857'))""",
        timeout=90_000,
    )


WIDGET = "bench.kadeql('SELECT id, amount, state FROM orders ORDER BY id').grid()"


@pytest.mark.slow
def test_a_result_gives_its_grid_as_a_widget_that_answers_while_a_cell_runs(
    open_notebook: Callable[..., Page],
):
    page = open_notebook([LOAD, WIDGET, "import time\ntime.sleep(300)"])
    run_cell(page, 0)
    run_cell(page, 1)
    grid = page.locator(".jp-OutputArea-output [role=grid]")
    grid.locator("[role=gridcell]").first.wait_for()
    run_cell(page, 2)
    page.locator(".jp-InputPrompt", has_text="[*]").wait_for()
    grid.locator("[role=columnheader]", has_text="amount").locator(".lg-head-name").click()
    page.locator("[role=grid] [role=columnheader][aria-sort=ascending]").wait_for()
    page.locator("[role=grid] [role=gridcell]", has_text="21387").wait_for()
    command(page, "notebook:interrupt-kernel")
    page.locator(".jp-OutputArea-output", has_text="KeyboardInterrupt").wait_for()


@pytest.mark.slow
def test_notebook_7_shows_the_widget_too(open_notebook: Callable[..., Page]):
    page = open_notebook([LOAD, WIDGET], app="notebooks")
    run_all(page)
    page.locator("[role=grid] [role=gridcell]").first.wait_for()


@pytest.mark.slow
def test_two_pages_of_one_notebook_look_at_one_result(open_notebook: Callable[..., Page], lab: LabServer):
    page = open_notebook([LOAD, "%%kadeql\nSELECT id FROM orders ORDER BY id"])
    run_all(page)
    page.locator("[role=grid] [role=gridcell]").first.wait_for()
    command(page, "docmanager:save")
    page.wait_for_timeout(500)
    other = page.context.new_page()
    other.goto(page.url if "token" in page.url else f"{page.url}?token=a-token-for-tests")
    other.locator("[role=grid] [role=gridcell]").first.wait_for()
    page.locator("[role=grid] [role=columnheader]", has_text="id").first.click()
    page.locator("[role=columnheader][aria-sort=ascending]").wait_for()
    assert other.locator("[role=columnheader][aria-sort=ascending]").count() == 0
