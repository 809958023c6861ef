"""As-of merges against pandas: directions, ties, tolerances, groups, and what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import SchemaError, UnsupportedError

KEYS: dict[str, tuple[pa.DataType, Any, Any]] = {
    "int": (pa.int64(), st.integers(-6, 6), 2),
    "small": (pa.int16(), st.integers(-6, 6), 2),
    "float": (pa.float64(), st.integers(-12, 12).map(lambda n: n / 2), 1.5),
    "unsigned": (pa.uint64(), st.integers(0, 12), 2),
    "timestamp": (
        pa.timestamp("us"),
        st.integers(-6, 6).map(lambda n: dt.datetime(2024, 1, 1) + dt.timedelta(minutes=n)),
        "2min",
    ),
    "nanoseconds": (
        pa.timestamp("ns"),
        st.integers(-6, 6).map(lambda n: dt.datetime(2024, 1, 1) + dt.timedelta(microseconds=n)),
        dt.timedelta(microseconds=2),
    ),
    "zoned": (
        pa.timestamp("us", "UTC"),
        st.integers(-6, 6).map(lambda n: dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=n)),
        dt.timedelta(hours=2),
    ),
}
FAR = 2**62


@st.composite
def asked(draw: st.DrawFn) -> tuple[pa.Table, pa.Table, dict[str, Any]]:
    """Two frames sorted by `t`, with groups `g`, and how to merge them."""
    kind = draw(st.sampled_from(sorted(KEYS)))
    of, values, tolerance = KEYS[kind]
    left = sorted(draw(st.lists(values, max_size=8)))
    right = sorted(draw(st.lists(values, max_size=8)))
    groups = st.sampled_from(["a", "b"])
    one = pa.table(
        {
            "t": pa.array(left, of),
            "g": pa.array([draw(groups) for _ in left], pa.string()),
            "i": pa.array(range(len(left)), pa.int64()),
        }
    )
    two = pa.table(
        {
            "t": pa.array(right, of),
            "g": pa.array([draw(groups) for _ in right], pa.string()),
            "v": pa.array(range(100, 100 + len(right)), pa.int64()),
        }
    )
    how: dict[str, Any] = {
        "direction": draw(st.sampled_from(["backward", "forward", "nearest"])),
        "allow_exact_matches": draw(st.booleans()),
    }
    if draw(st.booleans()):
        how["tolerance"] = tolerance
    if draw(st.booleans()):
        how["by"] = "g"
    return one, two, how


@given(case=asked(), shuffled=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=drawn(75))
def test_it_is_pandas(case: tuple[pa.Table, pa.Table, dict[str, Any]], shuffled: Any) -> None:
    one, two, how = case
    places = list(range(one.num_rows))
    shuffled.shuffle(places)

    made = lb.merge_asof(one.take(pa.array(places, pa.int64())), two, on="t", **how).sort_values("i")

    expected = of_pandas(one, two, how)
    assert made.columns == list(expected.columns)
    assert made.v.to_list() == [None if pd.isna(value) else int(value) for value in expected["v"]]
    assert made.i.to_list() == list(expected["i"])


def of_pandas(one: pa.Table, two: pa.Table, how: dict[str, Any]) -> pd.DataFrame:
    given = dict(how)
    if isinstance(given.get("tolerance"), str | dt.timedelta):
        given["tolerance"] = pd.Timedelta(given["tolerance"])
    left, right = (frame.to_pandas().astype({"g": object}) for frame in (one, two))
    if left["t"].dtype == "int16":
        left, right = left.astype({"t": "int64"}), right.astype({"t": "int64"})
    return pd.merge_asof(left, right, on="t", **given)


def test_ties_take_the_last_before_and_the_first_after() -> None:
    left = lb.DataFrame({"t": [2]})
    right = lb.DataFrame({"t": [1, 3, 1, 3], "v": ["b1", "f1", "b2", "f2"]})
    assert lb.merge_asof(left, right, on="t").v.to_list() == ["b2"]
    assert lb.merge_asof(left, right, on="t", direction="forward").v.to_list() == ["f1"]
    # A sort is the order of rows.
    turned = right.sort_values("v", ascending=False)
    assert lb.merge_asof(left, turned, on="t").v.to_list() == ["b1"]
    kept = right.sort_values("t")
    assert lb.merge_asof(left, kept[kept.v != "b2"], on="t").v.to_list() == ["b1"]


def test_ties_of_many_rows_are_the_same_in_every_run() -> None:
    right = lb.DataFrame({"t": [n % 7 for n in range(20_000)], "v": range(20_000)})
    left = lb.DataFrame({"t": list(range(7))})
    made = lb.merge_asof(left, right, on="t").sort_values("t").v.to_list()
    assert made == [max(n for n in range(20_000) if n % 7 == k) for k in range(7)]


def test_a_missing_key_matches_nothing() -> None:
    made = lb.merge_asof({"t": [1, None]}, {"t": [None, 1], "v": [7, 8]}, on="t")
    assert sorted(made.to_dict("list")["v"], key=repr) == [8, None]


def test_dates_and_far_numbers() -> None:
    days = {"d": [dt.date(2024, 1, 5)]}
    prices = {"d": [dt.date(2024, 1, 1), dt.date(2024, 1, 4)], "p": [1, 4]}
    assert lb.merge_asof(days, prices, on="d", tolerance="1d").p.to_list() == [4]
    assert lb.merge_asof(days, prices, on="d", tolerance=dt.timedelta(hours=23)).p.to_list() == [None]
    far = lb.merge_asof({"t": [-FAR, FAR]}, {"t": [-FAR, FAR], "v": [1, 2]}, on="t").sort_values("t")
    assert far.v.to_list() == [1, 2]


def test_other_names_and_suffixes() -> None:
    left = lb.DataFrame({"at": [5], "who": ["a"], "v": [1]})
    right = lb.DataFrame({"time": [4], "whom": ["a"], "v": [2]})
    made = lb.merge_asof(left, right, left_on="at", right_on="time", left_by="who", right_by="whom")
    assert made.to_dict("records") == [
        {"at": 5, "who": "a", "v_x": 1, "time": 4, "whom": "a", "v_y": 2},
    ]
    expected = pd.merge_asof(
        left.to_pandas(), right.to_pandas(), left_on="at", right_on="time", left_by="who", right_by="whom"
    )
    assert made.columns == list(expected.columns)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"on": "t", "direction": "up"}, UnsupportedError, "direction='up'"),
        ({"on": "t", "tolerance": "1min"}, UnsupportedError, "no number"),
        ({"on": "t", "tolerance": -1}, UnsupportedError, "negative"),
        ({"on": "g"}, SchemaError, "no distances"),
        ({"on": "nope"}, SchemaError, "nope"),
        ({"left_on": "t"}, UnsupportedError, "one column of each"),
        ({"on": "t", "by": "g", "left_by": "g"}, UnsupportedError, "beside"),
        ({"left_on": "t", "right_on": "g"}, SchemaError, "kind"),
        ({"on": "t", "left_by": ["g"], "right_by": ["g", "t"]}, UnsupportedError, "differ in length"),
    ],
)
def test_refused(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        lb.merge_asof({"t": [1], "g": ["a"]}, {"t": [1], "g": ["a"]}, **arguments)
    assert said in str(caught.value)


def test_zones_do_not_meet_none() -> None:
    moment = dt.datetime(2024, 1, 1)
    with pytest.raises(SchemaError, match="time zone"):
        lb.merge_asof({"t": [moment]}, {"t": [moment.replace(tzinfo=dt.UTC)]}, on="t")
    with pytest.raises(UnsupportedError, match="has no unit"):
        lb.merge_asof({"t": [moment]}, {"t": [moment]}, on="t", tolerance=3)
