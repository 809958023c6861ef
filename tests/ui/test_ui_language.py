"""KadeQL in JupyterLab's editors: colours, problems and their fixes, documentation, completion, formatting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab_server import LabServer
    from playwright.sync_api import Browser, Locator, Page

Open = Callable[..., "Page"]

SOURCE = "n => window.jupyterapp.shell.currentWidget.content.widgets[n].model.sharedModel.getSource()"
STATUS = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
# The words of a cell that are shown bold, as the theme shows keywords.
KEYWORDS = r"""cell => [...document.querySelectorAll('.jp-CodeCell')[cell].querySelectorAll('.cm-line span')]
    .filter(span => +getComputedStyle(span).fontWeight >= 600 && /\w/.test(span.textContent)).map(span => span.textContent)"""
# Where a word of a cell is shown.
PLACE = """([cell, word]) => {
    const walk = document.createTreeWalker(document.querySelectorAll('.jp-CodeCell')[cell].querySelector('.cm-content'), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const at = walk.currentNode.data.indexOf(word);
        if (at >= 0) {
            const range = document.createRange();
            range.setStart(walk.currentNode, at + 1);
            range.setEnd(walk.currentNode, at + 2);
            const box = range.getBoundingClientRect();
            return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
        }
    }
}"""
CELLS = (
    "%load_ext luma_bench\n%luma open shop.luma --mode r",
    "%%kadeql --limit 3\nSELECT customer, count(*) AS n FROM orders GROUP BY customer -- all",
    "for n in range(3):\n    rows = %kadeql SELECT not_a_word FROM orders\nprint(rows)",
    "",
    "%%kadeql\nSELECT custommer, count(*) FROM orders GROUP BY 1",
    "%%kadeql\nSELECT 1 == 1",
    "%%kadeql --limit 5\nselect customer,count(*) as n from orders group by 1",
    "%%kadeql\nSELECT date_trunc('month', placed), sum(amount) FROM orders GROUP BY ALL",
    "%%kadeql\nSELECT * FROM cust",
    "import time\ntime.sleep(40)",
)  # fmt: skip


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab: LabServer) -> Iterator[Page]:
    """A notebook of `CELLS` with its bench open; each test has cells of its own."""
    lab.write("language.ipynb", CELLS)
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(lab.address("language.ipynb"))
    start(page, 0)
    page.wait_for_function(
        "() => /\\d/.test(document.querySelector('.jp-CodeCell .jp-InputPrompt').textContent)", timeout=60_000
    )
    yield page
    context.close()


def start(page: Page, number: int) -> None:
    """Run a cell once the kernel is idle, and do not wait for it."""
    page.wait_for_function(f"() => ({STATUS})() === 'idle'", timeout=60_000)
    page.evaluate(
        """number => {
        window.jupyterapp.shell.currentWidget.content.activeCellIndex = number;
        void window.jupyterapp.commands.execute('notebook:run-cell');
    }""",
        number,
    )


def cell(page: Page, number: int) -> Locator:
    """A code cell."""
    return page.locator(".jp-CodeCell").nth(number)


def edit(page: Page, number: int) -> None:
    """Put the cursor into a cell, at its end."""
    cell(page, number).locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+End")


def wait_for_text(page: Page, number: int, wanted: str) -> None:
    """Wait until a cell holds exactly this."""
    page.wait_for_function(f"([n, wanted]) => ({SOURCE})(n) === wanted", arg=[number, wanted])


def wait_for_keyword(page: Page, number: int, word: str) -> None:
    page.wait_for_function(f"([n, word]) => ({KEYWORDS})(n).includes(word)", arg=[number, word])


def point_at(page: Page, number: int, word: str) -> None:
    """Rest the pointer on a word."""
    box = page.evaluate(PLACE, [number, word])
    page.mouse.move(box["x"] - 2, box["y"])
    page.mouse.move(box["x"], box["y"])


def test_a_cell_is_highlighted_as_what_it_holds(notebook: Page) -> None:
    wait_for_keyword(notebook, 1, "SELECT")
    assert notebook.evaluate(KEYWORDS, 1) == ["SELECT", "AS", "FROM", "GROUP", "BY"]
    wait_for_keyword(notebook, 2, "for")
    assert notebook.evaluate(KEYWORDS, 2) == ["for", "in", "SELECT", "FROM"]
    edit(notebook, 3)
    notebook.keyboard.type("%%kadeql\nSELECT lambda FROM t")
    wait_for_keyword(notebook, 3, "SELECT")
    notebook.keyboard.press("ControlOrMeta+Home")
    notebook.keyboard.press("Delete")
    notebook.wait_for_function(f"() => !({KEYWORDS})(3).includes('SELECT')")
    notebook.keyboard.press("ControlOrMeta+A")
    notebook.keyboard.press("Delete")


def test_a_problem_is_underlined_explained_and_fixed(notebook: Page) -> None:
    squiggle = cell(notebook, 4).locator(".cm-lintRange-error")
    squiggle.wait_for()
    assert squiggle.inner_text() == "custommer"
    assert cell(notebook, 4).locator(".cm-lint-marker-error").count() == 1
    squiggle.hover()
    tooltip = notebook.locator(".cm-tooltip .cm-diagnostic")
    tooltip.wait_for()
    assert "custommer" in tooltip.inner_text()
    fix = tooltip.locator("button.cm-diagnosticAction").first
    assert "customer" in fix.inner_text()
    fix.click()
    wait_for_text(notebook, 4, "%%kadeql\nSELECT customer, count(*) FROM orders GROUP BY 1")
    squiggle.wait_for(state="detached")


@pytest.mark.slow
def test_a_problem_is_reached_and_fixed_by_the_keyboard(notebook: Page) -> None:
    cell(notebook, 5).locator(".cm-lintRange").first.wait_for()
    edit(notebook, 5)
    notebook.keyboard.press("ControlOrMeta+Home")
    notebook.keyboard.press("F8")
    notebook.keyboard.press("ControlOrMeta+.")
    wait_for_text(notebook, 5, "%%kadeql\nSELECT 1 = 1")


@pytest.mark.slow
def test_a_cell_is_formatted_by_its_shortcut_and_back_again(notebook: Page) -> None:
    wait_for_keyword(notebook, 6, "select")
    edit(notebook, 6)
    notebook.keyboard.press("ControlOrMeta+Shift+F")
    notebook.wait_for_function(f"() => ({SOURCE})(6).includes('SELECT')")
    assert notebook.evaluate(SOURCE, 6).startswith("%%kadeql --limit 5\nSELECT customer, count(*) AS n")
    notebook.keyboard.press("ControlOrMeta+Z")
    wait_for_text(notebook, 6, CELLS[6])


def test_documentation_on_hover(notebook: Page) -> None:
    wait_for_keyword(notebook, 7, "SELECT")
    shown = notebook.locator(".luma-hover")
    cell(notebook, 7).scroll_into_view_if_needed()
    point_at(notebook, 7, "date_trunc")
    shown.wait_for()
    assert "date_trunc" in shown.inner_text()
    notebook.mouse.move(5, 5)
    shown.wait_for(state="detached")
    point_at(notebook, 7, "orders")
    shown.wait_for()
    assert "customer" in shown.inner_text()
    notebook.mouse.move(5, 5)


def test_checks_and_completion_answer_while_a_cell_runs(notebook: Page) -> None:
    start(notebook, 9)
    notebook.wait_for_function(f"() => ({STATUS})() === 'busy'")
    edit(notebook, 5)
    notebook.keyboard.type(" +")
    cell(notebook, 5).locator(".cm-lintRange-error").wait_for()
    edit(notebook, 8)
    notebook.keyboard.press("Tab")
    notebook.wait_for_function(
        f"() => ({SOURCE})(8).endsWith('customers') || "
        "[...document.querySelectorAll('.jp-Completer-item')].some(item => item.textContent.includes('customers'))"
    )
    assert notebook.evaluate(STATUS) == "busy"
    notebook.keyboard.press("Escape")
    notebook.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")


@pytest.mark.slow
def test_columns_stand_first_and_a_table_that_comes_later_is_no_problem_any_more(
    lab: LabServer, open_notebook: Open
) -> None:
    page = open_notebook(
        [
            "%load_ext luma_bench\n%luma open later.luma",
            "%%kadeql\nSELECT b FROM made_later",
            "%%kadeql\nCREATE TABLE made_later AS SELECT 1 AS number, 2 AS bucket, 3 AS big, 4 AS b_last",
            "%%kadeql\nSELECT b FROM made_later -- b",
        ]
    )
    start(page, 0)
    squiggle = cell(page, 1).locator(".cm-lintRange")
    squiggle.filter(has_text="made_later").first.wait_for()
    start(page, 2)
    squiggle.filter(has_text="made_later").first.wait_for(state="detached")
    page.wait_for_function(f"() => ({STATUS})() === 'idle'")
    edit(page, 3)
    page.keyboard.press("Tab")
    page.wait_for_timeout(1000)
    assert page.locator(".jp-Completer-item").count() == 0
    assert page.evaluate(SOURCE, 3).endswith("-- b")
    for _ in range(len(" FROM made_later -- b")):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    items = page.locator(".jp-Completer-item")
    items.first.wait_for()
    offered = page.locator(".jp-Completer-item .jp-Completer-match").all_inner_texts()
    assert offered[:3] == ["bucket", "big", "b_last"]
    page.keyboard.press("Escape")


@pytest.mark.slow
def test_formatting_what_does_not_parse_says_why(open_notebook: Open) -> None:
    page = open_notebook(["%%kadeql\nselect 'never closed"])
    edit(page, 0)
    page.evaluate("() => void window.jupyterapp.commands.execute('luma-bench:format')")
    note = page.locator(".Toastify__toast")
    note.wait_for()
    assert "Not formatted" in note.inner_text()
    assert page.evaluate(SOURCE, 0) == "%%kadeql\nselect 'never closed"


@pytest.mark.slow
def test_the_kadeql_kernel_s_cells(open_notebook: Open) -> None:
    page = open_notebook(
        [
            "%luma open shop.luma --mode r",
            "SELECT count(*) FROM orders",
            "%%python\nfor x in range(3):\n    select = x",
        ],
        kernel="kadeql",
    )
    wait_for_keyword(page, 1, "SELECT")
    assert page.evaluate(KEYWORDS, 1) == ["SELECT", "FROM"]
    wait_for_keyword(page, 2, "for")
    assert page.evaluate(KEYWORDS, 2) == ["for", "in"]


@pytest.mark.slow
def test_a_file_of_kadeql_is_highlighted_and_checked(lab: LabServer, page: Page) -> None:
    (lab.root / "questions.kql").write_text("SELECT count(*) FROM orders;\nSELECT (1 FROM orders;\n", "utf-8")
    page.goto(lab.address("questions.kql"))
    page.locator(".jp-FileEditor .cm-line span", has_text=re.compile("^SELECT$")).first.wait_for()
    page.locator(".jp-FileEditor .cm-lintRange-error").first.wait_for()
