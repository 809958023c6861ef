"""What is drawn, and what is refused: the rows behind a picture."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from luma_bench.errors import SchemaError
from luma_bench.plot import PlotError, chart, figure
from luma_bench.plot.rows import picture
from luma_bench.plot.ticks import labels, numbers, times

ROWS = {"x": [1, 2, 3], "y": [4.0, 5.0, 6.0], "c": ["a", "b", "a"]}


def make(data: object, **changes: object):
    return picture(data, **{"x": "x", "y": "y", "color": None, "kind": "line", "title": "", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        ROWS,
        pa.table(ROWS),
        pa.table(ROWS).to_batches()[0],
        pd.DataFrame(ROWS),
        pl.DataFrame(ROWS),
        pa.table(ROWS).to_reader(),
    ],
    ids=["dict", "table", "batch", "pandas", "polars", "reader"],
)
def test_any_arrow_capable_rows(data: object) -> None:
    found = make(data)
    assert found.series[0].x.tolist() == [1, 2, 3]
    assert found.series[0].y.tolist() == [4, 5, 6]


def test_color_splits_and_null_is_a_colour_of_its_own() -> None:
    found = make({"x": [1, 2, 3], "y": [1, 2, 3], "c": ["a", None, "a"]}, color="c")
    assert [(series.name, series.y.tolist()) for series in found.series] == [("a", [1, 3]), ("NULL", [2])]


def test_decimals_dictionaries_and_dates() -> None:
    rows = pa.table(
        {
            "x": pa.array([dt.date(2013, 1, 1), dt.date(2013, 1, 3)]),
            "y": pa.array([decimal.Decimal("1.50"), decimal.Decimal("2.25")]),
            "c": pa.array(["k", "k"]).dictionary_encode(),
        }
    )
    found = make(rows, color="c")
    assert found.x.scale == "time"
    assert np.diff(found.series[0].x).tolist() == [2 * 86_400e6]
    assert found.series[0].y.tolist() == [1.5, 2.25]


def test_whole_numbers_get_bins_of_a_whole_width() -> None:
    values = np.repeat(np.arange(-43, 120), 3)
    found = make({"x": values}, y=None, kind="hist")
    assert found.edges is not None
    assert len({round(width, 9) for width in np.diff(found.edges)}) == 1
    full = found.series[0].y[:-1]
    assert set(full.tolist()) == {full[0]}  # an even spread looks even


def test_counted_heatmap_counts_every_row_and_grows_upwards() -> None:
    rng = np.random.default_rng(2)
    rows = {"x": rng.normal(size=50_000), "y": rng.normal(size=50_000)}
    found = make(rows, kind="heatmap")
    assert found.cells is not None
    assert np.nansum(found.cells) == 50_000
    assert float(found.y.values[0]) > float(found.y.values[-1])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "pie"}, "no kind of picture"),
        ({"y": None}, "needs y"),
        ({"kind": "hist"}, "takes no y"),
        ({"y": "c"}, "not a number"),
        ({"kind": "hist", "x": "c", "y": None}, "is text"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(PlotError, match=said) as caught:
        make(ROWS, **changes)
    assert caught.value.hint


def test_unknown_columns_name_the_nearest() -> None:
    with pytest.raises(SchemaError, match="no column 'dep_dely'") as caught:
        make({"dep_delay": [1], "x": [1]}, y="dep_dely")
    assert "dep_delay" in (caught.value.hint or "")


def test_two_rows_for_one_place_are_refused() -> None:
    twice = {"x": [1, 1], "y": [2, 3]}
    for kind in ("line", "bar", "barh"):
        with pytest.raises(PlotError, match="in common"):
            make(twice, kind=kind)
    assert len(make(twice, kind="scatter").series[0].x) == 2
    with pytest.raises(PlotError, match="in common"):
        make({"x": [1, 1], "y": ["a", "a"], "v": [1, 2]}, kind="heatmap", color="v")


def test_more_colours_than_can_be_told_apart_are_refused() -> None:
    rows = {"x": list(range(9)), "y": list(range(9)), "c": [str(n) for n in range(9)]}
    with pytest.raises(PlotError, match="9 values") as caught:
        make(rows, color="c")
    assert "heatmap" in (caught.value.hint or "")


def test_no_rows_at_all_is_refused() -> None:
    with pytest.raises(PlotError, match="no rows to draw"):
        make(42)


def test_number_ticks_cover_the_range_in_round_steps() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        low, high = sorted(rng.normal(size=2) * 10.0 ** rng.integers(-6, 12))
        marks = numbers(low, high)
        step = marks[1] - marks[0]
        assert marks[0] <= low + step * 1e-6
        assert marks[-1] >= high - step * 1e-6
        assert 2 <= len(marks) <= 12
        digits = step / 10 ** np.floor(np.log10(step))
        assert min(abs(digits - round_) for round_ in (1, 2, 2.5, 5, 10)) < 1e-6


def test_whole_ticks_are_whole() -> None:
    assert numbers(6, 21, 9, whole=True) == [6, 8, 10, 12, 14, 16, 18, 20, 22]
    assert numbers(0, 2, 9, whole=True) == [0, 1, 2]


def test_time_ticks_are_round_on_the_clock_of_the_zone_over_a_change_of_clocks() -> None:
    begin = (
        dt.datetime(2013, 11, 3, 4, tzinfo=dt.UTC).timestamp() * 1e6
    )  # midnight in New York; clocks go back at 2
    found = times(begin, begin + 24 * 3.6e9, "America/New_York")
    hours = [(at - begin) / 3.6e9 for at, _ in found]
    by_label = dict(zip([text for _, text in found], hours, strict=True))
    assert by_label["3 Nov"] == 0
    assert by_label["12:00"] == 13


def test_time_ticks_for_years() -> None:
    begin, end = (dt.datetime(year, 1, 1).timestamp() * 1e6 for year in (1990, 2020))
    found = [text for _, text in times(begin, end, None)]
    assert {"1995", "2000", "2005"} <= set(found)


def test_bin_labels_keep_only_the_decimals_they_need() -> None:
    assert labels(make(ROWS).x, [0.0, 0.25, 0.5]) == ["0", "0.25", "0.5"]


def test_figure_holds_the_same_numbers_and_escapes_names() -> None:
    made = figure({"x": ["<b>", "q"], "y": [1, 2]}, x="x", y="y", kind="bar", title="<i>t</i>")
    assert list(made.data[0].x) == ["&lt;b&gt;", "q"]
    assert list(made.data[0].y) == [1, 2]
    assert made.layout.title.text == "&lt;i&gt;t&lt;/i&gt;"


@pytest.mark.parametrize("kind", ["line", "bar", "barh", "scatter", "hist", "heatmap"])
def test_figure_of_every_kind_is_valid(kind: str) -> None:
    y = None if kind == "hist" else "c" if kind == "heatmap" else "y"
    color = "y" if kind == "heatmap" else None
    made = figure(ROWS, x="x", y=y, color=color, kind=kind)
    assert len(made.data) == 1
    made.to_json()


def test_chart_offers_text_svg_and_plotly() -> None:
    bundle = chart(ROWS, x="x", y="y")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "application/vnd.plotly.v1+json"}
    assert bundle["text/plain"] == "Chart(line, 'y' by 'x')"
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["application/vnd.plotly.v1+json"]["data"][0]["type"] == "scatter"
