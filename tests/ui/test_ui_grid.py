"""Results in JupyterLab as people see them: the grid in a cell's output, its chart and plan, and what it survives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run_all

if TYPE_CHECKING:
    from lab_server import LabServer
    from playwright.sync_api import Locator, Page

Open = Callable[..., "Page"]

AXE = Path(__file__).resolve().parents[2] / "extensions" / "lab" / "node_modules" / "axe-core" / "axe.min.js"
OPEN = "%load_ext luma_bench\n%luma open shop.luma --mode r"
ORDERS = "%%kadeql\nSELECT id, state, amount, placed FROM orders ORDER BY id"
INJECTION = "<img src=x onerror=\"document.title='hurt'\">"


def shown(grid: Locator) -> list[list[str]]:
    """The rows in sight, from top to bottom, as the cells' texts."""
    return grid.evaluate(
        """grid => [...grid.querySelectorAll('.lg-row')].filter(row => !row.hidden)
        .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
        .map(row => [...row.querySelectorAll('.lg-cell')].map(cell => cell.textContent))"""
    )


def wait_for_first(grid: Locator, column: int, text: str) -> None:
    """Wait until the first row in sight has a text in a column."""
    page = grid.page
    page.wait_for_function(
        """([grid, column, text]) => [...grid.querySelectorAll('.lg-row')].filter(row => !row.hidden)
        .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))[0]
        ?.querySelectorAll('.lg-cell')[column]?.textContent === text""",
        arg=[grid.element_handle(), column, text],
    )


def at_rest(grid: Locator) -> None:
    """Wait until nothing is on the way."""
    grid.locator("[role=grid][aria-busy=false]").wait_for()


def first_grid(page: Page) -> Locator:
    """The first grid of the page, with its rows."""
    grid = page.locator(".luma-grid").first
    grid.locator(".lg-row .lg-cell").first.wait_for()
    return grid


def menu(grid: Locator, column: str, item: str) -> None:
    """Choose something from a column's menu."""
    name = grid.page.locator(".lg-head-name").get_by_text(column, exact=True)
    grid.locator(".lg-head").filter(has=name).locator(".lg-head-menu").click()
    grid.locator(".lg-menu-item").get_by_text(item, exact=True).click()


def test_a_result_is_a_grid_that_scrolls_sorts_filters_and_searches(open_notebook: Open) -> None:
    page = open_notebook([OPEN, ORDERS])
    run_all(page)
    grid = first_grid(page)
    total = grid.locator(".lg-size-text").inner_text()
    assert re.fullmatch(r"9\d,\d{3} rows × 4 columns", total), total  # noqa: RUF001
    assert shown(grid)[0][0] == "0"
    assert "duckdb" in grid.locator(".lg-run-badge").inner_text()

    # The last row is one scroll away.
    grid.locator(".lg-scroll").evaluate("box => { box.scrollTop = box.scrollHeight; }")
    page.wait_for_function(
        "grid => [...grid.querySelectorAll('.lg-row:not([hidden]) .lg-cell')].some(cell => cell.textContent === '99999')",
        arg=grid.element_handle(),
    )

    grid.locator(".lg-head-name", has_text="amount").click()
    grid.locator("[aria-sort=ascending]").wait_for()
    at_rest(grid)
    amounts = [float(row[2]) for row in shown(grid)]
    assert amounts == sorted(amounts)
    grid.locator(".lg-head-name", has_text="amount").click()
    grid.locator("[aria-sort=descending]").wait_for()
    page.wait_for_function(
        "([grid, least]) => parseFloat(grid.querySelector('.lg-row:not([hidden]) .lg-cell:nth-child(3)').textContent) > least",
        arg=[grid.element_handle(), 100],
    )

    menu(grid, "state", "Filter…")
    grid.locator(".lg-popover select").select_option("=")
    grid.locator(".lg-filter-values input").fill("open")
    page.keyboard.press("Enter")
    grid.locator(".lg-chip").wait_for()
    wait_for_first(grid, 1, "open")
    assert " of 9" in grid.locator(".lg-size-text").inner_text()
    grid.locator(".lg-chip-remove").click()
    grid.locator(".lg-chip").wait_for(state="detached")

    grid.locator(".lg-search").fill("nothing has this")
    grid.locator(".lg-empty").wait_for()
    assert "No row matches." in grid.locator(".lg-empty").inner_text()
    grid.get_by_role("button", name="Show all rows").click()
    page.wait_for_function(
        "([grid, total]) => grid.querySelector('.lg-size-text').textContent === total",
        arg=[grid.element_handle(), total],
    )
    at_rest(grid)
    assert [float(row[2]) for row in shown(grid)] == sorted(
        (float(row[2]) for row in shown(grid)), reverse=True
    )


