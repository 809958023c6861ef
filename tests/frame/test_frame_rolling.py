"""Rolling and expanding windows against pandas."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import same, twins

from luma_bench.errors import SchemaError, UnsupportedError

FUNCTIONS = (
    "sum", "mean", "min", "max", "count", "std", "var", "sem", "median", "skew", "kurt", "first", "last", "nunique"
)  # fmt: skip
CLOSED = st.sampled_from([None, "right", "left", "both", "neither"])


def close(ours: Any, theirs: pd.DataFrame) -> bool:
    return same(ours, theirs.astype("float64"), tolerance=1e-6)


@given(
    twin=twins(a="int", b="finite"),
    window=st.integers(0, 5),
    least=st.none() | st.integers(0, 3),
    center=st.booleans(),
    closed=CLOSED,
    function=st.sampled_from(FUNCTIONS),
)
@settings(deadline=None, max_examples=40)
def test_rolling_rows(
    twin: Any, window: int, least: int | None, center: bool, closed: Any, function: str
) -> None:
    least = None if least is None else min(least, window)
    how = {"min_periods": least, "center": center, "closed": closed}
    theirs = getattr(twin.plain.astype("float64").rolling(window, **how), function)()
    assert close(getattr(twin.frame.rolling(window, **how), function)(), theirs)


@given(twin=twins(a="int", b="finite"), least=st.integers(0, 3), function=st.sampled_from(FUNCTIONS))
@settings(deadline=None, max_examples=40)
def test_expanding(twin: Any, least: int, function: str) -> None:
    theirs = getattr(twin.plain.astype("float64").expanding(least), function)()
    assert close(getattr(twin.frame.expanding(least), function)(), theirs)


@given(
    twin=twins(a="int", b="finite"),
    window=st.integers(1, 4),
    function=st.sampled_from(["corr", "cov"]),
)
@settings(deadline=None, max_examples=30)
def test_rolling_pairs(twin: Any, window: int, function: str) -> None:
    plain = twin.plain.astype("float64")
    theirs = getattr(plain.a.rolling(window, min_periods=1), function)(plain.b)
    # pandas' sums leave rounding where a column is constant; there is no correlation to compare.
    spread = plain.where(plain.a.notna() & plain.b.notna()).rolling(window, min_periods=1).std()
    theirs = (
        theirs.mask((spread == 0).any(axis=1) | (theirs.abs() == math.inf)) if function == "corr" else theirs
    )
    frame = twin.frame
    ours = getattr(frame.a.rolling(window, min_periods=1), function)(frame.b).to_pandas()
    ours = ours.astype("float64").mask(theirs.isna()) if function == "corr" else ours
    assert same(pa.table({"a": pa.array(ours, from_pandas=True)}), theirs.rename("a"), tolerance=1e-5)


@given(twin=twins(a="int", b="finite"), window=st.integers(1, 4), q=st.sampled_from([0.0, 0.3, 0.5, 1.0]))
@settings(deadline=None, max_examples=20)
def test_rolling_quantiles(twin: Any, window: int, q: float) -> None:
    theirs = twin.plain.astype("float64").rolling(window, min_periods=1).quantile(q)
    assert close(twin.frame.rolling(window, min_periods=1).quantile(q), theirs)


@given(
    days=st.lists(st.integers(0, 30), max_size=10, unique=True).map(sorted),
    data=st.data(),
    kind=st.sampled_from(["timestamp[us]", "timestamp[ns]", "timestamp[us, tz=Europe/Berlin]", "date32"]),
    window=st.sampled_from(["1D", "3D", "36h", dt.timedelta(days=7)]),
    center=st.booleans(),
    closed=CLOSED,
    function=st.sampled_from(["sum", "mean", "min", "count", "std", "first", "last"]),
)
@settings(deadline=None, max_examples=25)
def test_rolling_time(
    days: list[int], data: st.DataObject, kind: str, window: Any, center: bool, closed: Any, function: str
) -> None:
    from duck_executor import DuckExecutor

    from luma_bench.frame import DataFrame

    type_ = (
        pa.date32()
        if kind == "date32"
        else pa.timestamp(kind[10:12], "Europe/Berlin" if "tz" in kind else None)
    )
    values = data.draw(st.lists(st.none() | st.integers(-5, 5), min_size=len(days), max_size=len(days)))
    moments = [dt.datetime(2024, 3, 20, tzinfo=dt.UTC) + dt.timedelta(days=day) for day in days]
    if kind == "date32":
        column = pa.array([moment.date() for moment in moments], type_)
    elif "tz" in kind:
        column = pa.array(moments, type_)
    else:
        column = pa.array([moment.replace(tzinfo=None) for moment in moments], type_)
    arrow = pa.table({"t": column, "x": pa.array(values, pa.int64())})
    how = {"center": center, "closed": closed}
    frame = DataFrame.scan(DuckExecutor({"t": arrow}), "t")
    plain = arrow.to_pandas().astype({"x": "float64"})
    plain["t"] = pd.to_datetime(plain["t"])
    theirs = getattr(plain.rolling(window, on="t", **how), function)()
    assert same(getattr(frame.rolling(window, on="t", **how), function)(), theirs, tolerance=1e-6)
    assert same(getattr(frame.x.rolling(window, on="t", **how), function)(), theirs.x, tolerance=1e-6)


def test_rows_of_one_moment_see_each_other_and_rows_without_one_have_nothing(frames: Any) -> None:
    day = dt.datetime(2024, 1, 1)
    df = frames(t={"t": [day, day, None, day + dt.timedelta(days=1)], "x": [1, 2, 4, 8]})
    assert df.x.rolling("1D", on="t").sum().to_list() == [3, 3, None, 8]
    assert df.x.rolling("2D", on="t").sum().to_list() == [3, 3, None, 11]


def test_nan_and_infinity_are_in_their_windows_alone(frames: Any) -> None:
    nan, inf = math.nan, math.inf
    df = frames(t={"x": pa.array([1.0, nan, 2.0, 3.0, inf, -inf, 4.0, 5.0])})
    assert str(df.x.rolling(2).sum().to_list()) == "[None, nan, nan, 5.0, inf, nan, -inf, 9.0]"
    assert str(df.x.rolling(2).std().to_list()[-1]) == "0.7071067811865476"
    assert str(df.x.rolling(2).max().to_list()) == "[None, nan, nan, 3.0, inf, inf, 4.0, 5.0]"


def test_float_sums_do_not_drift(frames: Any) -> None:
    values = [1e16, 1.0, -1e16, *([0.1] * 50)]
    df = frames(t={"x": values})
    assert df.x.rolling(3).sum().to_list()[-1] == pytest.approx(0.3, rel=1e-12)


def test_types_of_sums(frames: Any) -> None:
    df = frames(t={"i": pa.array([1, 2], pa.int8()), "b": [True, True]})
    made = df.rolling(2, min_periods=0).sum()
    assert made.to_arrow().to_pydict() == {"i": [1, 3], "b": [1, 2]}
    assert made.dtypes == {"i": pa.int64(), "b": pa.int64()}


def test_several_functions(frames: Any) -> None:
    df = frames(t={"x": [1, 2, 4], "y": [1.0, 1.0, 3.0], "k": ["a", "b", "c"]})
    both = df[["x", "y"]].rolling(2)
    assert both.agg("sum").columns == ["x", "y"]
    assert both.agg(["min", "max"]).columns == ["x_min", "x_max", "y_min", "y_max"]
    assert df.rolling(2).agg({"x": "sum", "y": ["mean"]}).columns == ["x", "y_mean"]
    assert df.x.rolling(2).agg(["min", "sum"]).to_arrow().to_pydict() == {
        "min": [None, 1, 2],
        "sum": [None, 3, 6],
    }
    assert df.rolling(2).mean(numeric_only=True).columns == ["x", "y"]
    assert df.assign(m=df.x.rolling(2).mean(), n=df.y.expanding().max()).to_arrow().to_pydict()["m"] == [
        None,
        1.5,
        3,
    ]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda df: df.rolling(2).mean(), SchemaError, "mean needs numbers, and the column holds text"),
        (lambda df: df.x.rolling("7D"), UnsupportedError, "needs a column of moments"),
        (lambda df: df.x.rolling("7D", on="x"), SchemaError, "on='x' holds int64, and not moments"),
        (lambda df: df.x.rolling("later", on="t"), UnsupportedError, "window='later' is no span of time"),
        (lambda df: df.x.rolling(2).apply(sum), UnsupportedError, r"apply\(sum\) would run Python"),
        (lambda df: df.x.rolling(2).corr(), UnsupportedError, "a matrix for every row"),
        (lambda df: df.x.rolling(2).agg("nope"), UnsupportedError, r"agg\('nope'\) is not known"),
        (lambda df: df.x.rolling(2).quantile(2), UnsupportedError, r"quantile\(2\) is no share"),
        (lambda df: df.x.rolling(2, min_periods=3), UnsupportedError, "min_periods=3 is more than"),
        (lambda df: df.x.rolling(-1), UnsupportedError, "A window of -1 rows"),
        (lambda df: df.x.rolling(2, closed="up"), UnsupportedError, "closed='up' is not known"),
    ],
)
def test_what_is_refused(frames: Any, call: Any, error: type[Exception], message: str) -> None:
    df = frames(t={"x": [1], "k": ["a"], "t": [dt.datetime(2024, 1, 1)]})
    with pytest.raises(error, match=message):
        call(df)
