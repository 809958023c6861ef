"""Saved outputs without a kernel and without scripts: exported, on a hosting site, and with hostile names, data and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, new_output
from static_pages import bundles, exported, sanitized, saved, seen, tags

import luma_bench as lb
from luma_bench.notebook.display import bundle
from luma_bench.plot import chart
from luma_bench.plot.plan import PlanView

Cell = Callable[[str], tuple[Any, Any]]
GRID = "application/vnd.luma-bench.grid+json"
HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</td></tr></table><h1>", "]]><svg onload=alert(1)>",
    "javascript:alert(1)", "<!--", "&lt;b&gt;", "$\\href{javascript:alert(1)}{x}$", "\u202eevil", "</style><b>", "'onclick='x",
]  # fmt: skip
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(HOSTILE)


@pytest.fixture
def outputs(cell: Cell, shell: Any, bench_path: Path) -> list[dict[str, Any]]:
    """Every kind of output: a table, a plan, a measured run, a run record, a chart."""
    cell(f"%luma open {bench_path} --mode r")
    found: list[dict[str, Any]] = []
    for source in (
        "%kadeql SELECT carrier, n * 1000 AS n FROM flights",
        "%kadeql EXPLAIN SELECT carrier, count(*) FROM flights GROUP BY 1",
        "%kadeql --profile SELECT carrier, sum(n) AS s FROM flights GROUP BY 1",
        "%kadeql --engine gpu SELECT sum(n) AS fell FROM flights WHERE n > 1",
        "_.run",
    ):
        found += bundles(cell, shell, source)
    found.append(
        dict(chart({"k": ["a", "b"], "v": [1, 2]}, x="k", y="v", kind="bar", title="Two")._repr_mimebundle_())
    )
    return found


def test_an_export_has_tables_plans_and_charts_and_no_scripts(outputs: list[dict[str, Any]]) -> None:
    # What a live kernel adds means nothing to an export.
    live = [{**data, GRID: {"version": 1, "result": "token", "rows": 4, "columns": 2}} for data in outputs]
    page = exported(saved(live))
    assert page.count('<table class="luma-table">') == 4
    assert page.count('class="luma-plan"') == 2
    assert 'class="luma-engine">duckdb' in page
    assert "Fell back" in page
    assert page.count("data:image/svg+xml;base64,") == 1
    assert not re.search(r"<script|widget-view|vnd\.luma-bench", page)


def test_an_export_asks_for_nothing(outputs: list[dict[str, Any]]) -> None:
    page = exported(saved(outputs)).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(|src=\"(?!data:)|<link|<iframe|<object", page)


def test_a_hosting_site_shows_tables_and_the_words_of_plans(outputs: list[dict[str, Any]]) -> None:
    table, plan, profile, *_ = (seen(sanitized(exported(saved([data])))) for data in outputs)
    assert "carrier" in table
    assert re.search(r"UA\s*1,?000", table)
    assert "duckdb" in table
    for shown in (plan, profile):
        assert "TABLE_SCAN flights" in shown
        # Its words stand once, the labels of the drawing not at all.
        assert shown.count("TABLE_SCAN") == 1
        assert "expected rows" not in shown


def test_a_hosting_site_s_table_is_a_table(outputs: list[dict[str, Any]]) -> None:
    rest = sanitized(exported(saved(outputs[:1])))
    assert rest.count("<tr>") == 5
    assert rest.count("<td>") == 8
    assert "<style" not in rest
    assert "--luma" not in rest


def test_every_output_has_words_for_a_terminal(outputs: list[dict[str, Any]]) -> None:
    for data in outputs:
        assert data["text/plain"].strip()
        assert "<div" not in data["text/plain"]


def test_the_notebook_is_valid_and_stays_so_on_disk(outputs: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "saved.ipynb"
    nbformat.write(saved(outputs), path)
    nbformat.validate(nbformat.read(path, 4))


def test_a_widget_s_html_shows_when_html_is_asked_for_first(outputs: list[dict[str, Any]]) -> None:
    # nbconvert takes a widget for the best form by itself, and shows nothing of it without its state.
    data = {
        **outputs[0],
        "application/vnd.jupyter.widget-view+json": {
            "model_id": "gone",
            "version_major": 2,
            "version_minor": 0,
        },
    }
    from traitlets.config import Config

    first = Config(
        {
            "NbConvertBase": {
                "display_data_priority": ["text/html", "image/svg+xml", "image/png", "text/plain"]
            }
        }
    )
    assert "luma-table" in exported(saved([data]), config=first)


def test_results_are_no_widgets_by_themselves(outputs: list[dict[str, Any]]) -> None:
    assert not any("widget-view" in name for data in outputs for name in data)


def test_an_error_s_markup_is_text(
    failing: Callable[[str], tuple[BaseException, str]], cell: Cell, bench_path: Path
) -> None:
    cell(f"%luma open {bench_path} --mode r")
    error, said = failing('%kadeql SELECT "<script>alert(1)</script>" FROM flights')
    output = new_output("error", ename=type(error).__name__, evalue=str(error), traceback=said.split("\n"))
    page = exported(new_notebook(cells=[new_code_cell("x", outputs=[output])]))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def made(bench: lb.Bench, text: str) -> tuple[str, str]:
    """The pages of a result and of a plan in which a text stands as name and as value."""
    table = pa.table({f"n{text}".replace("\x00", ""): [text, None], "k": [1, 2]})
    result = bench.kadeql("SELECT * FROM mine", tables={"mine": table}, cache=False)
    return bundle(result, None, 120)["text/html"], PlanView(result.profile()).html


def test_names_and_values_never_become_markup(bench_path: Path) -> None:
    with lb.open(bench_path, mode="r") as bench:
        plain_table, plain_plan = (set(tags(page)) for page in made(bench, "a"))
        # A value that is cut has its whole text as a title, and letters that run both ways stand apart.
        plain_table |= {("bdi", ()), ("td", ("class", "title")), ("th", ("class", "scope", "title"))}

        @settings(deadline=None, max_examples=40)
        @given(ANYTHING)
        @example("</div><script>")
        def check(text: str) -> None:
            table, plan = made(bench, text)
            assert set(tags(table)) <= plain_table
            assert set(tags(plan)) <= plain_plan

        check()


@settings(deadline=None, max_examples=25)
@given(ANYTHING, ANYTHING)
def test_a_chart_s_texts_never_become_markup(name: str, title: str) -> None:
    name = name or "x"

    def forms(name: str, title: str) -> dict[str, Any]:
        return chart(
            {name: ["a", name], "v" + name: [1, 2]}, x=name, y="v" + name, kind="bar", title=title
        )._repr_mimebundle_()

    plain, hostile = forms("k", "t"), forms(name, title)
    assert set(tags(hostile["image/svg+xml"])) <= set(tags(plain["image/svg+xml"])) | {("title", ())}
    assert "<script" not in str(hostile["application/vnd.plotly.v1+json"])