@pytest.mark.slow
def test_the_keyboard_moves_opens_and_copies_and_leaves_the_notebook_alone(open_notebook: Open) -> None:
    page = open_notebook([OPEN, ORDERS])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    run_all(page)
    grid = first_grid(page)
    grid.locator(".lg-cell").first.click()
    for key in "ddbam":
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == 2, (
        "keys in a grid are no commands of the notebook"
    )
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+c")
    grid.locator(".lg-done", has_text="2 cells copied.").wait_for()
    states = [row[1] for row in shown(grid)[:2]]
    assert page.evaluate("() => navigator.clipboard.readText()").split("\n") == states
    page.keyboard.press("Enter")
    dialog = grid.get_by_role("dialog")
    assert dialog.locator(".lg-value-text").inner_text() == states[1]
    page.keyboard.press("Escape")
    page.keyboard.press("Control+End")
    page.wait_for_function(
        """() => document.getElementById(document.activeElement.getAttribute('aria-activedescendant') ?? '')
        ?.closest('.lg-row').getAttribute('aria-rowindex') === document.activeElement.getAttribute('aria-rowcount')"""
    )
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    grid.get_by_role("menu").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.getAttribute('role')") == "grid"


@pytest.mark.slow
def test_columns_show_their_distribution_and_statistics(open_notebook: Open) -> None:
    page = open_notebook([OPEN, ORDERS])
    run_all(page)
    grid = first_grid(page)
    grid.locator(".lg-bars").first.wait_for()
    grid.locator(".lg-shares").first.wait_for()
    grid.locator(".lg-head", has_text="state").locator(".lg-head-plot").click()
    figures = grid.get_by_role("dialog")
    figures.locator(".lg-top-line").first.wait_for()
    assert {"open", "paid", "sent", "returned"} == set(figures.locator(".lg-top-value").all_inner_texts())
    page.keyboard.press("Escape")
    menu(grid, "amount", "Statistics…")
    grid.get_by_role("dialog").locator("dd").first.wait_for()
    assert {"mean", "median", "min", "max"} <= set(grid.get_by_role("dialog").locator("dt").all_inner_texts())


@pytest.mark.slow
def test_the_chart_and_the_plan_are_one_click_away(open_notebook: Open) -> None:
    page = open_notebook([OPEN, ORDERS])
    run_all(page)
    grid = first_grid(page)
    grid.get_by_role("tab", name="Chart").click()
    grid.locator(".lg-chart-plot .main-svg").first.wait_for()
    assert grid.locator(".lg-chip-button").count() > 0
    grid.locator(".lg-chart-code-box summary").click()
    assert "import" in grid.locator(".lg-chart-code").inner_text()
    grid.get_by_role("tab", name="Plan").click()
    grid.locator(".lg-plan-tab svg").first.wait_for()
    assert "orders" in grid.locator(".lg-plan-tab").inner_text()


@pytest.mark.slow
def test_rows_are_exported_to_a_file_and_a_variable(open_notebook: Open, lab: LabServer) -> None:
    page = open_notebook([OPEN, "%%kadeql\nSELECT id, name FROM customers ORDER BY id"])
    run_all(page)
    grid = first_grid(page)
    grid.get_by_role("button", name="Export").click()
    grid.locator(".lg-menu-item", has_text="CSV file").click()
    grid.locator(".lg-popover input[type=text]").fill("some.csv")
    page.keyboard.press("Enter")
    grid.locator(".lg-done", has_text="500 rows written").wait_for()
    written = (lab.root / "some.csv").read_text("utf-8").splitlines()
    assert written[0] == "id,name"
    assert len(written) == 501
    # The file is there now: it is replaced only when told so.
    grid.get_by_role("button", name="Export").click()
    grid.locator(".lg-menu-item", has_text="CSV file").click()
    grid.locator(".lg-popover input[type=text]").fill("some.csv")
    page.keyboard.press("Enter")
    grid.locator(".lg-notice", has_text="already").wait_for()


