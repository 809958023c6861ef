"""What `plot` takes, says and refuses: types, odd names, missing values, empty frames, options."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plot import MARKS, Chart, PlotError

SMALL = {"x": [1, 2, 3], "y": [4.0, 5.0, 6.0], "c": ["a", "b", "a"]}


def looked_at(chart: Any) -> Any:
    assert isinstance(chart, Chart)
    assert chart.picture.marks <= MARKS
    bundle = chart._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "application/vnd.plotly.v1+json"}
    return chart.picture


# Types


def test_instants_stand_on_the_clock_of_their_zone(frames) -> None:
    start = dt.datetime(2013, 2, 8, 5, tzinfo=dt.UTC)
    times = pa.array(
        [start + dt.timedelta(hours=hour) for hour in range(3)], pa.timestamp("us", "America/New_York")
    )
    drawn = looked_at(frames(t={"at": times, "v": [1, 2, 3]}).plot.line(x="at", y="v"))
    assert (drawn.x.scale, drawn.x.zone) == ("time", "America/New_York")
    assert drawn.series[0].x.tolist() == [value.timestamp() * 1e6 for value in times.to_pylist()]


@pytest.mark.parametrize(
    ("values", "places"),
    [
        (pa.array([dt.date(1970, 1, 2), dt.date(1969, 12, 31), None]), [86_400e6, -86_400e6]),
        (pa.array([dt.date(1970, 1, 2), dt.date(2, 1, 1), dt.date(1, 1, 1)]), [86_400e6, -62_104_060_800e6]),
        (pa.array([1, 10**12, None], pa.timestamp("ns")), [0, 1e9]),
        (pa.array([1, -1, None], pa.timestamp("s")), [1e6, -1e6]),
        (pa.array([decimal.Decimal("1.50"), decimal.Decimal("-2.25"), None]), [1.5, -2.25]),
        (pa.array([1.5, math.inf, math.nan], pa.float32()), [1.5]),
        (pa.array([2**63, 5, None], pa.uint64()), [2.0**63, 5]),
        (pa.array([dt.time(6, 30), dt.time(0, 0), None]), [6.5, 0]),
        (pa.array([90_000_000, None, 0], pa.duration("us")), [90, 0]),
    ],
    ids=["date", "early", "ns", "s", "decimal", "float", "uint64", "time", "duration"],
)
def test_any_ordered_type_has_places(frames, values, places) -> None:
    drawn = looked_at(frames(t={"x": values, "y": [1, 1, 1]}).plot.scatter("x", "y"))
    assert drawn.series[0].x.tolist() == places
    lost = 3 - len(places)
    assert drawn.notes == (f"{lost} row{'s' if lost > 1 else ''} without x or y left out",)
    counted = looked_at(frames(t={"x": values}).plot.hist("x", bins=3))
    assert counted.series[0].y.sum() == len(places)


def test_truth_is_a_category_or_zero_and_one(frames) -> None:
    frame = frames(t={"late": [True, False, None, True], "k": ["a", "a", "b", "b"], "v": [1, 2, 3, 4]})
    assert looked_at(frame.plot.heatmap("k", "late", "v")).y.values == ("False", "True")
    assert looked_at(frame.plot.bar(x="k", y="late")).series[0].y.tolist() == [1, 0, 1]
    assert [series.name for series in looked_at(frame.plot.scatter("v", "v", color="late")).series] == [
        "False",
        "True",
        "NULL",
    ]


def test_text_along_a_line_and_dictionaries(frames) -> None:
    rows = {"k": pa.array(["p", "q", "p"]).dictionary_encode(), "v": [1, 2, 3]}
    drawn = looked_at(frames(t=rows).plot.line(x="k", y="v"))
    assert drawn.x.values == ("p", "q")
    assert drawn.notes == ("1 row at an x that another row has",)
    assert looked_at(frames(t=rows).plot.line(y="v", color="k")).series[0].name == "p"


@pytest.mark.parametrize("name", ["select", "a b", "\u00fc", '"', "x", "g", "b", "n", "bx", "<b>", "y0"])
def test_odd_names(frames, name) -> None:
    rng = np.random.default_rng(2)
    rows = {
        name: rng.normal(size=21_000),
        "other": rng.integers(0, 3, 21_000),
        "lat": rng.uniform(0, 9, 21_000),
    }
    frame = frames(t=rows)
    for chart in (
        frame.plot.line(x=name, y="other"),
        frame.plot.area(x="other", y=name, color="other", stacked=False),
        frame.plot.scatter("other", name),
        frame.plot.scatter("lat", name, color="other"),
        frame.plot.hist(name, by="other"),
        frame.plot.density(name),
        frame.plot.box(name, by="other"),
        frame.plot.heatmap(name, "other", "lat"),
        frame.plot.map(lon=name, lat="lat"),
        frame.head(5).plot.bar(x="other", y=name),
        frame[name].plot.hist(),
    ):
        looked_at(chart)


# Nothing, little, much


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_empty_and_tiny_frames_are_drawn(frames, rows) -> None:
    columns = {
        "x": pa.array([None] * rows, pa.int64()),
        "y": pa.array([math.nan] * rows, pa.float64()),
        "t": pa.array([None] * rows, pa.timestamp("us", "UTC")),
        "c": pa.array([None] * rows, pa.string()),
    }
    frame = frames(t=pa.table(columns))
    for part in (frame, frame[frame.x > 5]):  # of known and of unknown length
        plot = part.plot
        charts = [
            plot.line(x="x", y="y"), plot.line(x="t", y="y", color="c"), plot.line(x="c", y="y"),
            plot.area(x="x", y=["x", "y"]), plot.bar(x="c", y="y"), plot.barh(x="c", y="y"),
            plot.scatter("x", "y"), plot.scatter("x", "y", color="c"), plot.hist("y"), plot.hist("t", bins=[0, 1]),
            plot.hist(["x", "y"]), plot.hist("y", by="c"), plot.density("y"), plot.density("y", by="c"),
            plot.box(["x", "y"]), plot.box("y", by="c"), plot.heatmap("x", "c"), plot.heatmap("c", "c", "y"),
            plot.heatmap("t", "y"), plot.heatmap("x", "y", bins=[0, 1]), plot.map(lon="x", lat="y"), part.y.plot(),
        ]  # fmt: skip
        for chart in charts:
            drawn = looked_at(chart)
            counted = not rows or drawn.kind in ("bar", "barh", "line")
            assert drawn.notes or counted, drawn
            if not len(part):
                assert "no rows" in drawn.notes


@pytest.mark.parametrize("value", [0, -7.5, 1e15, 1e-300, 5e-324])
def test_one_value_in_many_rows(frames, value) -> None:
    frame = frames(t={"x": [value] * 20_001, "y": [value] * 20_001})
    for chart in (
        frame.plot.line(x="x", y="y"),
        frame.plot.scatter("x", "y"),
        frame.plot.hist("x"),
        frame.plot.box("x"),
        frame.plot.heatmap("x", "y"),
        frame.plot.density("x"),
    ):
        looked_at(chart)


def test_no_more_than_the_limit_comes_out_of_the_engine(frames) -> None:
    rng = np.random.default_rng(4)
    n = 60_000
    rows = {
        "x": rng.normal(size=n),
        "y": rng.normal(size=n),
        "c": rng.choice(list("abcdefgh"), n),
        "k": rng.integers(0, 40, n),
    }
    frame = frames(t=rows)
    executor = frame.executor
    fetched: list[int] = []
    ask = executor.execute

    def execute(text: str, **options: Any) -> Any:
        answer = ask(text, **options)
        fetched.append(len(answer))
        return answer

    executor.execute = execute
    plot = frame.plot
    charts = [
        plot.line(x="x", y="y"), plot.line(x="x", y=["y", "k"], color=None), plot.line(x="x", y="y", color="c"),
        plot.area(x="k", y="k", color="c"), plot.scatter("x", "y"), plot.scatter("x", "y", color="c"),
        plot.hist("x", bins=100, by="c"), plot.box("x", by="k"), plot.heatmap("x", "y"), plot.heatmap("k", "c"),
        frame.x.plot(), plot.density("x", by="c"),
    ]  # fmt: skip
    for chart in charts:
        looked_at(chart)
    assert len(fetched) >= len(charts)
    assert max(fetched) <= MARKS
    assert not executor.reads


numbers = (
    st.none()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from([0.0, -0.0, 5e-324, 1e300, -1e300])
)


@settings(deadline=None, max_examples=12)
@given(st.lists(st.tuples(numbers, numbers, st.sampled_from([None, "p", "q", "<i>", ""])), max_size=12))
def test_any_rows_can_be_drawn(made_frames, rows) -> None:
    x, y, c = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    table = pa.table(
        {"x": pa.array(x, pa.float64()), "y": pa.array(y, pa.float64()), "c": pa.array(c, pa.string())}
    )
    plot = made_frames(table).plot
    for chart in (
        plot.line(x="x", y="y", color="c"),
        plot.scatter("x", "y", color="c"),
        plot.hist("x", by="c"),
        plot.box("y", by="c"),
        plot.heatmap("x", "c", "y"),
        plot.heatmap("x", "y"),
        plot.map(lon="x", lat="y"),
        plot.bar(x="c", y=["x", "y"]),
        plot.density("x"),
    ):
        drawn = chart.svg
        assert "nan" not in re.sub(r"<(text|title).*?</\1>", "", drawn)


@pytest.fixture(scope="module")
def made_frames():
    from duck_executor import DuckExecutor

    from luma_bench.frame import DataFrame

    executor = DuckExecutor({})

    def make(table: pa.Table) -> Any:
        executor.store("t", table)
        return DataFrame.scan(executor, "t")

    return make


# Said and refused


def test_titles_labels_and_size(frames) -> None:
    chart = frames(t=SMALL).plot.line(
        x="x", y="y", title="<T>", xlabel="time (s)", ylabel="way (m)", figsize=(6, 4)
    )
    assert (chart.width, chart.height) == (480, 320)
    assert (chart.picture.title, chart.picture.x.label, chart.picture.y.label) == (
        "<T>",
        "time (s)",
        "way (m)",
    )
    assert "time (s)" in chart.svg
    assert chart.figure.layout.title.text == "&lt;T&gt;"


def test_plot_is_called_like_pandas(frames) -> None:
    frame = frames(t={**SMALL, "lon": [1, 2, 3], "lat": [1, 2, 3]})
    assert frame.plot("x", "y").picture.kind == "line"
    assert frame.plot(x="x", y="y", kind="scatter").picture.kind == "scatter"
    assert frame.plot(kind="hist", y="y", bins=3).picture.kind == "hist"
    assert frame.plot("lon", "lat", kind="map").picture.aspect is not None
    assert frame.plot(kind="box").picture.x.values == ("x", "y", "lon", "lat")
    assert frame.y.plot(kind="kde").picture.y.label == "density"
    assert frame.y.plot.line(x="x", color="c").picture.series[0].name == "a"
    assert (frame.y * 2).plot.barh(x="c").picture.series[0].y.tolist() == [8, 10, 12]
    assert {"line", "hist", "map"} <= set(dir(frame.plot))


@pytest.mark.parametrize(
    ("draw", "error", "said", "hint"),
    [
        (lambda f: f.plot.pie(y="y"), UnsupportedError, "no pies", "barh"),
        (lambda f: f.plot(kind="pie"), UnsupportedError, "no pies", "barh"),
        (lambda f: f.y.plot.pie(), UnsupportedError, "no pies", "barh"),
        (lambda f: f.plot.hexbin("x", "y"), UnsupportedError, "hexagons", "heatmap"),
        (lambda f: f.plot(kind="lines"), UnsupportedError, "no kind", "line"),
        (lambda f: f.plot.scater("x", "y"), UnsupportedError, "no 'scater'", "scatter"),
        (lambda f: f.y.plot.scatter("x"), UnsupportedError, "two columns", "frame.plot.scatter"),
        (lambda f: f.plot.line("x", "y", ax=None), UnsupportedError, "'ax'", "update_layout"),
        (lambda f: f.plot.line("x", "y", titel="q"), UnsupportedError, "'titel'", "title"),
        (lambda f: f.plot.line("x", "c"), PlotError, "not a number", "astype"),
        (lambda f: f.plot.line("x", "nope"), SchemaError, "nope", ""),
        (lambda f: f.plot.line("x", "y", color="nope"), SchemaError, "nope", ""),
        (lambda f: f.plot.scatter("c", "y"), PlotError, "no numbers or times", "box"),
        (lambda f: f.plot.hist("c"), PlotError, "distribution", "value_counts"),
        (lambda f: f.plot.hist("y", bins=0), PlotError, "0 bins", "bins="),
        (lambda f: f.plot.hist("y", bins=[3, 1]), PlotError, "grow", "bins="),
        (lambda f: f.plot.hist(["x", "y"], by="c"), PlotError, "too many", "one y"),
        (lambda f: f.plot.hist("y", by="c", color="x"), UnsupportedError, "same", "one"),
        (lambda f: f.plot.density("y", bw_method="x"), PlotError, "bw_method", "scott"),
        (lambda f: f.plot.heatmap("x", "c", agg="mean"), PlotError, "of what", "value="),
        (lambda f: f.plot.heatmap("x", "c", "c"), PlotError, "not a number", "astype"),
        (lambda f: f.plot.heatmap("y", "y", bins=(1000, 1000)), PlotError, "cells", "bins"),
        (lambda f: f.plot.map(), UnsupportedError, "longitudes", "lon="),
        (lambda f: f.plot.bar(x="c", y="y", color="c"), PlotError, "in common", "groupby"),
        (lambda f: f.plot.area("x", ["y", "m"]), PlotError, "negative", "stacked=False"),
        (lambda f: f.groupby("c", sort=False).agg(v=("y", "sum")).v.plot(), UnsupportedError, "order", "x="),
        (lambda f: f.plot.line("x", "y", figsize=(0, 3)), UnsupportedError, "figsize", "inches"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(frames, draw, error, said, hint) -> None:
    frame = frames(t={**SMALL, "c": ["a", "a", "a"], "m": [1, -1, 1]})
    with pytest.raises(error, match=re.escape(said)) as caught:
        draw(frame)
    assert hint in (caught.value.hint or "")


def test_too_many_bars_colours_boxes_and_categories_are_refused(frames) -> None:
    n = 20_500
    frame = frames(t={"k": [str(number) for number in range(n)], "v": list(range(n)), "m": list(range(n))})
    few = frames(t={"k": [str(number) for number in range(30)], "v": list(range(30))})
    for draw, said in (
        (lambda: frame.plot.bar(x="k", y="v"), "more than 500 rows"),
        (lambda: frame.plot.line(x="v", y="v", color="k"), "more than 8 values"),
        (lambda: frame.head(30).plot.scatter("v", "m", color="k"), "more than 8 values"),
        (lambda: few.plot.line(x="v", y="v", color="k"), "30 values"),
        (lambda: few.plot.bar(x="v", y="v", color="k"), "30 values"),
        (lambda: frame.plot.line(x="k", y="v"), "is text"),
        (lambda: frame.plot.box("v", by="k"), "more than 50 values"),
        (lambda: frame.plot.heatmap("k", "v"), "cells"),
        (lambda: frame.plot.line(x="v", y=["v", "m"] * 5), "10 series"),
    ):
        with pytest.raises(PlotError, match=said) as caught:
            draw()
        assert caught.value.hint


def test_a_real_bench_draws_what_pandas_counts(tmp_path) -> None:
    import luma_bench as lb

    rng = np.random.default_rng(11)
    n = 30_000
    rows = pd.DataFrame(
        {
            "at": pd.Timestamp("2013-01-01", tz="America/New_York")
            + pd.to_timedelta(np.arange(n), unit="min"),
            "delay": np.where(rng.random(n) < 0.03, np.nan, rng.gamma(2, 9, n)),
            "origin": rng.choice(["JFK", "EWR", "LGA"], n),
        }
    )
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("flights", pa.Table.from_pandas(rows, preserve_index=False))
        flights = bench.table("flights")
        line = looked_at(flights.plot.line(x="at", y="delay"))
        assert line.x.zone == "America/New_York"
        assert np.nanmax(line.series[0].y) == rows.delay.max()
        by = looked_at(flights[flights.delay > 5].plot.hist("delay", by="origin", bins=6))
        kept = rows[rows.delay > 5]
        for series in by.series:
            own = kept.delay[kept.origin == series.name]
            np.testing.assert_array_equal(series.y, np.histogram(own, by.edges)[0])
        boxes = looked_at(flights.plot.box("delay", by="origin"))
        assert [box.median for box in boxes.boxes] == pytest.approx(
            list(rows.groupby("origin").delay.median())
        )
        grouped = flights.groupby("origin").agg(late=("delay", "mean"))
        assert looked_at(grouped.plot.bar()).x.values == ("EWR", "JFK", "LGA")
