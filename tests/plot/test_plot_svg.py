"""The SVG renderer: what is drawn stands where the numbers say, and no text of the data escapes into markup."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.plot import KINDS, MARKS, PlotError, svg
from luma_bench.plot.theme import PALETTE, SEQUENCE, shade

NS = "{http://www.w3.org/2000/svg}"
SALES = {"month": [1, 2, 3, 4], "sold": [10.0, 30.0, None, 20.0], "shop": ["a", "a", "b", "b"]}


def texts(drawn: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawn).iter(f"{NS}text")]


def boxes(drawn: str, colour: str) -> list[dict[str, float]]:
    found = [element for element in ET.fromstring(drawn).iter(f"{NS}rect") if element.get("fill") == colour]
    return [{name: float(box.get(name, "0")) for name in ("x", "y", "width", "height")} for box in found]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_xml_without_scripts_or_links(kind: str) -> None:
    y = None if kind == "hist" else "sold"
    color = "sold" if kind == "heatmap" else "shop"
    y = "shop" if kind == "heatmap" else y
    drawn = svg(SALES, x="month", y=y, color=color, kind=kind, title="Sales")
    assert ET.fromstring(drawn).tag == f"{NS}svg"
    assert "Sales" in texts(drawn)
    assert not re.search(r"<script|href|url\(|@import|foreignObject|on\w+=", drawn)


def test_bars_are_as_high_as_their_values() -> None:
    drawn = svg({"k": ["a", "b", "c"], "n": [10, 20, 40]}, x="k", y="n", kind="bar")
    heights = [box["height"] for box in boxes(drawn, PALETTE[0])]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[2] == pytest.approx(4 * heights[0], abs=0.2)


def test_negative_bars_hang_from_zero() -> None:
    drawn = svg({"k": ["up", "down"], "n": [5, -5]}, x="k", y="n", kind="bar")
    up, down = boxes(drawn, PALETTE[0])
    assert up["y"] + up["height"] == pytest.approx(down["y"], abs=0.2)
    assert up["height"] == pytest.approx(down["height"], abs=0.2)


def test_lying_bars_are_as_long_as_their_values() -> None:
    drawn = svg({"k": ["a", "b"], "n": [10, 30]}, x="k", y="n", kind="barh")
    short, long = (box["width"] for box in boxes(drawn, PALETTE[0]))
    assert long == pytest.approx(3 * short, abs=0.2)
    assert {"a", "b"} <= set(texts(drawn))


def test_histogram_counts_each_row_once() -> None:
    values = np.random.default_rng(1).integers(0, 90, 5000)
    drawn = svg({"v": values}, x="v", kind="hist")
    tips = [element.text or "" for element in ET.fromstring(drawn).iter(f"{NS}title")]
    counts = [int(float(tip.rsplit(": ", 1)[1].replace(",", ""))) for tip in tips]
    assert sum(counts) == 5000


def test_line_breaks_at_a_missing_value() -> None:
    drawn = svg({"x": [1, 2, 3, 4, 5], "y": [1.0, 2.0, None, 2.0, 1.0]}, x="x", y="y")
    path = next(ET.fromstring(drawn).iter(f"{NS}path")).get("d", "")
    assert path.count("M") == 2
    assert path.count("L") == 2


def test_line_is_drawn_in_the_order_of_x() -> None:
    drawn = svg({"x": [3, 1, 2], "y": [30, 10, 20]}, x="x", y="y")
    path = next(ET.fromstring(drawn).iter(f"{NS}path")).get("d", "")
    places = [float(part.split(" ")[0]) for part in re.split("[ML]", path) if part]
    assert places == sorted(places)


def test_rows_that_cannot_be_placed_are_counted() -> None:
    drawn = svg(
        {"x": [1.0, None, float("nan"), 4.0], "y": [1.0, 2.0, 3.0, None]}, x="x", y="y", kind="scatter"
    )
    assert "2 rows without x left out; 1 row without y left out" in texts(drawn)
    assert len(list(ET.fromstring(drawn).iter(f"{NS}circle"))) == 1


def test_no_rows_says_so() -> None:
    empty = pa.table({"x": pa.array([], pa.int64()), "y": pa.array([], pa.float64())})
    for kind in ("line", "bar", "scatter", "barh"):
        assert "no rows" in texts(svg(empty, x="x", y="y", kind=kind))
    svg(empty, x="x", kind="hist")
    svg(empty, x="x", y="y", kind="heatmap")


def test_instants_are_labelled_on_their_own_clock() -> None:
    start = dt.datetime(2013, 2, 8, 5, tzinfo=dt.UTC)
    hours = [start + dt.timedelta(hours=hour) for hour in range(25)]
    rows = pa.table({"t": pa.array(hours, pa.timestamp("us", "America/New_York")), "y": list(range(25))})
    labels = texts(svg(rows, x="t", y="y"))
    assert "8 Feb" in labels
    assert "t (America/New_York)" in labels
    assert "04:00" in labels or "06:00" in labels


def test_heatmap_shades_least_and_most_with_the_ends_of_the_scale() -> None:
    rows = {"a": ["p", "q", "p", "q"], "b": ["r", "r", "s", "s"], "v": [1, 2, 3, 9]}
    drawn = svg(rows, x="a", y="b", color="v", kind="heatmap")
    tips = {
        element.text: parent.get("fill")
        for parent in ET.fromstring(drawn).iter(f"{NS}rect")
        for element in parent.iter(f"{NS}title")
    }
    assert tips["p, r: 1"] == SEQUENCE[0]
    assert tips["q, s: 9"] == SEQUENCE[-1]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=8, unique=True), st.text(max_size=40))
def test_any_text_is_shown_as_text(names: list[str], title: str) -> None:
    clean = [name.encode("utf-8", "replace").decode() for name in names]
    rows = {"k": list(dict.fromkeys(clean)), "n": list(range(1, len(dict.fromkeys(clean)) + 1))}
    for kind in ("bar", "barh", "line"):
        drawn = svg(rows, x="k", y="n", kind=kind, title=title.encode("utf-8", "replace").decode())
        root = ET.fromstring(drawn)
        known = {f"{NS}{tag}" for tag in ("svg", "rect", "text", "line", "path", "title", "circle", "g")}
        assert {element.tag for element in root.iter()} <= known


def test_a_script_in_a_label_stays_a_label() -> None:
    evil = '<script>alert(1)</script>" onload="x'
    drawn = svg(
        {"k": [evil, "b"], "n": [1, 2], "c": [evil, "d"]}, x="k", y="n", color="c", kind="bar", title=evil
    )
    assert "<script" not in drawn
    assert evil in texts(drawn)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.floats(-1e300, 1e300) | st.sampled_from([float("nan"), float("inf"), 5e-324, -0.0]),
        min_size=1,
        max_size=30,
    )
)
def test_any_number_can_be_drawn(values: list[float]) -> None:
    for kind in ("line", "scatter", "hist"):
        y = None if kind == "hist" else "y"
        x = "y" if kind == "hist" else "x"
        drawn = svg({"x": list(range(len(values))), "y": values}, x=x, y=y, kind=kind)
        assert "nan" not in re.sub(r"<(text|title).*?</\1>", "", drawn)


def test_numbers_too_large_for_an_axis_are_refused() -> None:
    with pytest.raises(PlotError, match="beyond 1e"):
        svg({"x": [1, 2], "y": [1.0, 1.7e308]}, x="x", y="y")


def test_too_many_marks_are_refused_with_advice() -> None:
    many = {"x": np.arange(MARKS + 1), "y": np.arange(MARKS + 1)}
    for kind in ("line", "scatter", "bar"):
        with pytest.raises(PlotError, match="20,001 marks") as caught:
            svg(many, x="x", y="y", kind=kind)
        assert "GROUP BY" in (caught.value.hint or "")
    svg(many, x="x", kind="hist")
    svg(many, x="x", y="y", kind="heatmap")


def test_shade_runs_from_light_to_dark() -> None:
    lightness = [
        sum(int(shade(step / 20)[place : place + 2], 16) for place in (1, 3, 5)) for step in range(21)
    ]
    assert lightness == sorted(lightness, reverse=True)
    assert (shade(-1), shade(2)) == (SEQUENCE[0], SEQUENCE[-1])