def test_nothing_of_the_data_is_taken_for_markup(open_notebook: Open) -> None:
    text = INJECTION.replace("'", "''")
    page = open_notebook([OPEN, f"%%kadeql\nSELECT '{text}' AS \"<b>bold</b>\", 'مرحبا' AS arabic"])
    run_all(page)
    grid = first_grid(page)
    assert shown(grid) == [[INJECTION, "مرحبا"]]
    grid.locator(".lg-cell").first.dblclick()
    assert INJECTION in grid.get_by_role("dialog").inner_text()
    assert grid.locator("img, b:not(.lg-run-badge b)").count() == 0
    assert page.title() != "hurt"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "said"),
    [("SELECT * FROM orders WHERE id < 0", "No rows."), ("SELECT id AS only FROM orders LIMIT 1", "")],
)
def test_small_results_stand_too(open_notebook: Open, query: str, said: str) -> None:
    page = open_notebook([OPEN, f"%%kadeql\n{query}"])
    run_all(page)
    grid = page.locator(".luma-grid").first
    grid.wait_for()
    if said:
        assert grid.locator(".lg-empty").inner_text() == said
        overflow = "box => [box.scrollHeight - box.clientHeight, box.offsetWidth - box.clientWidth]"
        assert grid.locator(".lg-scroll").evaluate(overflow) == [0, 0]
    else:
        grid.locator(".lg-cell").first.wait_for()
        assert "1 row × 1 column" in grid.inner_text()  # noqa: RUF001


@pytest.mark.slow
def test_five_thousand_columns(open_notebook: Open) -> None:
    page = open_notebook(
        [
            OPEN,
            "bench.kadeql('SELECT ' + ', '.join(f'id + {n} AS c{n}' for n in range(5000)) + ' FROM orders LIMIT 300')",
        ]
    )
    run_all(page)
    grid = first_grid(page)
    assert grid.locator(".lg-head").count() < 40
    grid.locator(".lg-cell").first.click()
    page.keyboard.press("End")
    grid.locator(".lg-head-name", has_text="c4999").wait_for()
    at_rest(grid)
    first = shown(grid)[0]
    assert int(first[-1]) - int(first[-2]) == 1


@pytest.mark.slow
def test_a_grid_keeps_its_rows_when_its_kernel_ends_and_the_html_stands_without_one(
    open_notebook: Open,
) -> None:
    page = open_notebook([OPEN, ORDERS.replace("%%kadeql", "%%kadeql --limit 16")])
    run_all(page)
    grid = first_grid(page)
    assert grid.locator(".lg-scroll").evaluate("box => Math.floor(box.clientHeight / 24)") == 16
    grid.locator(".lg-head-name", has_text="amount").click()
    grid.locator("[aria-sort=ascending]").wait_for()
    at_rest(grid)
    sorted_rows = shown(grid)
    page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
    )
    grid.locator("[role=alert]").filter(has_text="Run the cell again").wait_for()
    assert shown(grid)[:10] == sorted_rows[:10]
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    table = page.locator(".luma-result table").first
    table.wait_for()
    assert "amount" in table.inner_text()
    assert page.locator(".luma-grid").count() == 0
    run_all(page)
    first_grid(page)


@pytest.mark.slow
def test_a_reload_and_a_second_tab_have_the_grid_again(open_notebook: Open) -> None:
    page = open_notebook([OPEN, ORDERS])
    run_all(page)
    first_grid(page)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    grid = first_grid(page)
    grid.locator(".lg-head-name", has_text="amount").click()
    grid.locator("[aria-sort=ascending]").wait_for()
    other: Any = page.context.new_page()
    try:
        other.goto(page.url.replace("/lab/", "/lab/workspaces/second/", 1))
        second = first_grid(other)
        assert shown(second)[0][0] == "0", "each tab has an order of its own"
        assert grid.locator("[aria-sort=ascending]").count() == 1
    finally:
        other.close()


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_is_accessible_in_light_and_dark(open_notebook: Open, theme: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: scripts/extension.sh does that")
    page = open_notebook([OPEN, ORDERS])
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    run_all(page)
    grid = first_grid(page)
    grid.locator(".lg-bars").first.wait_for()
    grid.locator(".lg-cell").first.click()
    page.add_script_tag(path=AXE)
    audit = """async () => (await axe.run({ include: [['.luma-grid']] }, { resultTypes: ['violations'] }))
        .violations.map(found => [found.id, found.nodes.map(node => node.html.slice(0, 160) + ' ' + node.failureSummary.slice(0, 240))])"""
    assert page.evaluate(audit) == []
    menu(grid, "state", "Filter…")
    assert page.evaluate(audit) == []
    page.keyboard.press("Escape")
    grid.get_by_role("tab", name="Chart").click()
    grid.locator(".lg-chart-plot .main-svg").first.wait_for()
    assert page.evaluate(audit.replace("'.luma-grid'", "'.lg-bar'")) == []
