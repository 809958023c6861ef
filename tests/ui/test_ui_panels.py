"""The side bar in JupyterLab: catalog, snapshots, preview, and the status bar."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import make_shop, run_all
from lab_server import LabServer

import luma_bench as lb

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

AXE = Path(__file__).resolve().parents[2] / "extensions" / "lab" / "node_modules" / "axe-core" / "axe.min.js"
CATALOG, TIMELINE = ".luma-catalog", ".luma-timeline"
ACTIVE = "[...window.jupyterapp.shell.widgets('main')].find(w => w.content?.activeCell).content.activeCell.model.sharedModel"
OPEN = "%load_ext luma_bench\n%luma open {}"
ROOMY = "() => document.querySelector('#luma-bench-side').getBoundingClientRect().width > 400"

Opened = Callable[..., "Page"]


@pytest.fixture
def bench(lab: LabServer, request: pytest.FixtureRequest) -> str:
    """The name of a bench below the server's root that this test has for itself."""
    name = re.sub(r"\W+", "_", request.node.name) + ".luma"
    make_shop(lab.root / name)
    return name


def command(page: Page, name: str, **arguments: object) -> None:
    """Run a command of JupyterLab, as its palette and menus do."""
    page.evaluate("([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments])


def show(page: Page) -> Locator:
    """Bring the side bar to the front, wide enough for all columns; gives the catalog's tree."""
    # Before that JupyterLab's own layout would come over it.
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    command(page, "luma-bench:show-catalog")
    tree = page.locator(f"{CATALOG} .luma-tree")
    tree.wait_for()
    handle = page.locator(
        "#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)"
    ).first.bounding_box()
    assert handle is not None
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + 300)
    page.mouse.down()
    page.mouse.move(470, handle["y"] + 300)
    page.mouse.up()
    page.wait_for_function(ROOMY)
    return tree


def row(page: Page, where: str, text: str) -> Locator:
    """The row of a tree that begins with `text`."""
    return (
        page.locator(f"{where} .luma-tree-row").filter(has_text=re.compile(rf"^\s*{re.escape(text)}")).first
    )


def cells(row: Locator) -> list[str]:
    """The texts of a row's cells."""
    return row.locator("[role=gridcell]").all_inner_texts()


def last_cell(page: Page) -> str:
    """The source of the notebook's active cell."""
    return page.evaluate(f"() => {ACTIVE}.getSource()")


def choose(page: Page, place: Locator, label: str) -> None:
    """Take an entry of a row's context menu."""
    place.click(button="right")
    page.locator(".lm-Menu-item").filter(has=page.get_by_text(label, exact=True)).click()


def test_the_catalog(open_notebook: Opened, bench: str) -> None:
    """It follows the notebook, answers keys, searches, previews, and writes queries that run."""
    page = open_notebook([OPEN.format(bench), "1 + 1"])
    run_all(page)
    tree = show(page)
    page.wait_for_function(
        f"() => document.querySelector('.luma-head select').selectedOptions[0].text === '{bench} (this notebook)'"
    )
    assert cells(row(page, CATALOG, "customers"))[:2] == ["customers", "500"]
    assert page.locator(f"{CATALOG} .luma-foot").inner_text() == "2 tables · snapshot 5"

    tree.focus()
    for key in ("Home", "o", "ArrowRight"):
        page.keyboard.press(key)
    row(page, CATALOG, "amount").wait_for()
    assert cells(row(page, CATALOG, "placed")) == ["placed", "TIMESTAMP"]
    for key in ("a", "ArrowRight"):
        page.keyboard.press(key)
    row(page, CATALOG, "smallest").wait_for()
    assert float(cells(row(page, CATALOG, "smallest"))[1]) < 1
    active = tree.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-expanded") == "true"

    # Enter on a column writes its name where the cursor is.
    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Control+End")
    tree.focus()
    page.keyboard.press("Enter")
    assert last_cell(page) == "1 + 1amount"

    search = page.locator(f"{CATALOG} input[type=search]")
    search.fill("tra")
    row(page, CATALOG, "trade").wait_for()
    assert page.locator(f"{CATALOG} .luma-tree-row").count() == 2
    assert page.locator(f"{CATALOG} mark").inner_text() == "tra"
    search.fill("nobody has this")
    page.locator(f"{CATALOG} .luma-notice", has_text="Nothing has all these words").wait_for()
    search.press("Escape")
    row(page, CATALOG, "orders").wait_for()

    row(page, CATALOG, "customers").dblclick()
    page.locator(".luma-preview table").first.wait_for()
    told = page.locator(".luma-preview-told").inner_text()
    assert re.match(r"table · 500 rows · 3 columns · .* stored · snapshot 5", told)
    assert page.locator(".luma-preview-columns tbody th").all_inner_texts() == ["id", "name", "city"]

    choose(page, row(page, CATALOG, "trade"), "Insert a Cell with a Query")
    assert "MATCH (x)-[e]->(y) ON GRAPH trade" in last_cell(page)
    command(page, "notebook:run-cell")
    output(page, "orders").wait_for()


