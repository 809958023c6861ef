"""Merges against pandas: hows, keys, suffixes, indicator, validate, and what is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from duck_executor import DuckExecutor
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import twins
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import ConstraintError, SchemaError, UnsupportedError
from luma_bench.frame import DataFrame

HOWS = ("inner", "left", "right", "outer")
KIND = st.sampled_from(["int", "text", "date", "timestamp", "zoned", "decimal", "bool"])


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def pandas_rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return rows(pa.Table.from_pandas(frame, preserve_index=False))


def both(left: Any, right: Any) -> tuple[DataFrame, DataFrame]:
    executor = DuckExecutor({"l": left.arrow, "r": right.arrow})
    return DataFrame.scan(executor, "l"), DataFrame.scan(executor, "r")


@st.composite
def pairs(draw: st.DrawFn, nulls: bool = False) -> tuple[Any, Any]:
    """Two frames with a key of one kind, drawn from few values, and a column that both have."""
    kind = draw(KIND)
    keep = () if nulls else ("k",)
    left = draw(twins({"k": kind, "v": "int", "a": "text"}, no_nulls=keep, distinct=3, max_rows=8))
    right = draw(twins({"k": kind, "v": "int", "b": "finite"}, no_nulls=keep, distinct=3, max_rows=8))
    return left, right


@given(pair=pairs(), how=st.sampled_from(HOWS), indicator=st.booleans())
@settings(deadline=None, max_examples=30)
def test_hows_are_pandas(pair: tuple[Any, Any], how: str, indicator: bool) -> None:
    left, right = pair
    one, two = both(left, right)

    made = one.merge(two, how=how, on="k", indicator=indicator)

    expected = left.pandas.merge(right.pandas, how=how, on="k", indicator=indicator)
    assert made.columns == list(expected.columns)
    if indicator:
        expected["_merge"] = expected["_merge"].astype(str)
    assert rows(made.to_arrow()) == pandas_rows(expected)


@given(pair=pairs(nulls=True))
@settings(deadline=None, max_examples=20)
def test_null_keys_match_nothing(pair: tuple[Any, Any]) -> None:
    left, right = pair
    one, two = both(left, right)

    inner = one.merge(two, on="k").to_arrow()
    semi = one.merge(two, how="semi", on="k")
    anti = one.merge(two, how="anti", on="k")

    known = [value for value in right.arrow.column("k").to_pylist() if value is not None]
    hits = [value is not None and value in known for value in left.arrow.column("k").to_pylist()]
    assert inner.column("k").null_count == 0
    assert len(semi) == sum(hits)
    assert len(anti) == len(hits) - sum(hits)
    assert semi.columns == one.columns


@given(pair=pairs(), how=st.sampled_from(HOWS))
@settings(deadline=None, max_examples=15)
def test_keys_of_other_names(pair: tuple[Any, Any], how: str) -> None:
    left, right = pair
    right_frame = right.arrow.rename_columns(["key", "v", "b"])
    executor = DuckExecutor({"l": left.arrow, "r": right_frame})
    one, two = DataFrame.scan(executor, "l"), DataFrame.scan(executor, "r")

    made = one.merge(two, how=how, left_on="k", right_on="key", suffixes=("", "_r"))

    right_pandas = right_frame.to_pandas(types_mapper=pd.ArrowDtype)
    expected = left.pandas.merge(right_pandas, how=how, left_on="k", right_on="key", suffixes=("", "_r"))
    assert made.columns == list(expected.columns)
    assert rows(made.to_arrow()) == pandas_rows(expected)


@given(pair=pairs())
@settings(deadline=None, max_examples=10)
def test_cross(pair: tuple[Any, Any]) -> None:
    left, right = pair
    one, two = both(left, right)
    made = one.merge(two, how="cross")
    expected = left.pandas.merge(right.pandas, how="cross")
    assert made.columns == list(expected.columns)
    assert rows(made.to_arrow()) == pandas_rows(expected)


@given(pair=pairs(), validate=st.sampled_from(["1:1", "1:m", "m:1", "m:m", "one_to_one", "many_to_one"]))
@settings(deadline=None, max_examples=drawn(30))
def test_validate_is_pandas(pair: tuple[Any, Any], validate: str) -> None:
    left, right = pair
    one, two = both(left, right)
    try:
        left.pandas.merge(right.pandas, on="k", validate=validate)
        wrong = False
    except pd.errors.MergeError:
        wrong = True

    if wrong:
        with pytest.raises(ConstraintError, match="not unique"):
            one.merge(two, on="k", validate=validate)
    else:
        one.merge(two, on="k", validate=validate)


def test_sort_puts_rows_in_the_order_of_keys() -> None:
    left, right = lb.DataFrame({"k": [3, 1, None, 2]}), lb.DataFrame({"j": [2, 3, 1], "x": ["b", "c", "a"]})
    made = left.merge(right, "inner", left_on="k", right_on="j", sort=True)
    assert made.x.to_list() == ["a", "b", "c"]
    outer = lb.DataFrame({"k": [3, 1]}).merge({"k": [2, 1]}, "outer", sort=True)
    assert outer.k.to_list() == [1, 2, 3]


def test_a_series_stands_on_the_right() -> None:
    names = lb.DataFrame({"k": ["a", "b"], "x": [1, 2]})
    assert lb.DataFrame({"k": ["b", "c"]}).merge(names.k).k.to_list() == ["b"]


def test_numbers_meet_numbers() -> None:
    made = lb.DataFrame({"k": [1, 2]}).merge({"k": [2.0, 2.5], "x": ["a", "b"]}, on="k")
    assert made.to_dict("list") == {"k": [2], "x": ["a"]}


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"on": "x"}, SchemaError, "kind 'int' on the left and 'x' of kind 'text'"),
        ({"left_index": True, "right_on": "k"}, UnsupportedError, "no index"),
        ({"how": "full", "on": "k"}, UnsupportedError, "Did you mean 'outer'"),
        ({"on": "k", "suffixes": (None, None)}, UnsupportedError, "no suffix tells them apart"),
        ({"on": "k", "suffixes": ("", "")}, UnsupportedError, "no suffix tells them apart"),
        ({"on": "k", "validate": "1:2"}, UnsupportedError, "validate='1:2'"),
        ({"on": "k", "how": "semi", "indicator": True}, UnsupportedError, "where rows are from"),
        ({"on": "k", "indicator": "x_x"}, SchemaError, "'x_x' already"),
        ({"on": "nope"}, SchemaError, "nope"),
        ({"on": "k", "how": "cross"}, UnsupportedError, "takes no keys"),
        ({"on": "k", "left_on": "k", "right_on": "k"}, UnsupportedError, "beside"),
        ({"left_on": "k"}, UnsupportedError, "Give both"),
    ],
)
def test_refused(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    left, right = lb.DataFrame({"k": [1], "x": [1]}), lb.DataFrame({"k": [1], "x": ["a"]})
    with pytest.raises(error) as caught:
        left.merge(right, **arguments)
    assert said in str(caught.value)


def test_suffixes_that_make_one_name_of_two() -> None:
    left, right = lb.DataFrame({"k": [1], "x": [1], "x_y": [2]}), lb.DataFrame({"k": [1], "x": [3]})
    with pytest.raises(SchemaError, match="x_y"):
        left.merge(right, on="k")


def test_join_names_its_columns() -> None:
    left = lb.DataFrame({"k": [1, 2], "v": [10, 20]})
    right, third = lb.DataFrame({"k": [2], "v": ["b"]}), lb.DataFrame({"k": [1], "w": ["c"]})
    made = left.join([right, third], on="k", lsuffix="_l", rsuffix="_r").sort_values("k")
    assert made.to_dict("list") == {"k": [1, 2], "v_l": [10, 20], "v_r": [None, "b"], "w": ["c", None]}
    with pytest.raises(UnsupportedError, match="no index"):
        left.join(right)
    with pytest.raises(UnsupportedError, match="lsuffix"):
        left.join(right, on="k")


def test_lb_merge_takes_data_on_both_sides() -> None:
    made = lb.merge(pd.DataFrame({"k": [1, 2]}), pa.table({"k": [2], "x": ["a"]}), on="k", how="left")
    assert made.sort_values("k").x.to_list() == [None, "a"]


def test_odd_names() -> None:
    odd = {"select": [1], 'a "b"': ["x"], "ü": [1.5]}
    made = lb.DataFrame(odd).merge(odd, on=["select", "ü"], suffixes=(" l", " r"))
    assert made.to_dict("records") == [{"select": 1, 'a "b" l': "x", "ü": 1.5, 'a "b" r': "x"}]
