"""Rows gathered by spans of time against pandas."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from duck_executor import DuckExecutor
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import same
from thorough import drawn

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame import DataFrame

SIDE = st.sampled_from([None, "left", "right"])
START = dt.datetime(2024, 1, 1)


@st.composite
def timed(draw: st.DrawFn, span: int, grid: int, zone: str | None = None, unit: str = "us") -> pa.Table:
    """Rows at multiples of `grid` seconds within `span` seconds of one of a few starts."""
    start = draw(
        st.sampled_from(
            [START, dt.datetime(2024, 3, 30, 22), dt.datetime(2023, 10, 28, 21), dt.datetime(1969, 12, 31)]
        )
    )
    steps = draw(st.lists(st.integers(0, span // grid), max_size=8))
    moments = [start + dt.timedelta(seconds=step * grid) for step in steps]
    if zone is not None:
        moments = [moment.replace(tzinfo=dt.UTC) for moment in moments]
    values = draw(st.lists(st.none() | st.integers(-5, 5), min_size=len(moments), max_size=len(moments)))
    return pa.table({"t": pa.array(moments, pa.timestamp(unit, zone)), "x": pa.array(values, pa.int64())})


@cache
def executor() -> DuckExecutor:
    """One for all examples: a connection each would take its memory with it."""
    return DuckExecutor({})


def scan(arrow: pa.Table) -> DataFrame:
    executor().store("t", arrow)
    return DataFrame.scan(executor(), "t")


def check(arrow: pa.Table, function: str, rule: str, **how: Any) -> None:
    frame = scan(arrow)
    plain = arrow.to_pandas().astype({"x": "float64"})
    theirs = getattr(plain.resample(rule, on="t", **how).x, function)()
    theirs = theirs.rename("size" if function == "size" else "x")
    ours = getattr(frame.resample(rule, on="t", **how), function)()
    assert same(ours, theirs, index=True)


FUNCTION = st.sampled_from(["sum", "mean", "count", "size", "first", "last", "min", "nunique", "prod", "std"])


@given(
    arrow=timed(3 * 86_400, 450),
    rule=st.sampled_from(["h", "15min", "6h", "7h", "1h30min", "D", "2D", "10h"]),
    function=FUNCTION,
    closed=SIDE,
    label=SIDE,
    origin=st.sampled_from(["start_day", "start", "epoch", "end", "end_day", "2024-01-01 00:07"]),
    offset=st.sampled_from([None, "5min"]),
)
@settings(deadline=None, max_examples=75)
def test_fixed_lengths(
    arrow: pa.Table, rule: str, function: str, closed: Any, label: Any, origin: str, offset: Any
) -> None:
    if origin in ("end", "end_day") and closed == "left":
        return  # pandas may put a span without rows first
    check(arrow, function, rule, closed=closed, label=label, origin=origin, offset=offset)


@given(
    arrow=timed(900 * 86_400, 43_200),
    rule=st.sampled_from(
        [
            "W",
            "W-WED",
            "2W",
            "ME",
            "MS",
            "2ME",
            "2MS",
            "QS",
            "QE",
            "QS-FEB",
            "QE-JAN",
            "2QS",
            "YS",
            "YE",
            "YS-APR",
            "YE-JUN",
            "2YE",
            "30D",
        ]
    ),
    function=FUNCTION,
    label=SIDE,
)
@settings(deadline=None, max_examples=drawn(75))
def test_the_calendar(arrow: pa.Table, rule: str, function: str, label: Any) -> None:
    check(arrow, function, rule, label=label)


@given(
    arrow=timed(5 * 86_400, 1_800, "Europe/Berlin"),
    rule=st.sampled_from(["h", "30min", "D", "2D", "6h", "W", "ME", "MS"]),
    function=FUNCTION,
)
@settings(deadline=None, max_examples=50)
def test_zones_and_changes_of_the_clock(arrow: pa.Table, rule: str, function: str) -> None:
    check(arrow, function, rule)


@given(arrow=timed(86_400, 450, unit="ns"), rule=st.sampled_from(["h", "D", "MS", "100us"]))
@settings(deadline=None, max_examples=10)
def test_nanoseconds(arrow: pa.Table, rule: str) -> None:
    if rule != "100us":
        check(arrow, "sum", rule, closed="right")


@given(
    arrow=timed(4 * 86_400, 43_200),
    rule=st.sampled_from(["6h", "D", "36h"]),
    function=st.sampled_from(["ffill", "bfill", "asfreq"]),
    closed=SIDE,
)
@settings(deadline=None, max_examples=40)
def test_values_at_labels(arrow: pa.Table, rule: str, function: str, closed: Any) -> None:
    plain = arrow.to_pandas().astype({"x": "float64"}).drop_duplicates("t").sort_values("t")
    arrow = pa.Table.from_pandas(plain, preserve_index=False)
    frame = scan(arrow)
    how = {"closed": closed, "label": closed}
    theirs = getattr(plain.set_index("t").resample(rule, **how), function)()
    assert same(getattr(frame.resample(rule, on="t", **how), function)(), theirs, index=True)


def test_several_functions_and_columns(frames: Any) -> None:
    days = [dt.datetime(2024, 1, day) for day in (3, 1, 1)]
    df = frames(t={"t": days, "x": [1, 2, 3], "k": ["a", "b", "c"]})
    by = df.resample("D", on="t")
    assert by["x"].ohlc().to_arrow().slice(0, 1).to_pylist() == [
        {"t": days[1], "open": 2, "high": 3, "low": 2, "close": 3}
    ]
    assert by.agg({"x": ["min", "sum"], "k": "first"}).to_arrow().slice(1).to_pydict() == {
        "t": [dt.datetime(2024, 1, 2), days[0]],
        "x_min": [None, 1],
        "x_sum": [0, 1],
        "k": [None, "a"],
    }
    assert by["x"].agg(["min", "max"]).columns == ["t", "min", "max"]
    assert by.agg(n=("k", "count")).n.to_list() == [2, 0, 1]
    assert by.mean(numeric_only=True).columns == ["t", "x"]
    assert by.sum(numeric_only=True, min_count=1).x.to_list() == [5, None, 1]
    assert by.size()["size"].to_list() == [2, 0, 1]
    assert df.x.resample("D", on="t").max().x.to_list() == [3, None, 1]
    assert (df.x * 2).resample("D", on="t").max().x.to_list() == [6, None, 2]
    assert df[df.x > 5].resample("D", on="t").size().to_arrow().num_rows == 0
    assert by.asfreq(fill_value=0)[["x"]].to_arrow().num_rows == 4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda df: df.resample("B", on="t"), UnsupportedError, "working days"),
        (lambda df: df.resample("soon", on="t"), UnsupportedError, r"resample\('soon'\) is not known"),
        (lambda df: df.resample("D", on="x"), SchemaError, "on='x' holds int64"),
        (lambda df: df.resample("D", on="y"), SchemaError, "no column"),
        (lambda df: df.resample("D", closed="both", on="t"), UnsupportedError, "closed='both'"),
        (lambda df: df.resample("D", on="t", origin="later"), UnsupportedError, "origin='later'"),
        (lambda df: df.resample("D", on="t").mean(), SchemaError, "mean needs numbers"),
        (lambda df: df.resample("D", on="t").apply(sum), UnsupportedError, "would run Python"),
        (lambda df: df.resample("D", on="t").agg(t=("x", "sum")), SchemaError, "labels are called 't'"),
        (
            lambda df: df.resample("D", label="right", on="t").ffill(),
            UnsupportedError,
            "Values at the labels",
        ),
    ],
)
def test_what_is_refused(frames: Any, call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(frames(t={"t": [START], "x": [1], "k": ["a"]}))


def test_pandas_dates_are_labels_too(frames: Any) -> None:
    df = frames(t={"t": [dt.date(2024, 1, 31), dt.date(2024, 3, 1)], "x": [1, 2]})
    theirs = pd.DataFrame({"t": pd.to_datetime(["2024-01-31", "2024-03-01"]), "x": [1, 2]})
    assert same(df.resample("ME", on="t").sum(), theirs.resample("ME", on="t").sum(), index=True)
