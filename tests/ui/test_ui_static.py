"""Exported pages in chromium without JavaScript: on screens light and dark, in print, and on a site that takes styles away."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import SHOTS

import luma_bench as lb
from luma_bench.plot import chart

sys.path.insert(0, str(Path(__file__).parents[1] / "notebook"))

from static_pages import exported, sanitized, saved

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

JOIN = (
    "WITH big AS (SELECT g, sum(k) AS n FROM t WHERE k % 3 = 0 GROUP BY g) "
    "SELECT a.g, a.n, b.n AS again FROM big a JOIN big b USING (g) ORDER BY g"
)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with lb.open(tmp_path_factory.mktemp("static") / "b.luma") as bench:
        bench.write(
            "t", {"k": list(range(5000)), "g": [f"group {n % 7}" for n in range(5000)]}, mode="create"
        )
        table = bench.kadeql(JOIN, profile=True)
        forms = [
            {"text/plain": repr(table), "text/html": table._repr_html_()},
            table.plan_view()._repr_mimebundle_(),
            dict(chart(table, x="g", y="n", kind="bar", title="Sums")._repr_mimebundle_()),
        ]
    return saved(forms)


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that runs no scripts and reaches nothing."""
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 1000, "height": 900}, color_scheme=request.param
    )
    asked: list[str] = []
    context.route("**/*", lambda route: (asked.append(route.request.url), route.abort()))
    made = context.new_page()
    yield made
    SHOTS.mkdir(parents=True, exist_ok=True)
    made.screenshot(
        path=SHOTS / f"static_{request.node.name.strip(']').replace('[', '_')}.png", full_page=True
    )
    context.close()
    assert not asked


def shown(page: Page, body: str, *, dark: bool) -> None:
    colours = "background:#111;color:#ddd" if dark else "background:#fff;color:#111"
    page.set_content(f'<!doctype html><meta charset="utf-8"><body style="{colours}">{body}</body>')


def dark(request: pytest.FixtureRequest) -> bool:
    return "dark" in request.node.name


def test_an_exported_page_shows_everything(page: Page, notebook: Any, request: pytest.FixtureRequest) -> None:
    shown(page, exported(notebook), dark=dark(request))
    assert page.locator("table.luma-table tbody tr").count() == 7
    plan = page.locator("svg.luma-plan")
    assert plan.is_visible()
    assert not page.locator(".luma-plan-words").is_visible()
    box = plan.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1000
    scan = plan.locator("text", has_text="TABLE_SCAN").first
    ink = scan.evaluate("node => getComputedStyle(node).fill")
    assert ink == ("rgb(221, 221, 221)" if dark(request) else "rgb(17, 17, 17)")


@pytest.mark.slow
def test_a_printed_page_shows_everything(page: Page, notebook: Any, request: pytest.FixtureRequest) -> None:
    shown(page, exported(notebook), dark=dark(request))
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})
    plan = page.locator("svg.luma-plan")
    assert plan.is_visible()
    box = plan.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 720
    assert page.pdf().startswith(b"%PDF")


def test_without_styles_the_words_stand_for_the_drawing(
    page: Page, notebook: Any, request: pytest.FixtureRequest
) -> None:
    shown(page, sanitized(exported(notebook)), dark=dark(request))
    text = page.locator("body").inner_text()
    assert "TABLE_SCAN t" in text
    assert "expected rows" not in text
    assert page.locator("table tbody tr").count() == 7
    assert page.locator("td", has_text="group 3").first.is_visible()
