"""Charts of results: the marks are those of an independent count, few at any size, and the code draws the same again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import SchemaError
from luma_bench.plot import PlotError
from luma_bench.plot.charts import figure, plotly_script
from luma_bench.plot.charts.figure import ChartFigure
from luma_bench.plot.charts.steps import step_of

COUNT = 20_000
RNG = np.random.default_rng(5)
START = np.datetime64("2026-01-01T00:00:00", "us")
ROWS = pa.table(
    {
        "n": np.arange(COUNT),
        "at": START + np.arange(COUNT).astype("timedelta64[m]"),
        "shop": RNG.choice(["north", "south", "west"], COUNT),
        "city": [f"city {n % 90:02d}" for n in range(COUNT)],
        "value": np.round(RNG.normal(10, 4, COUNT), 2),
        "other": pa.array([None if n % 50 == 0 else float(n % 13) for n in range(COUNT)]),
    }
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("charts") / "b.luma", timezone="UTC") as bench:
        yield bench


def draw(bench: lb.Bench, table: pa.Table, **options: Any) -> ChartFigure:
    return figure(
        lambda text: bench.kadeql(text, tables={"result": table}).to_arrow(),
        table.schema,
        table.num_rows,
        **options,
    )


def again(bench: lb.Bench, table: pa.Table, made: ChartFigure) -> Any:
    """What the code of a chart draws."""
    *above, last = made.code.split("\n")
    names: dict[str, Any] = {"bench": bench, "result": table}
    exec("\n".join([*above, f"made = {last}"]), names)
    return names["made"]


CASES: list[dict[str, Any]] = [
    {"kind": "line", "x": "at", "y": "value"},
    {"kind": "line", "x": "at", "y": "value", "color": "shop"},
    {"kind": "line", "x": "at"},
    {"kind": "line", "x": "n", "y": "other"},
    {"kind": "line", "x": "value", "y": "other"},
    {"kind": "bar", "x": "shop", "y": "value"},
    {"kind": "bar", "x": "shop"},
    {"kind": "bar", "x": "at", "y": "value"},
    {"kind": "bar", "x": "n"},
    {"kind": "barh", "x": "city", "y": "value"},
    {"kind": "barh", "x": "city", "color": "shop"},
    {"kind": "scatter", "x": "value", "y": "other", "color": "shop"},
    {"kind": "scatter", "x": "at", "y": "value"},
    {"kind": "hist", "x": "value"},
    {"kind": "hist", "x": "n", "color": "shop"},
    {"kind": "hist", "x": "at"},
    {"kind": "heatmap", "x": "shop", "y": "city"},
    {"kind": "heatmap", "x": "value", "y": "other", "color": "n"},
    {"kind": "heatmap", "x": "at", "y": "shop", "color": "value"},
]


@pytest.mark.parametrize("options", CASES, ids=lambda options: " ".join(map(str, options.values())))
def test_the_code_draws_the_same_picture_again(bench: lb.Bench, options: dict[str, Any]) -> None:
    made = draw(bench, ROWS, **options, title='It\'s "one"')
    first, second = made.chart.picture, again(bench, ROWS, made).picture
    assert 0 < first.marks <= 2000
    assert (first.kind, first.title, first.x.label, first.y.label) == (second.kind, second.title, second.x.label, second.y.label)  # fmt: skip
    # The rows themselves have their colours in the order in which they come.
    ours, theirs = (
        sorted(picture.series, key=lambda series: series.name)
        if options["kind"] == "hist"
        else picture.series
        for picture in (first, second)
    )
    assert [series.name for series in ours] == [series.name for series in theirs]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.x, other.x)
        np.testing.assert_allclose(one.y, other.y)
    if first.cells is not None:
        np.testing.assert_allclose(first.cells, second.cells)
        assert (first.x.values, first.y.values) == (second.x.values, second.y.values)
    assert set(made.figure) == {"data", "layout"}
    assert made.svg.startswith("<svg")


def test_bars_are_the_means_of_their_groups_the_longest_first(bench: lb.Bench) -> None:
    picture = draw(bench, ROWS, kind="bar", x="shop", y="value").chart.picture
    means = ROWS.to_pandas().groupby("shop")["value"].mean().sort_values(ascending=False)
    assert picture.y.label == "mean value"
    assert [picture.x.values[int(at)] for at in picture.series[0].x] == list(means.index)
    np.testing.assert_allclose(picture.series[0].y, means.to_numpy())


def test_rows_that_are_bars_already_are_drawn_as_they_are(bench: lb.Bench) -> None:
    table = pa.table({"k": ["a", "b", "c"], "n": [3, None, 5]})
    made = draw(bench, table, kind="bar", x="k", y="n")
    assert made.chart.picture.y.label == "n"
    assert made.chart.picture.series[0].y.tolist() == [5.0, 3.0]
    assert made.notes == ("1 row without k or n left out",)


def test_of_many_names_the_forty_with_the_most_are_drawn(bench: lb.Bench) -> None:
    made = draw(bench, ROWS, kind="barh", x="city", y="value")
    means = ROWS.to_pandas().groupby("city")["value"].mean().sort_values(ascending=False)
    np.testing.assert_allclose(made.chart.picture.series[0].y, means.to_numpy()[:40])
    assert "the first 40 of 90 values of city" in made.notes


def test_a_line_of_many_rows_keeps_its_ends_and_its_extremes(bench: lb.Bench) -> None:
    picture = draw(bench, ROWS, kind="line", x="at", y="value").chart.picture
    line, values = picture.series[0], ROWS["value"].to_numpy()
    assert len(line.x) <= 2000
    assert (line.y.min(), line.y.max()) == (values.min(), values.max())
    assert (line.y[0], line.y[-1]) == (values[0], values[-1])
    micros = ROWS["at"].cast(pa.int64()).to_numpy().astype(float)
    drawn = dict(zip(micros, values, strict=True))
    assert all(drawn[x] == y for x, y in zip(line.x, line.y, strict=True))


def test_rows_that_share_an_x_are_their_mean(bench: lb.Bench) -> None:
    table = pa.table({"d": [dt.date(2026, 1, 1)] * 2 + [dt.date(2026, 1, 3)], "v": [1, 3, 9]})
    made = draw(bench, table, kind="line", x="d", y="v")
    assert made.chart.picture.y.label == "mean v"
    assert made.chart.picture.series[0].y.tolist() == [2.0, 9.0]


def test_a_histogram_counts_as_numpy_does(bench: lb.Bench) -> None:
    picture = draw(bench, ROWS, kind="hist", x="value").chart.picture
    counts, edges = np.histogram(ROWS["value"].to_numpy(), 40)
    assert picture.edges is not None
    np.testing.assert_allclose(picture.edges, edges)
    assert picture.series[0].y.tolist() == counts.tolist()


def test_a_heatmap_of_numbers_has_a_place_for_steps_without_rows(bench: lb.Bench) -> None:
    table = pa.table({"u": [float(n) for n in range(60)] + [200.0], "v": [0.0, 1.0] * 30 + [1.0]})
    picture = draw(bench, table, kind="heatmap", x="u", y="v").chart.picture
    steps = [float(text.replace(",", "")) for text in picture.x.values]
    assert steps == [10.0 * place for place in range(len(steps))]
    assert picture.y.values == ("1", "0")
    assert picture.cells is not None
    frame = pd.DataFrame({"u": table["u"].to_numpy() // 10, "v": table["v"].to_numpy()})
    for (u, v), count in frame.groupby(["u", "v"]).size().items():
        assert picture.cells[int(1 - v), int(u)] == count
    assert np.nansum(picture.cells) == 61


def test_points_drawn_by_lot_are_rows_and_always_the_same(bench: lb.Bench) -> None:
    first = draw(bench, ROWS, kind="scatter", x="value", y="other").chart.picture
    second = draw(bench, ROWS, kind="scatter", x="value", y="other").chart.picture
    assert len(first.series[0].x) == 2000
    np.testing.assert_array_equal(first.series[0].y, second.series[0].y)
    pairs = set(zip(ROWS["value"].to_pylist(), ROWS["other"].to_pylist(), strict=True))
    assert set(zip(first.series[0].x, first.series[0].y, strict=True)) <= pairs


def test_times_keep_the_clock_of_their_zone(bench: lb.Bench) -> None:
    moments = pa.array(
        [dt.datetime(2026, 1, 1, hour) for hour in range(20)], pa.timestamp("us", "Asia/Tokyo")
    )
    table = pa.table({"at": moments, "v": list(range(20))})
    assert draw(bench, table, kind="line", x="at", y="v").chart.picture.x.zone == "Asia/Tokyo"
    assert draw(bench, table, kind="hist", x="at").chart.picture.x.zone == "Asia/Tokyo"


def test_days_are_those_of_the_column_s_clock(bench: lb.Bench) -> None:
    start = np.datetime64("2026-01-01T05:00:00", "us")  # midnight in New York
    hours = pa.array(start + np.arange(24 * 900).astype("timedelta64[h]")).cast(
        pa.timestamp("us", "America/New_York")
    )
    table = pa.table({"at": hours, "v": np.repeat(np.arange(900), 24)})
    made = draw(bench, table, kind="bar", x="at", y="v")
    assert made.chart.picture.x.values[0].startswith("2026-01-01 00:00:00-05:00")
    rows = draw(bench, table, kind="line", x="at")
    assert rows.chart.picture.x.zone == "America/New_York"
    for one in (made, rows):
        second = again(bench, table, one).picture
        assert second.x == one.chart.picture.x
        np.testing.assert_allclose(second.series[0].y, one.chart.picture.series[0].y)


def test_an_empty_result_is_an_empty_picture(bench: lb.Bench) -> None:
    for options in CASES:
        made = draw(bench, ROWS.slice(0, 0), **options)
        assert made.chart.picture.marks == (1 if options["kind"] == "hist" and "color" not in options else 0)
        assert "no rows" in made.notes


def test_what_is_refused_is_said(bench: lb.Bench) -> None:
    for options, said in (
        ({"kind": "pie", "x": "shop"}, "no kind"),
        ({"kind": "line", "x": "shop", "y": "value"}, "no order"),
        ({"kind": "line", "x": "at", "y": "shop"}, "y cannot be 'shop'"),
        ({"kind": "bar", "x": "shop", "color": "city"}, "90 values"),
        ({"kind": "hist", "x": "value", "color": "city"}, "90 values"),
        ({"kind": "hist", "x": "value", "y": "other"}, "takes no y"),
        ({"kind": "hist", "x": "shop"}, "cannot be 'shop'"),
        ({"kind": "scatter", "x": "value"}, "needs y"),
        ({"kind": "heatmap", "x": "value", "y": "value"}, "Both axes"),
    ):
        with pytest.raises(PlotError, match=said):
            draw(bench, ROWS, **options)
    with pytest.raises(SchemaError):
        draw(bench, ROWS, kind="bar", x="nothing")


def test_numbers_beyond_what_can_be_drawn_are_refused(bench: lb.Bench) -> None:
    table = pa.table({"k": ["a", "b"], "v": [1e305, -1e305]})
    for options in ({"kind": "bar", "x": "k", "y": "v"}, {"kind": "hist", "x": "v"}):
        with pytest.raises(PlotError, match="beyond"):
            draw(bench, table, **options)


def test_steps_are_round_and_few_enough() -> None:
    for low, high in ((0, 1), (0, 7), (-3.5, 1e6), (1e-9, 3e-9), (5, 5)):
        for whole in (False, True):
            size = step_of(low, high, 40, is_whole=whole)
            assert high - low <= size * 40
            assert f"{size:e}"[0] in "125"
            assert not whole or size == int(size)


def test_the_script_of_the_figures_is_plotly_s() -> None:
    script = plotly_script()
    assert b"plotly.js" in script[:200]
    assert len(script) > 1_000_000