@pytest.mark.slow
def test_the_snapshots(lab: LabServer, open_notebook: Opened, bench: str) -> None:
    """They tell what changed, lead into the past, take names, and come by themselves when a cell makes one."""
    page = open_notebook([OPEN.format(bench)])
    run_all(page)
    show(page)
    row(page, TIMELINE, "#4").wait_for()
    now = cells(row(page, CATALOG, "orders"))[1]
    deleted = 100_000 - int(now.replace(",", ""))
    assert f"\N{MINUS SIGN}{deleted:,}" in row(page, TIMELINE, "#4").inner_text()
    assert "before-returns" in row(page, TIMELINE, "#3").inner_text()

    row(page, TIMELINE, "#3").dblclick()
    page.locator(".luma-head-at", has_text="As at snapshot 3").wait_for()
    row(page, CATALOG, "orders").filter(has_text="100,000").wait_for()
    choose(page, row(page, CATALOG, "orders"), "Insert a Cell with a Query")
    assert last_cell(page) == "%%kadeql --at 3\nSELECT *\nFROM orders\nLIMIT 100"
    page.locator(".luma-head-at button").click()
    row(page, CATALOG, "orders").filter(has_text=now).wait_for()

    choose(page, row(page, TIMELINE, "#4"), "Insert a Cell with the Rows It Changed")
    command(page, "notebook:run-cell")
    output(page, re.compile(f"{deleted:,}|{deleted}")).wait_for()

    page.locator(f"{TIMELINE} input").fill("before-returns")
    page.wait_for_function(f"() => document.querySelectorAll('{TIMELINE} .luma-tree-row').length === 1")
    page.locator(f"{TIMELINE} input").fill("")
    tag_it(page, "#2", "it's early")
    row(page, TIMELINE, "#2").filter(has_text="it's early").wait_for()
    with lb.open(lab.root / bench, mode="r") as held:
        assert [found.id for found in held.snapshots() if "it's early" in found.tags] == [2]
    tag_it(page, "#4", "it's early")
    page.locator(".jp-Dialog", has_text="names snapshot 2 already").wait_for()
    page.locator(".jp-Dialog button").click()

    command(page, "luma-bench:insert-cell")
    write(page, "%%kadeql\nCREATE TABLE fresh AS SELECT 1 AS one")
    command(page, "notebook:run-cell")
    row(page, CATALOG, "fresh").wait_for()
    assert "fresh" in row(page, TIMELINE, "#6").inner_text()


@pytest.mark.slow
def test_the_status_bar_says_what_runs_and_stops_it(open_notebook: Opened) -> None:
    page = open_notebook([OPEN.format("shop.luma --mode r")])
    run_all(page)
    page.locator(".luma-status-bench", has_text="shop.luma · snapshot 5 · auto").wait_for()
    command(page, "luma-bench:insert-cell")
    write(
        page,
        "%%kadeql\nSELECT count(*) FROM range(3000000) a, range(3000000) b WHERE (a.range * b.range) % 7 = 3",
    )
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell') }")
    stop = page.locator(".luma-status-cancel")
    stop.wait_for()
    assert "SELECT count(*)" in (page.locator(".luma-status-bar").get_attribute("aria-label") or "")
    stop.click()
    output(page, "Cancelled").wait_for()
    stop.wait_for(state="hidden")


