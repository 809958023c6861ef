"""What `plot` makes of the rows: every reduction against NumPy, and never more than 20,000 marks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.plot import MARKS

ROWS = 50_000


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    x = np.sort(rng.uniform(-5, 40, ROWS))
    y = np.cumsum(rng.normal(size=ROWS))
    y[rng.integers(0, ROWS, 30)] += 500
    return {
        "x": x,
        "y": y,
        "z": rng.gamma(2.0, 3.0, ROWS),
        "n": rng.integers(-3, 9, ROWS),
        "g": rng.choice(["a", "b", "c"], ROWS),
    }


def made(chart: Any) -> Any:
    assert chart.picture.marks <= MARKS
    chart.figure.to_json()
    assert chart.svg.startswith("<svg")
    return chart.picture


# Lines


def test_a_long_line_keeps_first_least_greatest_and_last_of_each_stretch(frames, data) -> None:
    drawn = made(frames(t=data).plot.line(x="x", y="y"))
    (line,) = drawn.series
    points = set(zip(line.x.tolist(), line.y.tolist(), strict=True))
    rows = list(zip(data["x"].tolist(), data["y"].tolist(), strict=True))
    assert points <= set(rows)
    counts, edges = np.histogram(data["x"], 2000)
    place = np.clip(np.searchsorted(edges, data["x"], "right") - 1, 0, 1999)
    for stretch in np.flatnonzero(counts)[::37]:
        inside = [rows[index] for index in np.flatnonzero(place == stretch)]
        wanted = {
            inside[0],
            inside[-1],
            min(inside, key=lambda row: row[1]),
            max(inside, key=lambda row: row[1]),
        }
        assert wanted <= points
    assert (np.diff(line.x) >= 0).all()
    assert line.y.max() == data["y"].max()
    assert line.y.min() == data["y"].min()
    assert "50,000 rows as" in drawn.notes[0]


def test_a_short_line_is_its_rows_in_the_order_of_x(frames) -> None:
    drawn = made(frames(t={"x": [3, 1, 2], "y": [30.0, None, 20.0]}).plot.line(x="x", y="y"))
    assert drawn.series[0].x.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(drawn.series[0].y, [np.nan, 20, 30])
    assert drawn.notes == ("1 row without y left out",)


def test_a_long_line_breaks_where_a_stretch_has_no_value(frames, data) -> None:
    y = np.where((data["x"] > 10) & (data["x"] < 20), np.nan, data["y"])
    drawn = made(frames(t={"x": data["x"], "y": pa.array(y, from_pandas=True)}).plot.line(x="x", y="y"))
    gap = np.isnan(drawn.series[0].y)
    assert 400 < gap.sum() < 500
    assert ((drawn.series[0].x[gap] > 9.9) & (drawn.series[0].x[gap] < 20.1)).all()


def test_lines_by_colour_share_the_marks(frames, data) -> None:
    drawn = made(frames(t=data).plot.line(x="x", y=["y", "z"], color="g"))
    assert [series.name for series in drawn.series] == ["a, y", "b, y", "c, y", "a, z", "b, z", "c, z"]
    for series in drawn.series[:3]:
        assert series.y.max() == data["y"][data["g"] == series.name[0]].max()


def test_a_line_without_x_goes_by_rows(frames, data) -> None:
    frame = frames(t=data)
    drawn = made(frame.y.plot())
    assert (drawn.x.label, drawn.series[0].x[0], drawn.series[0].x[-1]) == ("row", 0, ROWS - 1)
    assert drawn.series[0].y[-1] == data["y"][-1]
    back = made(frame.sort_values("z").z.plot())
    assert (np.diff(back.series[0].y) >= 0).all()


def test_stacked_areas_show_means_of_stretches(frames, data) -> None:
    rows = {name: np.abs(data[name]) for name in ("x", "y", "z")}
    drawn = made(frames(t=rows).plot.area(x="x", y=["y", "z"]))
    assert drawn.stacked
    low, high = rows["x"].min(), rows["x"].max()
    counts, edges = np.histogram(rows["x"], len(drawn.series[0].x), (low, high))
    sums = np.histogram(rows["x"], edges, weights=rows["z"])[0]
    assert len(counts) == 2000
    np.testing.assert_allclose(drawn.series[1].y, sums / counts, rtol=1e-9)


# Histograms


@pytest.mark.parametrize("bins", [10, 1, 7, 400, [0, 1, 2.5, 10], [-100, 0.5]])
@pytest.mark.parametrize("name", ["x", "z", "n"])
def test_histogram_is_numpys(frames, data, bins, name) -> None:
    drawn = made(frames(t=data).plot.hist(name, bins=bins))
    counts, edges = np.histogram(data[name], bins)
    np.testing.assert_array_equal(drawn.series[0].y, counts)
    np.testing.assert_array_equal(drawn.edges, edges)
    outside = ROWS - counts.sum()
    assert any("outside" in note for note in drawn.notes) == bool(outside)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.floats(-1e12, 1e12) | st.sampled_from([0.1, 0.2, 0.3, 0.7, math.nan, math.inf]),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 30),
)
def test_any_histogram_is_numpys(frames_made, values, bins) -> None:
    finite = np.array([value for value in values if math.isfinite(value)])
    drawn = frames_made(t={"v": pa.array(values, pa.float64())}).plot.hist("v", bins=bins).picture
    assert drawn.series == () or drawn.series[0].y.sum() == len(finite)
    if len(finite) and (finite.max() - finite.min() > 1e-3 or finite.max() == finite.min()):
        np.testing.assert_array_equal(drawn.series[0].y, np.histogram(finite, bins)[0])
    lost = len(values) - len(finite)
    assert (f"{lost} row{'s' if lost > 1 else ''} without v left out" in drawn.notes) == bool(lost)


@pytest.fixture(scope="module")
def frames_made():
    from duck_executor import DuckExecutor

    from luma_bench.frame import DataFrame

    executor = DuckExecutor({})

    def make(**tables: Any) -> Any:
        for name, table in tables.items():
            executor.store(name, pa.table(table))
        return DataFrame.scan(executor, next(iter(tables)))

    return make


def test_histograms_share_bins(frames, data) -> None:
    drawn = made(frames(t=data).plot.hist(["y", "z"], bins=12))
    edges = np.histogram_bin_edges(np.concatenate([data["y"], data["z"]]), 12)
    for series in drawn.series:
        np.testing.assert_array_equal(series.y, np.histogram(data[series.name], edges)[0])
    by = made(frames(t=data).plot.hist("z", by="g", stacked=True))
    for series in by.series:
        np.testing.assert_array_equal(
            series.y, np.histogram(data["z"][data["g"] == series.name], by.edges)[0]
        )


# Densities


@pytest.mark.parametrize("method", [None, "silverman", 0.3])
def test_density_is_that_of_gaussian_kernels(frames, method) -> None:
    values = np.random.default_rng(3).gamma(2, 4, 3000)
    drawn = made(frames(t={"v": values}).v.plot.density(method, 200))
    at, density = drawn.series[0].x, drawn.series[0].y
    reach = values.max() - values.min()
    np.testing.assert_allclose(at, np.linspace(values.min() - reach / 2, values.max() + reach / 2, 200))
    n = len(values)
    factor = {None: n**-0.2, "silverman": (n * 0.75) ** -0.2}.get(method, method)
    width = values.std(ddof=1) * factor
    exact = np.exp(-0.5 * ((at[:, None] - values) / width) ** 2).sum(1) / (n * width * math.sqrt(2 * math.pi))
    np.testing.assert_allclose(density, exact, atol=exact.max() * 1e-5)


# Boxes


def test_boxes_by_group(frames, data) -> None:
    drawn = made(frames(t=data).plot.box("z", by="g"))
    assert [box.name for box in drawn.boxes] == ["a", "b", "c"]
    total = 0
    for box in drawn.boxes:
        own = data["z"][data["g"] == box.name]
        q1, median, q3 = np.percentile(own, [25, 50, 75])
        assert (box.q1, box.median, box.q3) == pytest.approx((q1, median, q3))
        inside = own[(own >= q1 - 1.5 * (q3 - q1)) & (own <= q3 + 1.5 * (q3 - q1))]
        assert (box.low, box.high, box.rows) == (inside.min(), inside.max(), len(own))
        beyond = np.setdiff1d(own, inside)
        total += len(beyond)
        assert set(box.outliers) <= set(beyond)
        assert box.outliers.max() == beyond.max()
        assert len(box.outliers) <= 300
    assert f"{total:,} outliers as" in drawn.notes[0]


def test_boxes_of_columns_draw_all_of_few_outliers(frames) -> None:
    values = [1.0, 2, 3, 4, 5, 6, 7, 100, -90, None]
    drawn = made(frames(t={"v": values, "w": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}).plot.box())
    assert [box.name for box in drawn.boxes] == ["v", "w"]
    assert drawn.boxes[0].outliers.tolist() == [-90, 100]
    assert (drawn.boxes[0].low, drawn.boxes[0].high) == (1, 7)
    assert drawn.boxes[1].median == 5.5
    assert drawn.notes == ("1 row without v left out",)


# Cells and dots


def test_many_dots_become_cells_as_numpy_counts_them(frames, data) -> None:
    drawn = made(frames(t=data).plot.scatter("x", "z"))
    assert drawn.kind == "cells"
    counts, xs, ys = np.histogram2d(data["x"], data["z"], (200, 100))
    np.testing.assert_array_equal(np.nan_to_num(drawn.cells), counts.T)
    np.testing.assert_array_equal(drawn.edges, xs)
    np.testing.assert_array_equal(drawn.y_edges, ys)
    assert drawn.notes == ("50,000 rows as 200 \u00d7 100 cells",)


def test_many_dots_with_colours_stand_side_by_side_at_means(frames, data) -> None:
    drawn = made(frames(t=data).plot.scatter("x", "z", color="g"))
    assert [series.name for series in drawn.series] == ["a", "b", "c"]
    for series in drawn.series:
        own = data["g"] == series.name
        assert series.rows.sum() == own.sum()
        columns = np.histogram(data["x"][own], np.linspace(data["x"].min(), data["x"].max(), 115))[0]
        place = ((series.x - data["x"].min()) / (data["x"].max() - data["x"].min()) * 114).astype(int)
        np.testing.assert_array_equal(np.bincount(place, series.rows, 114), columns)
        assert (series.y * series.rows).sum() == pytest.approx(data["z"][own].sum())


def test_few_dots_are_rows(frames) -> None:
    drawn = made(frames(t={"x": [1, None, 3, 4], "y": [1.0, 2, math.nan, 4]}).plot.scatter("x", "y"))
    assert drawn.series[0].x.tolist() == [1, 4]
    assert drawn.notes == ("2 rows without x or y left out",)


def test_heatmap_means_against_pandas(frames, data) -> None:
    import pandas as pd

    frame = pd.DataFrame(data)
    drawn = made(frames(t=data).plot.heatmap("n", "g", "z"))
    wanted = frame.pivot_table(index="g", columns="n", values="z", aggfunc="mean")
    assert drawn.x.values == tuple(str(value) for value in wanted.columns)
    assert drawn.y.values == tuple(wanted.index)
    np.testing.assert_allclose(drawn.cells, wanted.to_numpy(), rtol=1e-12)
    counted = made(frames(t=data).plot.heatmap("x", "z", bins=(30, 20)))
    counts = np.histogram2d(data["x"], data["z"], (30, 20))[0]
    np.testing.assert_array_equal(np.nan_to_num(counted.cells), counts.T)
    summed = made(frames(t=data).plot.heatmap("g", "x", "z", agg="sum", bins=[0, 10, 40]))
    inside = frame[(frame.x >= 0) & (frame.x <= 40)]
    wanted = inside.pivot_table(
        index=pd.cut(inside.x, [0, 10, 40]), columns="g", values="z", aggfunc="sum", observed=True
    )
    np.testing.assert_allclose(summed.cells, wanted.to_numpy()[::-1], rtol=1e-9)


def test_map_is_to_scale_and_leaves_out_what_is_not_on_earth(frames) -> None:
    rows = {"Longitude": [8.0, 9.0, 999.0], "lat": [47.0, 48.0, 10.0], "k": ["a", "b", "a"]}
    drawn = made(frames(t=rows).plot.map())
    assert drawn.series[0].x.tolist() == [8, 9]
    assert drawn.aspect == pytest.approx(1 / math.cos(math.radians(47.5)))
    assert drawn.notes == ("1 row without Longitude or lat left out",)
    rng = np.random.default_rng(5)
    many = {"lon": rng.uniform(-120, -70, 30_000), "lat": rng.uniform(25, 49, 30_000)}
    cells = made(frames(t=many).plot.map(lon="lon", lat="lat"))
    assert np.nansum(cells.cells) == 30_000


# Bars


def test_bars_are_the_rows_as_they_stand(frames) -> None:
    rows = {"k": ["b", "a", "b", None], "v": [1.5, None, -2.0, 3.0]}
    drawn = made(frames(t=rows).plot.bar())
    assert drawn.x.values == ("b", "a", "b", "NULL")
    assert (drawn.series[0].x.tolist(), drawn.series[0].y.tolist()) == ([0, 2, 3], [1.5, -2, 3])
    assert drawn.notes == ("1 row without v left out",)


def test_bars_beside_each_other_by_colour(frames) -> None:
    rows = {"k": ["p", "p", "q"], "c": ["x", "y", "x"], "v": [1, 2, 3]}
    for stacked in (False, True):
        drawn = made(frames(t=rows).plot.barh(x="k", y="v", color="c", stacked=stacked))
        assert [(series.name, series.x.tolist(), series.y.tolist()) for series in drawn.series] == [
            ("x", [0, 1], [1, 3]),
            ("y", [0], [2]),
        ]
