"""Windows and spans of time inside groups, against pandas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Twin, same, twins
from thorough import drawn

oracle = settings(deadline=None, max_examples=15)

MOVING: dict[str, Callable[[Any], Any]] = {
    "sum": lambda g: g.rolling(2).sum(),
    "mean of one": lambda g: g.rolling(3, min_periods=1).mean(),
    "max in the middle": lambda g: g.rolling(3, min_periods=1, center=True).max(),
    "count": lambda g: g.rolling(2, min_periods=0).count(),
    "expanding": lambda g: g.expanding().mean(),
    "expanding two": lambda g: g.expanding(2).min(),
    "falling": lambda g: g.ewm(alpha=0.5).mean(),
    "falling span": lambda g: g.ewm(span=3, adjust=False).mean(),
}


@given(twin=twins(k="text", x="finite", i="int", min_rows=1), name=st.sampled_from(sorted(MOVING)))
@settings(deadline=None, max_examples=drawn(25))
def test_windows_of_a_column_stand_beside_their_rows(twin: Twin, name: str) -> None:
    move = MOVING[name]
    plain = twin.plain
    if not plain["k"].notna().any():
        return
    plain["x"] = plain["x"].astype("float64")
    theirs = move(plain.groupby("k")["x"]).reset_index(level=0, drop=True).reindex(plain.index)
    same(move(twin.frame.groupby("k")["x"]), theirs, names=False)
    same(twin.frame.groupby("k")["x"].transform(move), theirs, names=False)
    made = move(twin.frame.groupby("k")[["x"]])
    assert made.columns == ["k", "x"]
    same(made, theirs[plain["k"].notna()].to_frame().assign(k=plain["k"])[["k", "x"]])


@given(twin=twins(k="text", t="timestamp", x="finite", min_rows=1, no_nulls=("k", "t"), unique=("k", "t")))
@oracle
def test_windows_of_time(twin: Twin) -> None:
    plain = twin.plain.sort_values(["k", "t"]).assign(x=lambda frame: frame["x"].astype("float64"))
    theirs = plain.groupby("k").rolling("900D", on="t")["x"].sum().reset_index()
    ours = twin.frame.groupby("k")[["x"]].rolling("900D", on="t").sum()
    assert ours.columns == ["k", "t", "x"]
    same(ours.sort_values(["k", "t"]), theirs)


RULES = st.sampled_from(["YS", "YE", "QS", "200D", "5W"])


@given(
    twin=twins(k="text", t="timestamp", x="finite", min_rows=1, no_nulls=("k", "t"), unique=("k", "t")),
    rule=RULES,
    name=st.sampled_from(["sum", "mean", "count", "first", "max"]),
)
@oracle
def test_spans_without_gaps_in_each_group(twin: Twin, rule: str, name: str) -> None:
    plain = twin.plain.sort_values(["k", "t"], ignore_index=True)
    plain["x"] = plain["x"].astype("float64")
    theirs = getattr(plain.groupby("k").resample(rule, on="t")["x"], name)().reset_index()
    same(getattr(twin.frame.groupby("k")["x"].resample(rule, on="t"), name)(), theirs, names=False)


@given(
    twin=twins(k="text", t="timestamp", x="finite", min_rows=1, no_nulls=("t",)),
    rule=RULES,
)
@oracle
def test_spans_of_time_as_keys(twin: Twin, rule: str) -> None:
    plain = twin.plain.assign(x=twin.plain["x"].astype("float64"))
    if not plain["k"].notna().any():
        return
    by = ["k", pd.Grouper(key="t", freq=rule)]
    same(
        twin.frame.groupby(by).sum(min_count=1),
        plain.groupby(by).sum(min_count=1),
        index=True,
    )


def log() -> Twin:
    days = pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-02", "2024-01-05", None])
    return Twin(pa.table({"who": ["a", "a", "b", "b", "a"], "t": days, "x": [1, 2, 3, 4, 5]}))


def test_values_at_labels_stay_in_their_group() -> None:
    ours = log().frame.groupby("who")["x"].resample("D", on="t")
    assert ours.ffill().to_arrow().to_pydict()["x"] == [1, 1, 2, 3, 3, 3, 4]
    assert ours.bfill().to_arrow().to_pydict()["x"] == [1, 2, 2, 3, 4, 4, 4]
    assert ours.asfreq().to_arrow().to_pydict()["x"] == [1, None, 2, 3, None, None, 4]
    assert ours.asfreq(0).to_arrow().to_pydict()["x"] == [1, 0, 2, 3, 0, 0, 4]
    assert ours.size().columns == ["who", "t", "size"]
    assert ours.agg(["min", "max"]).columns == ["who", "t", "min", "max"]


def test_several_windows_at_once() -> None:
    groups = log().frame.groupby("who")
    made = groups[["x"]].rolling(2, min_periods=1).agg({"x": ["sum", "max"]})
    assert made.columns == ["who", "x_sum", "x_max"]
    assert made.to_arrow().to_pydict()["x_sum"] == [1, 3, 3, 7, 7]
    assert groups.x.rolling(2, min_periods=1, by="x").sum().to_list() == [1, 3, 3, 7, 7]


def test_a_window_of_all_rows_is_none_of_a_group() -> None:
    frame = log().frame
    with pytest.raises(Exception, match="beyond the group"):
        frame.groupby("who").x.transform(lambda s: s - frame.x.rolling(2).mean())


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda g: g.resample("B", on="t").sum(), "not known"),
        (lambda g: g.resample("D", on="x").sum(), "moments|times"),
        (lambda g: g.rolling("7D").sum(), "on="),
        (lambda g: g.x.resample("D", on="t").interpolate(), "ffill"),
    ],
)
def test_what_is_refused(act: Callable[[Any], object], words: str) -> None:
    with pytest.raises(Exception, match=words):
        act(log().frame.groupby("who"))


def test_resample_needs_keys_that_are_there() -> None:
    frame = log().frame
    with pytest.raises(Exception, match="fillna"):
        frame.groupby("who", dropna=False).resample("D", on="t")
    with pytest.raises(Exception, match="name of its own"):
        frame.groupby(frame.t.dt.year).resample("D", on="t")
    with pytest.raises(Exception, match="Grouper without key"):
        frame.groupby(pd.Grouper(freq="D"))
