"""Shifts, running values, ranks and filled gaps against pandas."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import FLAT, any_twins, plain, same, twins
from thorough import drawn

from luma_bench.errors import SchemaError, UnsupportedError

QUICK = settings(deadline=None, max_examples=20)
EXACT = ("int", "finite", "decimal")


@given(twin=any_twins(kinds=FLAT), periods=st.integers(-3, 3))
@QUICK
def test_shift(twin: Any, periods: int) -> None:
    assert same(twin.frame.shift(periods), twin.pandas.shift(periods), missing="exact")


def test_shift_fills_with_a_value_where_there_is_no_row(frames: Any) -> None:
    df = frames(t={"x": [1, None, 3]})
    assert df.x.shift(fill_value=9).to_list() == [9, 1, None]
    assert df.shift([0, 1]).to_arrow().to_pydict() == {"x_0": [1, None, 3], "x_1": [None, 1, None]}
    with pytest.raises(SchemaError, match="fill_value='a' is of kind text"):
        df.x.shift(fill_value="a")
    with pytest.raises(SchemaError, match="is of kind real"):
        df.x.shift(fill_value=0.5)


@given(twin=twins(a="int", b="small", c="unsigned", d="finite", e="decimal"), periods=st.integers(-3, 3))
@QUICK
def test_diff(twin: Any, periods: int) -> None:
    assert same(twin.frame.diff(periods), twin.plain.astype("float64").diff(periods))


@given(twin=twins(a="timestamp", b="zoned", c="nanoseconds"))
@QUICK
def test_diff_of_times_is_a_span(twin: Any) -> None:
    theirs = twin.plain.diff().apply(lambda column: column.dt.floor("us"))
    ours = twin.frame.diff().to_arrow().to_pydict()
    for name in ("a", "b"):
        spans = [
            None if item is None else item.days * 86_400 * 10**9 + item.nanoseconds for item in ours[name]
        ]
        assert spans == [None if pd.isna(item) else item.as_unit("ns").value for item in theirs[name]]


def test_diff_refuses_text_and_says_which(frames: Any) -> None:
    df = frames(t={"x": ["a"]})
    with pytest.raises(SchemaError, match="diff needs numbers or times, and the column holds text"):
        df.diff()


@given(twin=twins(a="int", b="finite"), periods=st.integers(-2, 2).filter(bool))
@QUICK
def test_pct_change(twin: Any, periods: int) -> None:
    theirs = twin.arrow.to_pandas().astype("float64").pct_change(periods)
    assert same(twin.frame.pct_change(periods), theirs)


@given(twin=twins(a="int", b="small", c="finite", d="decimal"), skipna=st.booleans(), data=st.data())
@QUICK
def test_running(twin: Any, skipna: bool, data: st.DataObject) -> None:
    function = data.draw(st.sampled_from(["cumsum", "cummax", "cummin"]))
    theirs = twin.pandas.astype({"b": "int64[pyarrow]", "d": "double[pyarrow]"})
    ours = getattr(twin.frame, function)(skipna=skipna)
    assert same(ours, getattr(theirs, function)(skipna=skipna), missing="exact")


@given(twin=twins(a="int", b="finite"))
@QUICK
def test_running_products(twin: Any) -> None:
    assert same(twin.frame.cumprod(), twin.plain.astype("float64").cumprod())


@given(twin=twins(a="text", b="date", c="timestamp", d="zoned"))
@QUICK
def test_running_extremes_of_times_and_text(twin: Any) -> None:
    for function, pick in (("cummax", max), ("cummin", min)):
        ours = getattr(twin.frame, function)().to_arrow().to_pydict()
        for name, values in twin.arrow.to_pydict().items():
            best: list[Any] = []
            expected = []
            for value in values:
                best = best if value is None else [pick([*best, value])]
                expected.append(None if value is None else best[0])
            assert ours[name] == expected


def test_a_running_sum_keeps_nan_and_refuses_what_does_not_fit(frames: Any) -> None:
    df = frames(t={"x": pa.array([1.0, float("nan"), 2.0]), "b": [True, True, None]})
    assert str(df.x.cumsum().to_list()) == "[1.0, nan, nan]"
    assert df.b.cumsum().to_list() == [1, 2, None]
    wide = frames(u={"x": [2**62, 2**62, 2**62]})
    with pytest.raises(Exception, match=r"out of range|Conversion"):
        wide.x.cumsum().to_list()
    with pytest.raises(SchemaError, match="cumsum needs numbers"):
        frames(v={"x": ["a"]}).cumsum()
    assert frames(w={"x": ["a"], "y": [1]}).cumsum(numeric_only=True).columns == ["y"]


@given(
    twin=twins(a="int", b="finite", c="text", d="date"),
    method=st.sampled_from(["average", "min", "max", "first", "dense"]),
    na_option=st.sampled_from(["keep", "top", "bottom"]),
    ascending=st.booleans(),
    pct=st.booleans(),
)
@settings(deadline=None, max_examples=drawn(40))
def test_rank(twin: Any, method: Any, na_option: Any, ascending: bool, pct: bool) -> None:
    how = {"method": method, "na_option": na_option, "ascending": ascending, "pct": pct}
    assert same(twin.frame.rank(**how)[["a", "b"]], twin.plain[["a", "b"]].rank(**how))
    for name in ("c", "d"):
        values = twin.arrow.to_pydict()[name]
        places = {value: place for place, value in enumerate(sorted({v for v in values if v is not None}))}
        theirs = pd.Series([places.get(value) for value in values], dtype="float64").rank(**how)
        assert same(twin.frame[name].rank(**how), theirs, names=False)


@given(
    twin=any_twins(kinds=FLAT),
    limit=st.none() | st.integers(1, 3),
    area=st.sampled_from([None, "inside", "outside"]),
)
@settings(deadline=None, max_examples=30)
def test_filling_from_neighbours(twin: Any, limit: int | None, area: Any) -> None:
    objects = pd.DataFrame(
        {name: pd.Series(values, dtype="object") for name, values in twin.arrow.to_pydict().items()}
    )
    marks = pd.DataFrame(
        {name: [None if v is None else float(i) for i, v in enumerate(objects[name])] for name in objects},
        dtype="float64",
    )
    for function in ("ffill", "bfill"):
        places = getattr(marks, function)(limit=limit, limit_area=area)
        mine = getattr(twin.frame, function)(limit=limit, limit_area=area).to_arrow().to_pydict()
        for name, values in twin.frame.to_arrow().to_pydict().items():
            expected = [None if pd.isna(place) else values[int(place)] for place in places[name]]
            assert plain(mine[name]) == plain(expected)


@given(
    twin=twins(a="int", b="finite"),
    limit=st.none() | st.integers(1, 2),
    direction=st.sampled_from([None, "forward", "backward", "both"]),
    area=st.sampled_from([None, "inside", "outside"]),
)
@settings(deadline=None, max_examples=drawn(40))
def test_interpolate(twin: Any, limit: int | None, direction: Any, area: Any) -> None:
    how = {"limit": limit, "limit_direction": direction, "limit_area": area}
    assert same(twin.frame.interpolate(**how), twin.plain.astype("float64").interpolate(**how))


def test_interpolate_by_a_column(frames: Any) -> None:
    df = frames(
        t={
            "t": [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 5)],
            "x": [1, None, 9],
        }
    )
    assert df.interpolate(on="t").x.to_list() == [1.0, 3.0, 9.0]
    assert df.x.interpolate(on="t").to_list() == [1.0, 3.0, 9.0]
    with pytest.raises(UnsupportedError, match="method='spline'"):
        df.interpolate("spline")


def test_windows_go_by_the_frames_order_or_by_columns(frames: Any) -> None:
    df = frames(t={"k": [3, 1, 2], "x": [30, 10, 20]})
    assert df.sort_values("k").x.shift().to_list() == [None, 10, 20]
    assert df.x.shift(by="k").to_list() == [20, None, 10]
    assert df.assign(p=df.x.cumsum(by="k"))[["p"]].to_arrow().to_pydict() == {"p": [60, 10, 30]}
    grouped = df.groupby("k", sort=False).size()
    with pytest.raises(UnsupportedError, match="shift depends on the order of rows"):
        grouped.shift()
    assert grouped.shift(by="k").sort_values("k").k.to_list() == [1, 2, None]


def test_a_filter_may_read_a_window(frames: Any) -> None:
    df = frames(t={"x": [1, 5, 2, 7]})
    assert df[df.x.diff() > 0].x.to_list() == [5, 7]
    assert df[df.x.shift() == 5].x.cumsum().to_list() == [2]
    before = df.assign(p=df.x.shift())
    assert before[before.x > 1].p.to_list() == [1, 5, 2]
    assert "_rowid" in before.explain()
    assert before.sort_values("x").head(1).p.to_list() == [None]
    assert before.groupby("x").agg(p=("p", "max")).p.to_list() == [None, 5, 1, 2]


def test_many_steps_of_windows(frames: Any) -> None:
    df = frames(t={"x": [1, 2, 4, 8]})
    for number in range(5):
        df = df.assign(**{f"s{number}": df[df.columns[-1]].cumsum()})
    assert df.s4.to_list() == list(pd.Series([1, 2, 4, 8]).cumsum().cumsum().cumsum().cumsum().cumsum())
    assert df[df.s4 > 1].s0.shift().to_list() == [None, 3, 7]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda df: df.rank(method="best"), "method='best' is not known"),
        (lambda df: df.rank(na_option="x"), "na_option='x' is not known"),
        (lambda df: df.ffill(limit=0), "limit=0 fills nothing"),
        (lambda df: df.bfill(limit_area="left"), "limit_area='left' is not known"),
    ],
)
def test_unknown_arguments_are_refused(frames: Any, call: Any, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        call(frames(t={"x": [1]}))
