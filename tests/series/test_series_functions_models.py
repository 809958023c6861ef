"""Change points, matrix profiles and forecasts: against brute force, and against the libraries that are known for them."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from function_worlds import SECONDS, batch, run
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.models.control import Control
from luma_bench.models.series.functions.change_points import changes
from luma_bench.models.series.functions.forecast import foreseen
from luma_bench.models.series.functions.matrix_profile import matrix_profile


def cost(values: np.ndarray, cuts: tuple[int, ...], penalty: float) -> float:
    parts = np.split(values, cuts)
    return sum(float(((part - part.mean()) ** 2).sum()) for part in parts) + len(cuts) * penalty


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-4, 4), min_size=4, max_size=12), st.integers(1, 3))
def test_change_points_are_the_cheapest_of_all_cuts(steps: list[int], least: int) -> None:
    values = np.array(steps, float)
    found = changes(values, 1.0, least, Control())
    noise = 1.482602218505602 * float(np.median(np.abs(np.diff(values)))) / math.sqrt(2)
    scaled = (values - np.median(values)) / (noise or values.std() or 1.0)
    penalty = math.log(len(values))
    possible = (
        cuts
        for count in range(len(values))
        for cuts in itertools.combinations(range(1, len(values)), count)
        if min(np.diff([0, *cuts, len(values)])) >= least
    )
    best = min(cost(scaled, cuts, penalty) for cuts in possible) if len(values) >= least else 0.0
    assert cost(scaled, tuple(found.tolist()), penalty) == pytest.approx(best, abs=1e-9)


def test_change_points_name_the_first_row_of_a_new_level() -> None:
    values = (
        np.concatenate([np.zeros(50), np.full(50, 5.0), np.full(50, 2.0)])
        + np.random.default_rng(6).normal(size=150) * 0.1
    )
    values[20] = np.nan
    made = run("CHANGE_POINTS", batch([1.0], values, []))
    assert made.rows.tolist() == [51, 101]
    np.testing.assert_allclose(made.columns["mean_before"], [0, 5], atol=0.1)
    np.testing.assert_allclose(made.columns["mean_after"], [5, 2], atol=0.1)
    assert made.offsets.tolist() == [0, 0, 2, 2]


def naive_profile(values: np.ndarray, window: int) -> np.ndarray:
    stretches = [values[first : first + window] for first in range(len(values) - window + 1)]
    made = np.full(len(stretches), np.inf)
    for (i, a), (j, b) in itertools.product(enumerate(stretches), repeat=2):
        if abs(i - j) <= math.ceil(window / 4) or not (np.isfinite(a).all() and np.isfinite(b).all()):
            continue
        if a.std() == 0 or b.std() == 0:
            apart = 0.0 if a.std() == b.std() else math.sqrt(window)
        else:
            apart = float(np.linalg.norm((a - a.mean()) / a.std() - (b - b.mean()) / b.std()))
        made[i] = min(made[i], apart)
    return made


@pytest.mark.parametrize("case", range(8))
def test_a_matrix_profile_is_the_least_distance_of_all(case: int) -> None:
    draw = np.random.default_rng(case)
    window = int(draw.integers(3, 9))
    values = np.round(draw.normal(size=int(draw.integers(2 * window, 70))), 1)
    if case % 2:
        values[int(draw.integers(len(values)))] = np.nan
    if case % 3 == 0:
        values[2 : 4 + window] = 1.5
    if case % 4 == 0:
        values[1] = 1e9
    apart, places = matrix_profile(values, window, Control())
    np.testing.assert_allclose(apart, naive_profile(values, window), atol=1e-5)
    assert np.all((places >= 0) == np.isfinite(apart))


def test_a_long_matrix_profile_finds_the_motif_on_two_threads() -> None:
    values = np.random.default_rng(7).normal(size=3000)
    values[2000:2060] = values[500:560] * 3 + 10
    apart, places = matrix_profile(values, 60, Control())
    assert places[500] == 2000
    assert places[2000] == 500
    assert apart[500] < 1e-5
    made = run("MATRIX_PROFILE", batch(values), window=60)
    assert made.columns["nearest"][500] == 2000 * SECONDS
    assert np.ma.getmaskarray(made.columns["nearest"])[-59:].all()


def test_the_last_season_comes_again() -> None:
    values = np.tile([1.0, 2.0, 3.0], 5)
    method, (forecast, lower, upper) = foreseen(values, 3, 5, 0.9, "seasonal_naive", Control())
    assert method == "seasonal_naive"
    assert forecast.tolist() == [1, 2, 3, 1, 2]
    assert lower.tolist() == upper.tolist() == forecast.tolist()


def test_naive_intervals_widen_with_the_seasons() -> None:
    draw = np.random.default_rng(8).normal(size=4000)
    _, (_, lower, upper) = foreseen(draw, 4, 8, 0.95, "seasonal_naive", Control())
    widths = upper - lower
    assert widths[:4] == pytest.approx([2 * 1.96 * math.sqrt(2)] * 4, rel=0.05)
    assert (widths[4:] / widths[:4]).tolist() == pytest.approx([math.sqrt(2)] * 4)


def test_forecasts_go_on_in_steps_and_leave_out_what_is_too_short() -> None:
    made = run(
        "FORECAST",
        batch([1.0], [1.0, 2.0, math.nan, 4.0], [math.nan, 1.0]),
        horizon=2,
        method="seasonal_naive",
    )
    assert made.offsets.tolist() == [0, 0, 2, 2]
    assert made.time.tolist() == [4 * SECONDS, 5 * SECONDS]
    assert made.columns["forecast"].tolist() == [4.0, 4.0]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["holt_winters", "auto_arima", "auto"])
def test_models_foresee_a_season_on_a_trend(method: str) -> None:
    pytest.importorskip("statsmodels")
    hours = np.arange(24 * 20)
    values = (
        5 * np.sin(hours / 24 * 2 * np.pi)
        + hours * 0.01
        + np.random.default_rng(9).normal(size=len(hours)) * 0.2
    )
    used, (forecast, lower, upper) = foreseen(values, 24, 24, 0.95, method, Control())
    later = np.arange(len(hours), len(hours) + 24)
    expected = 5 * np.sin(later / 24 * 2 * np.pi) + later * 0.01
    assert used != "auto"
    assert np.abs(forecast - expected).mean() < 0.5
    assert np.mean((lower <= expected) & (expected <= upper)) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("case", range(40))
def test_change_points_are_those_of_ruptures(case: int) -> None:
    ruptures = pytest.importorskip("ruptures")
    draw = np.random.default_rng(case)
    rows, least = int(draw.integers(10, 300)), int(draw.integers(1, 5))
    values = draw.normal(size=rows) + np.repeat(draw.normal(size=6) * 3, -(-rows // 6))[:rows]
    noise = 1.482602218505602 * np.median(np.abs(np.diff(values))) / math.sqrt(2)
    search = ruptures.KernelCPD(kernel="linear", min_size=least).fit((values / noise).reshape(-1, 1))
    expected = search.predict(pen=2 * math.log(rows))[:-1]
    assert changes(values, 2.0, least, Control()).tolist() == [int(place) for place in expected]


@pytest.mark.slow
def test_matrix_profiles_are_those_of_stumpy() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stumpy = pytest.importorskip("stumpy")
        for rows, window in ((500, 20), (3000, 100), (800, 300)):
            values = np.cumsum(np.random.default_rng(rows).normal(size=rows))
            expected = stumpy.stump(values, m=window)
            apart, places = matrix_profile(values, window, Control())
            np.testing.assert_allclose(apart, expected[:, 0].astype(float), atol=1e-7)
            assert np.mean(places == expected[:, 1].astype(int)) > 0.99