def test_the_panels_are_accessible_and_show_names_as_text(lab: LabServer, open_notebook: Opened) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: scripts/extension.sh does that")
    bad = '<img src=x onerror="window.harmed=1">'
    with lb.open(lab.root / "bad.luma") as made:
        made.write(bad, {bad: [1], "ok": [bad]}, mode="create")
        made.tag(bad)
    page = open_notebook([OPEN.format("bad.luma")])
    run_all(page)
    tree = show(page)
    row(page, CATALOG, bad).dblclick()
    page.locator(".luma-preview h2").wait_for()
    assert page.locator(".luma-preview h2").inner_text() == bad
    tree.focus()
    page.keyboard.press("ArrowRight")
    row(page, CATALOG, "ok").wait_for()
    row(page, TIMELINE, "#1").dblclick()
    page.locator(".luma-head-at", has_text="As at snapshot 1").wait_for()
    assert page.evaluate(
        "() => [window.harmed, document.querySelectorAll('.luma-side img, .luma-preview img').length]"
    ) == [None, 0]
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        command(page, "apputils:change-theme", theme=theme)
        page.wait_for_function(f"() => document.body.dataset.jpThemeName === '{theme}'")
        assert violations(page, "#luma-bench-side", ".luma-preview", ".luma-status") == []


@pytest.mark.slow
def test_a_thousand_tables_take_a_screenful_of_rows(lab: LabServer, page: Page) -> None:
    """Without a notebook too: the benches below the server's root are there to look at."""
    with lb.open(lab.root / "many.luma") as made, made.transaction() as work:
        for number in range(1000):
            work.kadeql(f"CREATE TABLE table_{number:04} (id INTEGER, value DOUBLE)")
    page.goto(lab.address("").replace("/lab/tree/?", "/lab?"))
    page.wait_for_function("() => !!window.jupyterapp")
    tree = show(page)
    page.locator(".luma-head select").select_option(label="many.luma")
    row(page, CATALOG, "table_0000").wait_for()
    assert tree.get_attribute("aria-rowcount") == "1002"
    assert page.locator(f"{CATALOG} .luma-tree-row").count() < 80
    tree.focus()
    page.keyboard.press("End")
    row(page, CATALOG, "table_0999").wait_for()
    assert row(page, CATALOG, "table_0999").get_attribute("aria-posinset") == "1000"


@pytest.mark.slow
def test_the_search_has_the_cursor_at_once_and_other_processes_commits_show(
    lab: LabServer, open_notebook: Opened, bench: str
) -> None:
    page = open_notebook([f"%load_ext luma_bench\n%luma open {bench} --mode r"])
    run_all(page)
    page.locator(".jp-Cell .jp-InputPrompt").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("ControlOrMeta+Shift+Y")
    search = page.locator(f"{CATALOG} input")
    search.wait_for()
    assert search.evaluate(
        "input => new Promise(done => setTimeout(() => done(document.activeElement === input), 200))"
    )
    row(page, CATALOG, "orders").wait_for()
    with lb.open(lab.root / bench) as other:
        other.kadeql("CREATE TABLE from_elsewhere (id INTEGER)")
    row(page, CATALOG, "from_elsewhere").wait_for(timeout=15_000)
    page.locator(TIMELINE, has_text="from_elsewhere").wait_for()


def tag_it(page: Page, number: str, name: str) -> None:
    """Name a snapshot by its row's menu."""
    choose(page, row(page, TIMELINE, number), "Tag This Snapshot …")
    page.locator(".jp-Dialog input").fill(name)
    page.keyboard.press("Enter")


def write(page: Page, source: str) -> None:
    """Fill the notebook's active cell."""
    page.evaluate(f"text => {ACTIVE}.setSource(text)", source)


def output(page: Page, text: str | re.Pattern[str]) -> Locator:
    """The first output of the notebook that has `text`."""
    return page.locator(".jp-OutputArea-output", has_text=text).first


def violations(page: Page, *places: str) -> list[Any]:
    """What axe finds wrong in some places of the page: rule, element and why, of WCAG 2.2 A and AA and best practice."""
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """async places => (await axe.run({ include: places.map(place => [place]) }, { resultTypes: ['violations'] }))
        .violations.flatMap(rule => rule.nodes.map(node => [rule.id, node.target.join(' '), node.failureSummary]))""",
        list(places),
    )
    return json.loads(json.dumps(found))
