"""`bench.series`: each method against pandas over the same rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.bench.series.handle import TimeSeries
from luma_bench.errors import CatalogError, KadeQLError, LumaError, SchemaError, UnsupportedError

START = dt.datetime(2026, 1, 1)


def frame() -> pd.DataFrame:
    drawn = np.random.default_rng(3)
    n = 600
    seconds = np.sort(drawn.choice(100_000, n, replace=False))
    temp = np.where(drawn.random(n) < 0.1, np.nan, drawn.normal(20, 5, n).round(2))
    return pd.DataFrame({
        "ts": pd.Timestamp(START) + pd.to_timedelta(seconds, unit="s"),
        "place": drawn.choice(["b", "a", "c"], n),
        "temp": temp,
        "count": drawn.integers(0, 50, n),
    })  # fmt: skip


WEATHER = frame()
TIMES = ["ts", "place"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("h") / "b.luma", timezone="UTC") as made:
        rows = pa.Table.from_pandas(WEATHER, preserve_index=False)
        rows = rows.set_column(0, "ts", rows["ts"].cast(pa.timestamp("us")))
        made.write("weather", rows, time_column="ts", series_key="place")
        made.write(
            "plain",
            {"a": pa.array([0], pa.timestamp("us")), "b": pa.array([0], pa.timestamp("us")), "x": [1.0]},
        )
        made.write("untimed", {"x": [1.0], "s": ["a"]})
        made.write("numbered", {"n": [3, 1, 2], "x": [1.0, None, 3.0]}, time_column="n")
        made.kadeql("CREATE VIEW seen AS SELECT ts AS at, temp AS t FROM weather")
        yield made


@pytest.fixture(scope="module")
def weather(bench: lb.Bench) -> TimeSeries:
    return bench.series("weather")


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True),
        expected.reset_index(drop=True),
        check_dtype=False,
        check_index_type=False,
    )


# --- what it is ---


def test_the_table_says_its_time_and_keys(bench: lb.Bench, weather: TimeSeries) -> None:
    assert (weather.time, weather.by, len(weather), weather.series) == ("ts", ("place",), 600, 3)
    assert weather.span == (WEATHER.ts.min().to_pydatetime(), WEATHER.ts.max().to_pydatetime())
    shown = repr(weather)
    assert "600" in shown
    assert "3 by place" in shown
    assert str(WEATHER.ts.min()) in shown
    assert "weather" in weather._repr_html_()
    assert bench.series("WEATHER", "TS", by="PLACE").by == ("place",)
    assert bench.series("seen").time == "at"
    assert bench.series("numbered").latest().to_arrow().to_pylist() == [{"n": 3, "x": 1.0}]


def test_it_is_pinned(bench: lb.Bench, tmp_path: Path) -> None:
    with lb.open(tmp_path / "p.luma") as other:
        other.write("t", {"ts": pa.array([1], pa.timestamp("s")), "x": [1.0]})
        held = other.series("t")
        other.write("t", {"ts": pa.array([2], pa.timestamp("s")), "x": [2.0]}, mode="append")
        assert (len(held), len(other.series("t")), len(other.series("t", at=held.snapshot))) == (1, 2, 1)


def test_what_is_no_series(bench: lb.Bench) -> None:
    with pytest.raises(CatalogError, match="nix"):
        bench.series("nix")
    with pytest.raises(SchemaError, match="nix"):
        bench.series("weather", time="nix")
    with pytest.raises(SchemaError, match="nix"):
        bench.series("weather", by="nix")
    with pytest.raises(SchemaError, match="several columns of times") as caught:
        bench.series("plain")
    assert "time='a'" in (caught.value.hint or "")
    with pytest.raises(SchemaError, match="no time column") as caught:
        bench.series("untimed")
    assert "cast one" in (caught.value.hint or "")
    with pytest.raises(SchemaError, match="no time"):
        bench.series("untimed", time="s")
    with pytest.raises(SchemaError, match="both the time and a key"):
        bench.series("weather", by="ts")


# --- narrowing ---


def test_where_between_select(weather: TimeSeries) -> None:
    middle = START + dt.timedelta(hours=10)
    some = weather.where("temp > 20", place=["a", "b"]).between(START, middle)
    expected = WEATHER[(WEATHER.temp > 20) & WEATHER.place.isin(["a", "b"]) & (WEATHER.ts < middle)]
    assert len(some) == len(expected)
    assert some.series == 2
    same(some.rows().to_pandas().sort_values("ts"), expected)
    assert len(weather.between("2026-01-01 05:00", "2026-01-01 06:00")) == int(
        ((WEATHER.ts >= "2026-01-01 05:00") & (WEATHER.ts < "2026-01-01 06:00")).sum()
    )
    assert len(weather.where(temp=None)) == int(WEATHER.temp.isna().sum())
    chosen = weather.select("temp", fahrenheit="temp * 1.8 + 32")
    assert chosen.schema.names == ["ts", "place", "temp", "fahrenheit"]
    found = chosen.where("fahrenheit > 80", place="a").rows().to_pandas()
    assert len(found) == int(((WEATHER.temp * 1.8 + 32 > 80) & (WEATHER.place == "a")).sum())
    with pytest.raises(SchemaError, match="'nix'"):
        weather.select("nix")
    with pytest.raises(KadeQLError):
        weather.where("nix > 3").rows()


def test_a_frame_of_the_rows(weather: TimeSeries) -> None:
    assert weather.frame().shape == (600, 4)
    assert weather.where(place="a").frame().shape == (int((WEATHER.place == "a").sum()), 4)
    assert weather.keys().to_arrow()["place"].to_pylist() == ["a", "b", "c"]


def test_names_and_values_are_quoted(tmp_path: Path) -> None:
    with lb.open(tmp_path / "q.luma") as bench:
        data = {
            'at "noon"': pa.array([1, 2], pa.timestamp("s")),
            "select": ["o'clock", "b"],
            "from": [1.0, 2.0],
        }
        bench.write('the "table"', data)
        held = bench.series('the "table"', by="select")
        assert held.where(select="o'clock").rows().to_arrow().num_rows == 1
        assert held.resample("1s").to_arrow()["from"].to_pylist() == [1.0, 2.0]
        assert held.latest().to_arrow().num_rows == 2
        assert held.fill("linear").to_arrow().num_rows == 2
        assert held.downsample().to_arrow().num_rows == 2
        assert held.plot(series=["o'clock"]).picture.series[0].name == "o'clock"


# --- answers ---


def resampled(rule: str, **how: object) -> pd.DataFrame:
    grouped = WEATHER.groupby(["place", pd.Grouper(key="ts", freq=rule)])
    found = grouped.agg(**how).reset_index()
    kept = found[found["n"] > 0] if "n" in found else found
    return kept[["ts", "place", *how]].sort_values(["ts", "place"])


@pytest.mark.parametrize(
    ("length", "rule"),
    [("1h", "1h"), ("90m", "90min"), (dt.timedelta(hours=6), "6h"), ("30min", "30min"), ("D", "1D")],
)
def test_resample(weather: TimeSeries, length: object, rule: str) -> None:
    found = weather.resample(length, {"temp": "mean", "n": "count(*)", "count": "sum"})
    expected = resampled(rule, temp=("temp", "mean"), n=("temp", "size"), count=("count", "sum"))
    same(found.to_pandas(), expected)


def test_resample_takes_functions_as_pandas_does(weather: TimeSeries) -> None:
    assert weather.resample("1h").schema.names == ["ts", "place", "temp", "count"]
    assert weather.resample("1h", ["min", "max"]).schema.names[2:] == [
        "temp_min",
        "count_min",
        "temp_max",
        "count_max",
    ]
    found = weather.resample(
        "4h", {"temp": ["std", "median"], "count": ["first", "last", "nunique"]}
    ).to_pandas()
    grouped = WEATHER.groupby([pd.Grouper(key="ts", freq="4h"), "place"])
    expected = grouped.agg(
        temp_std=("temp", "std"), temp_median=("temp", "median"), count_first=("count", "first"),
        count_last=("count", "last"), count_nunique=("count", "nunique"),
    ).reset_index()  # fmt: skip
    same(found, expected)
    assert weather.resample("1d", "size", by=()).to_arrow()["size"].to_pylist() == [
        int((WEATHER.ts.dt.day == day).sum()) for day in (1, 2)
    ]


def test_resample_fills(weather: TimeSeries) -> None:
    few = weather.where(place="a").between("2026-01-01", "2026-01-01 10:00")
    own = WEATHER[(WEATHER.place == "a") & (WEATHER.ts < "2026-01-01 10:00")].set_index("ts")
    # WHERE bounds the time, so that is the range which is filled.
    whole = pd.date_range("2026-01-01", periods=120, freq="5min")
    grid = own["count"].resample("5min").agg(["mean", "size"]).reindex(whole)
    grid["size"] = grid["size"].fillna(0)
    mean = grid["mean"].where(grid["size"] > 0)
    found = few.resample(
        "5m", {"count": "mean", "n": "count(*)"}, fill={"count": "linear", "n": 0}
    ).to_pandas()
    assert found["count"].to_numpy() == pytest.approx(
        mean.interpolate(limit_area="inside").to_numpy(), nan_ok=True
    )
    assert found["n"].tolist() == grid["size"].tolist()
    carried = few.resample("5m", {"count": "mean"}, fill="ffill").to_pandas()["count"].to_numpy()
    assert carried == pytest.approx(mean.ffill().to_numpy(), nan_ok=True)
    bounded = few.resample(
        "1h", {"count": "sum"}, fill="null", start="2025-12-31 22:00", end="2026-01-01 03:00"
    )
    assert bounded.to_pandas().ts.tolist() == pd.date_range("2025-12-31 22:00", periods=5, freq="h").tolist()
    moved = weather.resample("1d", {"count": "sum"}, by=(), offset="06:00").to_pandas()
    assert moved.ts.tolist()[1:] == [pd.Timestamp("2026-01-01 06:00")]
    first = weather.resample("1d", {"count": "sum"}, by=(), origin="start").to_pandas()
    assert first.ts.tolist()[0] == WEATHER.ts.min()
    assert first["count"].sum() == WEATHER["count"].sum()


def test_windows(weather: TimeSeries) -> None:
    tumbled = weather.window("tumble", "2h", agg={"n": "count(*)"}).to_pandas()
    expected = WEATHER.groupby([pd.Grouper(key="ts", freq="2h"), "place"]).size()
    assert tumbled["n"].tolist() == expected.tolist()
    hopped = weather.window("hop", "2h", "1h", agg={"n": "count(*)"}).to_arrow()
    assert sum(hopped["n"].to_pylist()) == 2 * len(WEATHER)
    grown = weather.window("cumulate", "4h", "1h").to_arrow()
    assert grown.schema.names[-3:] == ["window_start", "window_end", "window_time"]
    sessions = weather.window("session", "15m", agg={"n": "count(*)"}, by="place").to_pandas()
    ordered = WEATHER.sort_values(["place", "ts"])
    begins = (ordered.groupby("place").ts.diff() > pd.Timedelta("15min")) | (
        ordered.place != ordered.place.shift()
    )
    expected = (
        ordered.assign(s=begins.cumsum())
        .groupby("s")
        .agg(window_start=("ts", "min"), place=("place", "first"), n=("ts", "size"))
    )
    expected = expected.sort_values(["window_start", "place"])
    same(sessions[["window_start", "place", "n"]], expected)


def test_sessions_of_narrowed_rows(weather: TimeSeries) -> None:
    some = weather.where("count > 40", place="b")
    found = some.window("session", "30m", agg={"n": "count(*)"}).to_arrow()
    rows = WEATHER[(WEATHER["count"] > 40) & (WEATHER.place == "b")]
    assert found.num_rows == 1 + int((rows.ts.diff() > pd.Timedelta("30min")).sum())
    assert sum(found["n"].to_pylist()) == len(rows)


def test_latest(weather: TimeSeries) -> None:
    expected = WEATHER.sort_values("ts").groupby("place").tail(1).sort_values("place")
    same(weather.latest().to_pandas(), expected)
    early = weather.between(None, "2026-01-01 12:00")
    expected = WEATHER[WEATHER.ts < "2026-01-01 12:00"].groupby("place").tail(1).sort_values("place")
    same(early.latest().to_pandas(), expected)
    computed = weather.select(double="temp * 2").where("double > 50")
    expected = WEATHER[WEATHER.temp * 2 > 50].groupby("place").tail(1).sort_values("place")
    assert computed.latest().to_pandas().ts.tolist() == expected.ts.tolist()


def test_latest_of_one_series_takes_the_last_of_equal_times(tmp_path: Path) -> None:
    with lb.open(tmp_path / "l.luma") as bench:
        bench.write("t", {"ts": pa.array([2, None, 2, 1], pa.timestamp("s")), "x": [1, 2, 3, 4]})
        held = bench.series("t")
        assert held.latest().to_arrow().to_pylist() == [{"ts": dt.datetime(1970, 1, 1, 0, 0, 2), "x": 3}]
        assert held.select("x", y="x + 1").latest().to_arrow().to_pylist()[0]["y"] == 4


@pytest.mark.parametrize("direction", ["backward", "forward", "nearest"])
@pytest.mark.parametrize("tolerance", [None, "5m"])
def test_asof(bench: lb.Bench, weather: TimeSeries, direction: str, tolerance: str | None) -> None:
    left = weather.where(place="a").select("temp")
    right = weather.where("count > 25").select("temp", "count")
    found = left.asof(right, direction=direction, tolerance=tolerance, exact=False).to_pandas()
    own, other = WEATHER[WEATHER.place == "a"], WEATHER[WEATHER["count"] > 25]
    expected = pd.merge_asof(
        own[["ts", "place", "temp"]], other[["ts", "temp", "count", "place"]].assign(ts_right=other.ts), on="ts", by="place",
        direction=direction, tolerance=None if tolerance is None else pd.Timedelta("5min"), allow_exact_matches=False,
        suffixes=("", "_right"),
    )  # fmt: skip
    assert found.columns.tolist() == ["ts", "place", "temp", "ts_right", "temp_right", "count"]
    same(found.sort_values("ts"), expected[found.columns.tolist()])
    inner = left.asof(
        "weather", direction=direction, tolerance=tolerance, how="inner", columns=["count"], exact=False
    )
    assert inner.schema.names == ["ts", "place", "temp", "count"]
    assert inner.to_arrow().num_rows <= len(own)


@pytest.mark.parametrize("way", ["prev", "next", "linear", 0.0])
def test_fill(weather: TimeSeries, way: str | float) -> None:
    found = weather.fill(way, "temp").to_pandas()
    ordered = WEATHER.sort_values(["place", "ts"])

    def filled(part: pd.Series) -> pd.Series:
        if way == "linear":
            at = part.set_axis(pd.DatetimeIndex(ordered.ts[part.index]))
            return at.interpolate(method="time", limit_area="inside").set_axis(part.index)
        return part.ffill() if way == "prev" else part.bfill() if way == "next" else part.fillna(0.0)

    ordered["temp"] = ordered.groupby("place").temp.transform(filled)
    same(found, ordered)


def test_fill_over_whole_numbers_and_of_each_column(bench: lb.Bench) -> None:
    numbered = bench.series("numbered")
    assert numbered.fill("linear").to_arrow().to_pylist() == [
        {"n": 1, "x": None},
        {"n": 2, "x": 3.0},
        {"n": 3, "x": 1.0},
    ]
    assert numbered.fill({"x": "next"}).to_arrow()["x"].to_pylist() == [3.0, 3.0, 1.0]


def test_functions_rates_statistics(weather: TimeSeries) -> None:
    own = WEATHER[WEATHER.place == "a"]["count"]
    smooth = weather.where(place="a").apply("EWMA", "count", alpha=0.25).to_pandas().sort_values("ts")
    assert smooth["ewma"].to_numpy() == pytest.approx(own.ewm(alpha=0.25, adjust=False).mean().to_numpy())
    rising = weather.rate("count", "6h", "increase", by="place").to_pandas()
    steps = WEATHER.groupby(["place", pd.Grouper(key="ts", freq="6h")])["count"].apply(
        lambda part: float(np.where(part.diff() < 0, part, part.diff())[1:].sum())
    )
    expected = steps.reset_index().sort_values(["ts", "place"])["count"].to_numpy()
    assert rising["count"].to_numpy() == pytest.approx(expected)
    found = weather.stats("temp").to_pandas()
    grouped = WEATHER.groupby("place")
    assert found["rows"].tolist() == grouped.size().tolist()
    assert found["temp_mean"].to_numpy() == pytest.approx(grouped.temp.mean().to_numpy())
    assert found["first"].tolist() == grouped.ts.min().tolist()


def test_wrong_words_name_the_right_ones(weather: TimeSeries) -> None:
    calls = [
        (lambda: weather.window("tumbl", "1h"), "tumble"),
        (lambda: weather.window("hop", "1h"), "every"),
        (lambda: weather.window("tumble", "1h", "1h"), "every"),
        (lambda: weather.rate("count", "1h", "rates"), "rate"),
        (lambda: weather.asof("weather", direction="back"), "backward"),
        (lambda: weather.asof("weather", how="outer"), "inner"),
        (lambda: weather.resample("1h", fill="lin"), "linear"),
        (lambda: weather.resample("1h", {"temp": "mean"}, fill={"tmp": 0}), "temp"),
        (lambda: weather.resample("1h", {"temp": "me an"}), "mean"),
        (lambda: weather.resample("1h", {}), "agg="),
        (lambda: weather.resample(5), "1h"),
        (lambda: weather.fill("lin", "temp"), "linear"),
        (lambda: weather.apply("EW MA", "temp"), "EWMA"),
        (lambda: weather.downsample("temp", method="best"), "lttb"),
        (lambda: weather.downsample(), "temp, count"),
        (lambda: weather.resample("1h", {"nix": "mean"}), "temp"),
        (lambda: weather.resample("1 hor"), "hour"),
        (lambda: weather.resample("1h", origin="start", offset="01:00"), "one of them"),
        (lambda: weather.plot("temp", series=20), "several pictures"),
        (lambda: weather.plot("temp", series=[("a", "b")]), "tuple"),
    ]  # fmt: skip
    for call, said in calls:
        with pytest.raises(LumaError) as caught:
            call()
        assert said in f"{caught.value.message} {caught.value.hint}", caught.value


# --- pictures ---


def test_plot_picks_points_in_the_engine(weather: TimeSeries) -> None:
    chart = weather.plot("count", points=50, title="counts")
    assert [line.name for line in chart.picture.series] == ["a", "b", "c"]
    for line in chart.picture.series:
        own = WEATHER[WEATHER.place == line.name]
        assert len(line.x) <= 50
        assert set(line.x) <= set(own.ts.astype("datetime64[us]").astype("int64").astype(float))
        assert {own["count"].max(), own["count"].min()} <= set(line.y)
    assert len(chart.figure.data) == 3
    one = weather.plot("count", series=["b"], start="2026-01-01 10:00", end="2026-01-01 20:00", method="m4")
    hours = (WEATHER.ts >= "2026-01-01 10:00") & (WEATHER.ts < "2026-01-01 20:00") & (WEATHER.place == "b")
    assert len(one.picture.series[0].x) == int(hours.sum())


def test_a_series_of_another_snapshot_is_refused(bench: lb.Bench, weather: TimeSeries) -> None:
    other = bench.series("weather", at=2)
    with pytest.raises(UnsupportedError, match="different snapshots"):
        weather.asof(other)
