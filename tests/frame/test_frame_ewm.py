"""Exponentially weighted windows against pandas."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import same, twins
from thorough import drawn

from luma_bench.errors import SchemaError, UnsupportedError

FACTOR = st.sampled_from(
    [
        {"alpha": 0.3},
        {"alpha": 1.0},
        {"com": 0.0},
        {"com": 4},
        {"span": 3},
        {"halflife": 2.5},
        {"alpha": 1e-4},
    ]
)
FUNCTION = st.sampled_from(["mean", "std", "var", "sum"])


def close(ours: Any, theirs: pd.DataFrame, tolerance: float = 1e-7) -> bool:
    return same(ours, theirs.astype("float64"), tolerance=tolerance)


@given(
    twin=twins(a="int", b="finite"),
    factor=FACTOR,
    function=FUNCTION,
    adjust=st.booleans(),
    ignore_na=st.booleans(),
    least=st.integers(0, 3),
    bias=st.booleans(),
)
@settings(deadline=None, max_examples=drawn(25))
def test_against_pandas(
    twin: Any, factor: Any, function: str, adjust: bool, ignore_na: bool, least: int, bias: bool
) -> None:
    how = {**factor, "adjust": adjust or function == "sum", "ignore_na": ignore_na, "min_periods": least}
    more = {"bias": bias} if function in ("std", "var") else {}
    theirs = getattr(twin.plain.astype("float64").ewm(**how), function)(**more)
    ours = getattr(twin.frame.ewm(**how), function)(**more)
    assert close(ours, theirs, 1e-6 if function == "std" else 1e-7)


@pytest.mark.parametrize(
    "factor", [{"alpha": 0.9}, {"span": 5}, {"alpha": 0.01}, {"alpha": 0.999999}, {"halflife": 700}]
)
@pytest.mark.parametrize(
    "how", [{}, {"adjust": False}, {"ignore_na": True}, {"adjust": False, "ignore_na": True}]
)
def test_long_columns(frames: Any, factor: Any, how: Any) -> None:
    random = np.random.default_rng(3)
    values = random.normal(1e6, 1.0, 6000)
    values[random.random(6000) < 0.2] = math.nan
    values[1000:4000] = math.nan  # weights of what is before fall to nothing
    values[4500:4700] = 0.0
    df = frames(t={"x": pa.array(values, from_pandas=True)})
    theirs = pd.Series(values).ewm(**factor, **how)
    ours = df.x.ewm(**factor, **how)
    np.testing.assert_allclose(ours.mean().to_numpy().astype(float), theirs.mean(), rtol=1e-10, atol=1e-100)
    if factor == {"alpha": 0.999999}:
        return  # pandas' weights round to nothing
    mine, spread = ours.var().to_numpy().astype(float), theirs.var().to_numpy()
    # Where weights have all but fallen to zero, pandas has their rounding: at NULLs alone, where nothing is new.
    both = ~np.isnan(spread) & ~np.isnan(values)
    assert np.isnan(spread[np.isnan(mine)]).all()
    np.testing.assert_allclose(mine[both], spread[both], rtol=1e-5, atol=1e-3)


@given(
    days=st.lists(st.integers(0, 400), max_size=10).map(sorted),
    data=st.data(),
    halflife=st.sampled_from(["1D", "36h", dt.timedelta(days=50)]),
    ignore_na=st.booleans(),
)
@settings(deadline=None, max_examples=drawn(30))
def test_weights_by_time(days: list[int], data: Any, halflife: Any, ignore_na: bool) -> None:
    from duck_executor import DuckExecutor

    from luma_bench.frame import DataFrame

    values = data.draw(st.lists(st.none() | st.integers(-5, 5), min_size=len(days), max_size=len(days)))
    times = [dt.datetime(2024, 1, 1) + dt.timedelta(days=day) for day in days]
    arrow = pa.table({"t": pa.array(times, pa.timestamp("us")), "x": pa.array(values, pa.int64())})
    frame = DataFrame.scan(DuckExecutor({"t": arrow}), "t")
    plain = arrow.to_pandas().x.astype("float64")
    window = plain.ewm(halflife=halflife, times=arrow.to_pandas().t, ignore_na=ignore_na)
    ours = frame.x.ewm(halflife=halflife, times="t", ignore_na=ignore_na)
    assert same(ours.mean(), window.mean(), tolerance=1e-7)
    assert frame.ewm(halflife=halflife, times="t").mean().columns == ["t", "x"]


def test_nan_and_infinity_stay_in_all_results_after_them(frames: Any) -> None:
    df = frames(t={"x": pa.array([1.0, math.inf, None, 2.0, math.nan, 3.0])})
    assert str(df.x.ewm(span=3).mean().to_list()) == "[1.0, inf, inf, inf, nan, nan]"


def test_it_may_be_assigned_and_filtered(frames: Any) -> None:
    df = frames(t={"k": [1, 2, 3], "x": [1, 4, 9]})
    made = df.assign(smooth=df.x.ewm(alpha=0.5).mean())
    assert made.smooth.to_list() == pytest.approx(pd.Series([1, 4, 9]).ewm(alpha=0.5).mean().tolist())
    assert df[df.x > df.x.ewm(alpha=0.5).mean()].k.to_list() == [2, 3]
    assert df.x.ewm(alpha=0.5, by="x").sum().to_list() == pytest.approx([1.0, 4.5, 11.25])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "none of its factors"),
        ({"com": 1, "span": 2}, "com and span"),
        ({"span": 0.5}, "span=0.5 is out of range"),
        ({"alpha": 0}, "alpha=0 is out of range"),
        ({"com": -1}, "com=-1 is out of range"),
        ({"halflife": 0}, "halflife=0 is out of range"),
        ({"halflife": "1D"}, "is a span of time"),
        ({"halflife": 2, "times": "t"}, "weights fall by time"),
        ({"halflife": "1D", "times": "t", "adjust": False}, "adjust=True alone"),
    ],
)
def test_what_is_refused(frames: Any, how: Any, message: str) -> None:
    df = frames(t={"x": [1], "t": [dt.datetime(2024, 1, 1)], "k": ["a"]})
    with pytest.raises(UnsupportedError, match=message):
        df.x.ewm(**how)
    with pytest.raises(UnsupportedError, match="has no sum"):
        df.x.ewm(span=2, adjust=False).sum()
    with pytest.raises(SchemaError, match="mean needs numbers"):
        df[["k"]].ewm(span=2).mean()
