"""Areas, boxes, densities, maps and stacked bars: what is drawn stands where the numbers say, in SVG and in plotly."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from luma_bench.plot.figure import Chart
from luma_bench.plot.picture import Axis, Box, Picture, Series
from luma_bench.plot.theme import PALETTE

NS = "{http://www.w3.org/2000/svg}"
X, Y = Axis("x", "number"), Axis("y", "number")
PLACES = np.array([0.0, 1.0, 2.0])


def drawn(picture: Picture) -> ET.Element:
    return ET.fromstring(Chart(picture, 880, 440).svg)


def paths(root: ET.Element, colour: str, what: str = "fill") -> list[np.ndarray]:
    """The corners of each path of a colour."""
    found = [element.get("d", "") for element in root.iter(f"{NS}path") if element.get(what) == colour]
    numbers = [re.findall(r"-?[\d.]+ -?[\d.]+", text) for text in found]
    return [np.array([[float(part) for part in pair.split()] for pair in pairs]) for pairs in numbers]


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{NS}text")]


def test_stacked_areas_stand_on_one_another() -> None:
    low, high = Series("a", PLACES, np.array([1.0, 2, 1])), Series("b", PLACES, np.array([3.0, 1, 1]))
    picture = Picture("area", "", X, Y, (low, high), stacked=True)
    root = drawn(picture)
    below, above = paths(root, PALETTE[0])[0], paths(root, PALETTE[1])[0]
    np.testing.assert_array_equal(below[:3], above[3:][::-1])  # the top of one is the floor of the other
    heights = below[0, 1] - above[0, 1], below[3:][::-1][0, 1] - below[0, 1]
    assert heights[0] == pytest.approx(3 * heights[1], abs=0.3)
    traces = Chart(picture, 880, 440).figure.data
    assert [trace.stackgroup for trace in traces] == ["all", "all"]


def test_an_area_breaks_where_a_value_is_missing() -> None:
    series = Series("", np.arange(5.0), np.array([1.0, 2, np.nan, 2, 1]))
    assert len(paths(drawn(Picture("area", "", X, Y, (series,))), PALETTE[0])) == 2


def test_bars_on_one_another_add_up_on_either_side_of_zero() -> None:
    axis = Axis("k", "category", ("p", "q"))
    a = Series("a", np.array([0.0, 1.0]), np.array([2.0, -1.0]))
    b = Series("b", np.array([0.0, 1.0]), np.array([1.0, -2.0]))
    root = drawn(Picture("bar", "", axis, Y, (a, b), stacked=True))
    boxes = {
        colour: [
            tuple(float(box.get(name, "0")) for name in ("x", "y", "height"))
            for box in root.iter(f"{NS}rect")
            if box.get("fill") == colour and box.find(f"{NS}title") is not None
        ]
        for colour in PALETTE[:2]
    }
    (ax, ay, _), (_, a_down, a_deep) = boxes[PALETTE[0]]
    (bx, by, b_tall), (_, b_down, _) = boxes[PALETTE[1]]
    assert ax == bx
    assert by + b_tall == pytest.approx(ay, abs=0.2)
    assert a_down + a_deep == pytest.approx(b_down, abs=0.2)


def test_bars_of_one_name_stay_apart_in_plotly() -> None:
    axis = Axis("k", "category", ("p", "p", "q"))
    figure = Chart(Picture("bar", "", axis, Y, (Series("", PLACES, PLACES),)), 880, 440).figure
    assert list(figure.data[0].x) == [0, 1, 2]
    assert list(figure.layout.xaxis.ticktext) == ["p", "p", "q"]


def test_boxes_stand_at_their_quartiles() -> None:
    box = Box("a", 0.0, 2.0, 4.0, 6.0, 10.0, np.array([12.0]), 9)
    picture = Picture("box", "", Axis("k", "category", ("a",)), Y, boxes=(box,))
    root = drawn(picture)
    (frame,) = [element for element in root.iter(f"{NS}rect") if element.get("stroke") == PALETTE[0]]
    (dot,) = list(root.iter(f"{NS}circle"))
    top, tall = float(frame.get("y", "")), float(frame.get("height", ""))
    assert float(dot.get("cy", "")) == pytest.approx(top - 1.5 * tall, abs=0.3)
    said = frame.findtext(f"{NS}title") or ""
    assert said == "a: median 4, middle half 2 to 6, whiskers 0 to 10, 9 rows"
    traces = Chart(picture, 880, 440).figure.data
    assert (traces[0].q1[0], traces[0].median[0], traces[0].upperfence[0], traces[1].y[0]) == (2, 4, 10, 12)


def test_cells_fill_the_axes_and_have_a_key() -> None:
    cells = np.array([[1.0, np.nan], [10.0, 1000.0]])
    edges = np.array([0.0, 1.0, 2.0])
    picture = Picture("cells", "", X, Y, cells=cells, value="rows", edges=edges, y_edges=edges, log=True)
    root = drawn(picture)
    shapes = [element for element in root.iter(f"{NS}path") if element.get("shape-rendering") == "crispEdges"]
    assert len(shapes) == 3
    assert {"1", "10", "100", "1,000", "rows"} <= set(texts(root))
    (trace,) = Chart(picture, 880, 440).figure.data
    np.testing.assert_allclose(trace.z, np.log10(cells))
    assert list(trace.colorbar.ticktext) == ["1", "10", "100", "1,000"]


def test_a_map_is_drawn_to_scale() -> None:
    ends = Series("", np.array([0.0, 10.0]), np.array([40.0, 50.0]))
    root = drawn(Picture("scatter", "", X, Y, (ends,), aspect=1.5))
    first, second = [(float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in root.iter(f"{NS}circle")]
    wide, tall = second[0] - first[0], first[1] - second[1]
    assert tall / wide == pytest.approx(1.5, rel=0.05)
    assert (
        Chart(Picture("scatter", "", X, Y, (ends,), aspect=1.5), 880, 440).figure.layout.yaxis.scaleratio
        == 1.5
    )


def test_uneven_bins_are_as_wide_as_they_are() -> None:
    edges = np.array([0.0, 1.0, 4.0])
    series = Series("", (edges[:-1] + edges[1:]) / 2, np.array([2.0, 1.0]))
    root = drawn(Picture("hist", "", X, Y, (series,), edges=edges))
    widths = [
        float(box.get("width", "")) + 1 for box in root.iter(f"{NS}rect") if box.get("fill") == PALETTE[0]
    ]
    assert widths[1] == pytest.approx(3 * widths[0], abs=0.3)


def test_notes_stay_inside_the_picture_and_below_the_axis() -> None:
    note = "12,000,000 rows as 20,000 cells; " * 9
    series = Series("", PLACES, PLACES)
    plain = Picture("line", "t", X, Y, (series,))
    for picture, lines in ((replace(plain, notes=("short",)), 1), (replace(plain, notes=(note.strip(),)), 3)):
        root = drawn(picture)
        rows = [element for element in root.iter(f"{NS}text") if element.get("font-size") == "11"]
        assert len(rows) >= lines
        heights = [float(row.get("y", "")) for row in rows]
        label = next(float(text.get("y", "")) for text in root.iter(f"{NS}text") if text.text == "x")
        assert label + 12 <= heights[0]
        assert heights[-1] < 440
    assert Chart(replace(plain, notes=("<b>",)), 880, 440).figure.layout.annotations[0].text == "&lt;b&gt;"


def test_long_lines_are_thin_and_let_others_through() -> None:
    long = Series("a", np.arange(3000.0), np.sin(np.arange(3000.0)))
    root = drawn(Picture("line", "", X, Y, (long, replace(long, name="b"))))
    looks = {(path.get("stroke-width"), path.get("stroke-opacity")) for path in root.iter(f"{NS}path")}
    assert looks == {("1", "0.7")}
