"""Series functions over arrays: against pandas, statsmodels, and plain Python that shares nothing with them."""

from __future__ import annotations

import builtins
import importlib
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from function_worlds import SECONDS, batch, run
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import CancelledError, UnsupportedError
from luma_bench.models.control import Control
from luma_bench.models.series.functions import FUNCTIONS, Batch
from luma_bench.models.series.functions.downsample import chosen
from luma_bench.models.series.functions.zscore import rolling
from luma_bench.models.series.length import Length


def column(name: str, output: str, given: Batch, **options: Any) -> list[float | None]:
    made = run(name, given, **options).columns[output]
    return [None if np.isnan(value) else float(value) for value in made]


SERIES = st.lists(
    st.lists(st.none() | st.floats(-1e3, 1e3, allow_nan=False, width=32), max_size=40), min_size=1, max_size=5
).map(lambda lists: [[np.nan if value is None else value for value in one] for one in lists])


@settings(deadline=None, max_examples=60)
@given(
    SERIES,
    st.sampled_from([{"alpha": 0.3}, {"alpha": 1.0}, {"span": 5.0}, {"com": 2.0}, {"halflife": 3.0}]),
    st.booleans(),
)
def test_ewma_is_pandas(series: list[list[float]], decay: dict[str, float], ignore_na: bool) -> None:
    made = run("EWMA", batch(*series), **decay, ignore_na=ignore_na).columns["ewma"]
    expected = [
        pd.Series(one, dtype=float).ewm(**decay, adjust=False, ignore_na=ignore_na).mean() for one in series
    ]
    np.testing.assert_allclose(made, np.concatenate([np.empty(0), *expected]), rtol=1e-9, atol=1e-9)


