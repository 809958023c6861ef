"""The comparison that oracles rest on finds what is different, and lets pass what the manual says is the same."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from strategies import FLAT, KINDS, NUMBERS, Twin, any_twins, same, twins

from luma_bench.frame import DataFrame

EQUAL: dict[str, tuple[Any, Any]] = {
    "whole and float": ([1, 2], [1.0, 2.0]),
    "decimal and float": ([decimal.Decimal("1.50")], [1.5]),
    "nearly": ([0.1 + 0.2], [0.3]),
    "null and nan": ([None, 1.0], [math.nan, 1.0]),
    "null and nat": ([None], pd.Series([pd.NaT])),
    "zeros": ([-0.0], [0.0]),
    "date and midnight": ([dt.date(2024, 1, 2)], [pd.Timestamp("2024-01-02")]),
    "span": ([dt.timedelta(hours=25)], [pd.Timedelta(hours=25)]),
    "zones": (
        pa.array([dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)], pa.timestamp("us", "UTC")),
        [pd.Timestamp("2024-01-01 13:00", tz="Europe/Berlin")],
    ),
    "lists": ([[1, None]], pd.Series([[1.0, math.nan]])),
}
UNEQUAL: dict[str, tuple[Any, Any]] = {
    "value": ([1, 2], [1, 3]),
    "order": ([1, 2], [2, 1]),
    "rows": ([1], [1, 1]),
    "truth and number": ([True], [1]),
    "text and number": (["1"], [1]),
    "null and value": ([None, 1], [0, 1]),
    "big wholes": ([2**53], [2**53 + 1]),
    "zone and none": (
        pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)], pa.timestamp("us", "UTC")),
        [pd.Timestamp("2024-01-01")],
    ),
    "nanosecond": (pa.array([1], pa.timestamp("ns")), [pd.Timestamp(2, unit="ns")]),
    "infinities": ([math.inf], [-math.inf]),
    "not nearly": ([1.0], [1.000001]),
    "list": ([[1, 2]], pd.Series([[2, 1]])),
}


@pytest.mark.parametrize("name", EQUAL)
def test_what_is_the_same(name: str) -> None:
    ours, theirs = EQUAL[name]
    assert same(pa.table({"c": ours}), pd.DataFrame({"c": theirs}))


@pytest.mark.parametrize("name", UNEQUAL)
def test_what_is_not_the_same(name: str) -> None:
    ours, theirs = UNEQUAL[name]
    with pytest.raises(AssertionError):
        same(pa.table({"c": ours}), pd.DataFrame({"c": theirs}))


def test_a_bag_has_no_order_but_counts() -> None:
    ours = pa.table({"c": [2, 1, None, 1]})

    assert same(ours, pd.DataFrame({"c": [1, None, 1, 2]}), ordered=False)
    with pytest.raises(AssertionError):
        same(ours, pd.DataFrame({"c": [1, None, 2, 2]}), ordered=False)


def test_nan_is_a_value_when_asked_exactly() -> None:
    ours = pa.table({"c": [math.nan, None]})
    typed = ours.to_pandas(types_mapper=pd.ArrowDtype)

    assert same(ours, typed, missing="exact")
    with pytest.raises(AssertionError):
        same(ours, typed[::-1], missing="exact")
    assert same(ours, typed[::-1])


def test_the_index_comes_out_in_front() -> None:
    grouped = pd.DataFrame({"k": ["a", "b"], "x": [1, 2]}).groupby("k").sum()

    assert same(pa.table({"k": ["a", "b"], "x": [1, 2]}), grouped, index=True)
    with pytest.raises(AssertionError, match="columns"):
        same(pa.table({"k": ["a", "b"], "x": [1, 2]}), grouped)


def test_single_values() -> None:
    assert same(3, 3.0)
    assert same(None, math.nan)
    with pytest.raises(AssertionError):
        same(None, 0)


@given(twin=any_twins(tuple(KINDS)))
@settings(deadline=None, max_examples=40)
def test_the_three_have_the_same_rows(twin: Twin) -> None:
    assert same(twin.arrow, twin.pandas, missing="exact", tolerance=0)
    assert same(twin.arrow, twin.plain)
    assert same(twin.frame, twin.pandas, missing="exact", tolerance=0)


@given(twin=any_twins(FLAT, min_columns=2))
@settings(deadline=None, max_examples=30)
def test_verbs_over_any_columns(twin: Twin) -> None:
    """Odd names, types and values through the engine: columns turned round, made and left out."""
    names = twin.frame.columns
    last = names[-1]

    assert same(twin.frame[names[::-1]], twin.pandas[names[::-1]], missing="exact", tolerance=0)
    assert same(
        twin.frame[twin.frame[last].notna()],
        twin.pandas[twin.arrow[last].is_valid().to_numpy()],
        missing="exact",
    )
    made = twin.frame.assign(**{"a new one": twin.frame[last]}).drop(last)
    assert same(
        made, twin.pandas.assign(**{"a new one": twin.pandas[last]}).drop(columns=last), missing="exact"
    )


@given(twin=twins(k="text", n="int", x="finite", unique=("k", "n"), no_nulls=("k", "n")))
@settings(deadline=None, max_examples=20)
def test_unique_keys_make_an_order(twin: Twin) -> None:
    made = twin.frame.sort_values(["k", "n"], ascending=[False, True])
    assert same(made, twin.pandas.sort_values(["k", "n"], ascending=[False, True]), missing="exact")


@pytest.mark.parametrize("kind", NUMBERS)
def test_kinds_reach_the_frame(kind: str) -> None:
    of, _ = KINDS[kind]
    frame = Twin(pa.table({"c": pa.array([1, None], of)})).frame
    assert isinstance(frame, DataFrame)
    assert frame.dtypes["c"] == of
