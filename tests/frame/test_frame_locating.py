"""Rows by place and condition, columns by name and place: `loc`, `iloc`, `iat`, against pandas."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import any_twins, plain, same, twins

from luma_bench.errors import LumaError

quick = settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
ENDS = st.none() | st.integers(-14, 14)


@given(twin=any_twins(), start=ENDS, stop=ENDS, step=st.none() | st.integers(1, 3))
@quick
def test_slices_of_rows(twin: Any, start: int | None, stop: int | None, step: int | None) -> None:
    chosen = slice(start, stop, step)
    same(twin.frame.iloc[chosen], twin.pandas.iloc[chosen])
    same(twin.frame.iloc[chosen, 0], twin.pandas.iloc[chosen, 0])
    same(twin.frame[twin.frame.columns[0]].iloc[chosen], twin.pandas.iloc[chosen, 0])
    same(twin.frame[chosen], twin.pandas[chosen])


@given(twin=any_twins(), places=st.lists(st.integers(-3, 2), max_size=4))
@quick
def test_lists_of_rows(twin: Any, places: list[int]) -> None:
    rows = len(twin.pandas)
    if rows < 3:
        return
    same(twin.frame.iloc[places], twin.pandas.iloc[places])
    same(twin.frame.iloc[places, :1], twin.pandas.iloc[places, :1])


@given(twin=twins(a="int", b="text", c="finite"), place=st.integers(-13, 13))
@quick
def test_one_row(twin: Any, place: int) -> None:
    if not -len(twin.pandas) <= place < len(twin.pandas):
        with pytest.raises(LumaError, match="no row"):
            twin.frame.iloc[place]
        return
    row = twin.frame.iloc[place]
    expected = twin.pandas.iloc[place]
    assert {name: plain(value) for name, value in row.items()} == {
        name: plain(expected[name]) for name in row
    }
    assert plain(twin.frame.iat[place, 1]) == plain(expected["b"])
    assert plain(twin.frame.a.iat[place]) == plain(expected["a"])


@given(twin=twins(a="int", b="text", c="finite"))
@quick
def test_conditions_and_names(twin: Any) -> None:
    frame, other = twin.frame, twin.plain
    same(frame.loc[frame.a > 0], other.loc[other.a > 0])
    same(frame.loc[frame.a > 0, ["c", "a"]], other.loc[other.a > 0, ["c", "a"]])
    same(frame.loc[frame.a > 0, "b"], other.loc[other.a > 0, "b"])
    same(frame.loc[:, "a":"b"], other.loc[:, "a":"b"])
    same(frame.loc[:, [True, False, True]], other.loc[:, [True, False, True]])
    same(frame.loc[lambda f: f.c < 1], other.loc[lambda f: f.c < 1])
    same(frame.iloc[:, [2, 0]], other.iloc[:, [2, 0]])
    same(frame.b.loc[frame.a > 0], other.b.loc[other.a > 0])
    same(frame.query("a > 0 AND c < 1"), other.query("a > 0 and c < 1"))
    same(
        frame.assign(d=lambda f: f.a * 2).query("d > $low", {"low": 2}),
        other.assign(d=other.a * 2).query("d > 2"),
    )


def test_what_has_no_place_is_refused(frames: Any) -> None:
    frame = frames(t={"a": [1, 2], "b": ["x", "y"]})
    for key in ("x", 3, [0, 1], slice(0, 1)):
        with pytest.raises(LumaError, match=r"label|no index|condition"):
            frame.loc[key]
    with pytest.raises(LumaError, match="no column"):
        frame.iloc[:, 5]
    with pytest.raises(LumaError, match="no place"):
        frame.iloc["a"]
    with pytest.raises(LumaError, match="names no value"):
        frame.iat[0]
    with pytest.raises(LumaError, match="in place"):
        frame["a"] = 1
    assert pd.DataFrame(frame.iloc[0], index=[0]).shape == (1, 2)