def test_ewma_of_long_series_is_pandas_too() -> None:
    values = np.random.default_rng(0).normal(size=(3, 3000))
    made = run("EWMA", batch(*values), alpha=0.05).columns["ewma"]
    expected = np.concatenate([pd.Series(one).ewm(alpha=0.05, adjust=False).mean() for one in values])
    np.testing.assert_allclose(made, expected, rtol=1e-10, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(SERIES, st.integers(0, 2**32))
def test_ewma_by_time_halves_weights_in_its_half_life(series: list[list[float]], seed: int) -> None:
    draw = np.random.default_rng(seed)
    times = [np.sort(draw.integers(0, 1000, len(one))) * SECONDS for one in series]
    made = run("EWMA", batch(*series, times=np.concatenate(times)), half_life="90s").columns["ewma"]
    expected: list[float] = []
    for values, moments in zip(series, times, strict=True):
        mean, last = math.nan, 0
        for value, moment in zip(values, moments.tolist(), strict=True):
            if not math.isnan(value):
                kept = 0.0 if math.isnan(mean) else 0.5 ** ((moment - last) / (90 * SECONDS))
                mean, last = value if math.isnan(mean) else kept * mean + (1 - kept) * value, moment
            expected.append(mean)
    np.testing.assert_allclose(made, expected, rtol=1e-9, atol=1e-9)


def test_an_infinite_value_stays_in_its_series() -> None:
    made = run("EWMA", batch([1.0, math.inf, 2.0], [1.0, 3.0]), half_life="1s").columns["ewma"]
    assert made.tolist() == [1.0, math.inf, math.inf, 1.0, 2.0]


def test_differences_and_derivatives_pass_over_missing_values() -> None:
    values = [1.0, math.nan, 4.0, 4.0, 1.0]
    two = batch(values, [7.0], times=[0, SECONDS, 2 * SECONDS, 2 * SECONDS, 5 * SECONDS, 0])
    assert column("DIFFERENCES", "difference", two) == [None, None, 3.0, 0.0, -3.0, None]
    assert column("DIFFERENCES", "difference", two, counter=True) == [None, None, 3.0, 0.0, 1.0, None]
    assert column("DERIVATIVE", "derivative", two) == [None, None, 1.5, None, -1.0, None]
    assert column("DERIVATIVE", "derivative", two, unit="1m") == [None, None, 90.0, None, -60.0, None]


def lttb(times: list[int], values: list[float], points: int) -> list[int]:
    """Largest triangle three buckets, as its author wrote it down."""
    size = (len(values) - 2) / (points - 2)
    kept = [0]
    for bucket in range(points - 2):
        first, last = (
            math.floor((bucket + 1) * size) + 1,
            min(math.floor((bucket + 2) * size) + 1, len(values)),
        )
        x, y = np.mean(times[first:last]), np.mean(values[first:last])
        a = kept[-1]
        places = range(math.floor(bucket * size) + 1, first)
        areas = [
            abs((times[a] - x) * (values[p] - values[a]) - (times[a] - times[p]) * (y - values[a]))
            for p in places
        ]
        kept.append(places[int(np.argmax(areas))])
    return [*kept, len(values) - 1]


@pytest.mark.parametrize(("rows", "points"), [(100, 10), (1000, 50), (37, 12)])
def test_lttb_keeps_the_rows_that_its_definition_keeps(rows: int, points: int) -> None:
    draw = np.random.default_rng(rows)
    values = np.cumsum(draw.normal(size=rows))
    times = np.arange(rows) * SECONDS
    assert chosen(times, values, points, "lttb").tolist() == lttb(times.tolist(), values.tolist(), points)


@pytest.mark.parametrize("method", ["minmaxlttb", "lttb", "m4", "minmax"])
def test_downsampling_keeps_few_rows_and_the_extremes_of_extremes(method: str) -> None:
    draw = np.random.default_rng(1)
    values = draw.normal(size=5000)
    values[[1234, 4321]] = 50, -50
    values[::7] = np.nan
    values[[1234, 4321]] = 50, -50
    given = batch(values, [1.0, math.nan, 2.0], [])
    made = run("DOWNSAMPLE", given, points=100, method=method)
    kept = made.rows[: made.offsets[1]]
    assert len(kept) <= 100
    assert np.all(np.diff(kept) > 0)
    assert not np.isnan(given.values[kept]).any()
    assert {1234, 4321} <= set(kept.tolist())
    assert made.rows[made.offsets[1] :].tolist() == [5000, 5002]
    assert made.offsets[-2:].tolist() == [len(made.rows)] * 2


def test_m4_keeps_first_last_least_and_greatest_of_each_bin() -> None:
    values = np.random.default_rng(2).normal(size=800)
    kept = set(chosen(np.arange(800) * SECONDS, values, 40, "m4").tolist())
    assert kept >= {0, 799, int(values.argmin()), int(values.argmax())}


def test_downsampling_survives_equal_times_and_nanoseconds() -> None:
    values = np.random.default_rng(3).normal(size=500)
    assert len(chosen(np.zeros(500, np.int64), values, 20, "lttb")) <= 20
    times = 1_700_000_000_000_000_000 + np.arange(500) * 7
    assert (
        chosen(times, values, 20, "lttb").tolist() == chosen(np.arange(500) * 7, values, 20, "lttb").tolist()
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(st.none() | st.floats(-100, 100, width=32), min_size=1, max_size=60), st.integers(0, 70))
def test_autocorrelation_sums_products_over_squares(values: list[float | None], lags: int) -> None:
    held = [math.nan if value is None else value for value in values]
    made = run("AUTOCORRELATION", batch(held), lags=lags)
    known = [value for value in held if not math.isnan(value)]
    mean = math.fsum(known) / len(known) if known else 0.0
    apart = [0.0 if math.isnan(value) else value - mean for value in held]
    squares = math.fsum(value * value for value in apart)
    count = min(lags, len(held) - 1) + 1
    assert made.columns["lag"].tolist() == list(range(count))
    if squares < 1e-9:
        return
    sums = [
        math.fsum(a * b for a, b in zip(apart, apart[lag:], strict=False)) / squares for lag in range(count)
    ]
    np.testing.assert_allclose(made.columns["autocorrelation"], sums, atol=1e-9)


def test_autocorrelation_of_what_does_not_vary_is_unknown() -> None:
    assert np.isnan(run("AUTOCORRELATION", batch([3.0] * 5), lags=2).columns["autocorrelation"]).all()
    assert len(run("AUTOCORRELATION", batch([]), lags=2).columns["lag"]) == 0


def test_a_season_is_the_mean_of_its_place() -> None:
    hours = np.arange(72)
    values = hours % 24 + (hours // 24) * 10.0
    values[5] = np.nan
    made = run("SEASONAL_RESIDUALS", batch(values, step=3600 * SECONDS), period="1d")
    frame = pd.Series(values).groupby(hours % 24).transform("mean")
    np.testing.assert_allclose(made.columns["seasonal"], frame)
    np.testing.assert_allclose(made.columns["residual"], values - frame)
    halves = run("SEASONAL_RESIDUALS", batch(values, step=3600 * SECONDS), period="1d", bucket="12h").columns[
        "seasonal"
    ]
    np.testing.assert_allclose(halves, pd.Series(values).groupby(hours % 24 // 12).transform("mean"))


def test_the_hours_of_a_day_are_those_of_the_zone() -> None:
    # 2024-03-31 has 23 hours in Berlin: noon is noon on both sides of it.
    moments = pd.date_range("2024-03-29", "2024-04-03", freq="h", tz="Europe/Berlin", unit="us")
    local = moments.tz_localize(None)
    values = np.where(local.hour == 12, 100.0, 0.0)
    given = batch(values, times=moments.tz_convert("UTC").tz_localize(None).asi8, zone="Europe/Berlin")
    made = run("SEASONAL_RESIDUALS", given, period="1d", bucket="1h").columns["residual"]
    outside = local.date != pd.Timestamp("2024-03-31").date()
    expected_mean = (
        100 * np.count_nonzero(outside & (local.hour == 12)) / np.count_nonzero(outside & (local.hour == 12))
    )
    assert expected_mean == 100
    assert np.abs(made[outside & (local.hour == 3)]).max() == 0


def test_sparse_places_of_a_period_are_told_apart() -> None:
    times = np.array([0, 999_983, 86_400_000_000, 86_400_999_983, 2 * 86_400_000_000])
    made = run("SEASONAL_RESIDUALS", batch([1.0, 5.0, 3.0, 7.0, 5.0], times=times)).columns["seasonal"]
    assert made.tolist() == [3.0, 6.0, 3.0, 6.0, 3.0]


def test_stl_takes_season_and_trend_off() -> None:
    pytest.importorskip("statsmodels")
    hours = np.arange(24 * 14)
    noise = np.random.default_rng(4).normal(size=len(hours)) * 0.1
    values = 10 * np.sin(hours / 24 * 2 * np.pi) + hours * 0.05 + noise
    made = run("SEASONAL_RESIDUALS", batch(values, [1.0, 2.0], step=3600 * SECONDS), method="stl")
    assert np.nanstd(made.columns["residual"]) < 0.2
    assert np.isnan(made.columns["residual"][-2:]).all()


@settings(deadline=None, max_examples=50)
@given(SERIES, st.sampled_from([None, 3, 10, 1000]))
def test_robust_scores_are_medians_of_windows(series: list[list[float]], window: int | None) -> None:
    made = run("ROBUST_ZSCORE", batch(*series), **({} if window is None else {"window": f"{window}s"}))
    expected: list[tuple[float, float]] = []
    for values in series:
        for row in range(len(values)):
            begin = 0 if window is None else max(0, row - window + 1)
            end = len(values) if window is None else row + 1
            known = [value for value in values[begin:end] if not math.isnan(value)]
            if not known:
                expected.append((math.nan, math.nan))
                continue
            middle = float(np.median(known))
            expected.append(
                (middle, 1.482602218505602 * float(np.median([abs(value - middle) for value in known])))
            )
    medians, deviations = np.array(expected).reshape(-1, 2).T
    np.testing.assert_allclose(made.columns["median"], medians, rtol=1e-12)
    np.testing.assert_allclose(made.columns["deviation"], deviations, rtol=1e-12)
    with np.errstate(all="ignore"):
        scores = np.where(
            deviations > 0,
            (np.concatenate([np.empty(0), *map(np.asarray, series)]) - medians) / deviations,
            np.nan,
        )
    np.testing.assert_allclose(made.columns["zscore"], scores, rtol=1e-9)


def test_windows_of_very_different_lengths_are_all_there() -> None:
    values = np.random.default_rng(5).normal(size=3000)
    first = np.zeros(3000, np.int64)
    last = np.arange(1, 3001)
    middle, _ = rolling(values, first, last, Control())
    assert middle[[0, 10, 2999]].tolist() == [np.median(values[:n]) for n in (1, 11, 3000)]


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name.startswith("statsmodels"):
            raise builtins.ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(UnsupportedError, match="holt_winters' needs statsmodels") as caught:
        run("FORECAST", batch(np.arange(100.0)), method="holt_winters")
    assert "luma-bench[series]" in str(caught.value.hint)
    found = run("FORECAST", batch(np.arange(100.0)), horizon=1)
    assert found.columns["method"] == ["seasonal_naive"]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("EWMA", {}, "give one of alpha, span, com, halflife, half_life"),
        ("EWMA", {"alpha": 0.1, "span": 3.0}, "not alpha and span"),
        ("EWMA", {"alpha": 0}, "alpha is above 0 and up to 1, not 0"),
        ("EWMA", {"alpha": True}, "alpha is a number, not True"),
        ("EWMA", {"alpah": 1}, "no option 'alpah'"),
        ("DOWNSAMPLE", {"points": 3}, "points is from 4 to 10,000,000"),
        ("DOWNSAMPLE", {"points": 10.5}, "points is a whole number"),
        ("DOWNSAMPLE", {"method": "best"}, "method is none of its choices: 'best'"),
        ("DERIVATIVE", {"unit": Length(months=1)}, "has months"),
        ("DERIVATIVE", {"unit": Length()}, "a length above zero"),
        ("MATRIX_PROFILE", {}, "needs the option window"),
        ("SEASONAL_RESIDUALS", {"bucket": Length(nanos=1), "method": "STL"}, "bucket goes with method"),
    ],
)
def test_a_wrong_option_is_told(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        FUNCTIONS[name].settled(options)
    assert said in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("name", [*FUNCTIONS])
def test_every_function_takes_nothing_and_can_be_stopped(name: str) -> None:
    options: dict[str, Any] = {"EWMA": {"alpha": 0.5}, "MATRIX_PROFILE": {"window": 3}}.get(name, {})
    spec = FUNCTIONS[name]
    for empty in (batch(), batch([]), batch([], [])):
        made = run(name, empty, **options)
        assert len(made.offsets) == len(empty.offsets)
        assert made.offsets[-1] == 0
        assert set(made.columns) == {one.name for one in spec.columns}
    stopped = Control()
    stopped.stop.set()
    with pytest.raises(CancelledError):
        spec.run(batch(np.arange(600.0)), spec.settled(options), stopped)
