"""Rows after rows against pandas: columns by name, kinds, keys, order, and what is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import same, twins

import luma_bench as lb
from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame import DataFrame


@st.composite
def parts(draw: st.DrawFn) -> list[pa.Table]:
    """One to four tables with some of the same columns."""
    kinds = {"k": "text", "x": "int", "f": "finite", "t": "timestamp", "select": "bool"}
    tables = []
    for _ in range(draw(st.integers(1, 4))):
        chosen = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, unique=True))
        tables.append(draw(twins({name: kinds[name] for name in ("k", *chosen)}, max_rows=4)).arrow)
    return tables


@given(tables=parts(), join=st.sampled_from(["outer", "inner"]), sort=st.booleans())
@settings(deadline=None, max_examples=30)
def test_it_is_pandas(tables: list[pa.Table], join: str, sort: bool) -> None:
    made = lb.concat(tables, join=join, sort=sort, ignore_index=True)

    frames = [table.to_pandas(types_mapper=pd.ArrowDtype) for table in tables]
    expected = pd.concat(frames, join=join, sort=sort, ignore_index=True)
    assert made.columns == list(expected.columns)
    assert made.to_arrow().to_pylist() == pa.Table.from_pandas(expected, preserve_index=False).to_pylist()


@given(tables=parts())
@settings(deadline=None, max_examples=10)
def test_the_order_of_parts_is_one_of_rows(tables: list[pa.Table]) -> None:
    made = lb.concat(tables)
    total = sum(table.num_rows for table in tables)
    whole = made.to_arrow().column("k").to_pylist()

    assert made.k.shift(1).to_list() == [None, *whole][:total]
    assert made.iloc[1:3].k.to_list() == whole[1:3]
    assert (
        made[made.k.notna()].k.shift(1).to_list()
        == [None, *(k for k in whole if k is not None)][: sum(k is not None for k in whole)]
    )


def test_a_sorted_part_has_no_place_among_others() -> None:
    one = lb.DataFrame({"x": [2, 1]})
    with pytest.raises(UnsupportedError, match="order"):
        lb.concat([one.sort_values("x"), one]).x.shift(1)


def test_a_union_of_unions() -> None:
    one = lb.DataFrame({"x": [1, 2]})
    twice = lb.concat([one, one])
    assert lb.concat([twice, {"x": [3]}, twice]).x.diff().to_list() == [None, 1, -1, 1, 1, -2, 1, -1, 1]


def test_keys_are_a_column() -> None:
    named = lb.concat({"a": {"x": [1]}, "b": {"x": [2, 3]}}, names=["part"])
    assert named.to_dict("list") == {"part": ["a", "b", "b"], "x": [1, 2, 3]}
    assert lb.concat([{"x": [1]}, {"x": [2]}], keys=[7, 8]).to_dict("list") == {"key": [7, 8], "x": [1, 2]}
    frame = pd.concat({"a": pd.DataFrame({"x": [1]}), "b": pd.DataFrame({"x": [2, 3]})}, names=["part"])
    same(named, frame.reset_index(level=1, drop=True).reset_index())


def test_all_series_make_a_series() -> None:
    frame = lb.DataFrame({"x": [1, 2], "y": [3, 4]})
    made = lb.concat([frame.x, frame.x[frame.x > 1]])
    assert isinstance(made, lb.Series)
    assert (made.name, made.to_list()) == ("x", [1, 2, 2])
    assert lb.concat([frame.x, frame.y]).to_list() == [1, 2, 3, 4]
    assert isinstance(lb.concat([frame.x, frame]), DataFrame)


def test_numbers_meet_numbers_and_nothing() -> None:
    assert lb.concat([{"x": [1]}, {"x": [2.5]}]).x.to_list() == [1.0, 2.5]
    assert lb.concat([{"x": [1]}, pa.table({"x": pa.nulls(1)})]).x.to_list() == [1, None]
    assert lb.concat([{"x": [1]}, None, {"x": [2]}]).x.to_list() == [1, 2]


def test_data_of_every_sort_stands_among_frames() -> None:
    import polars as pl

    made = lb.concat(
        [
            lb.DataFrame({"x": [1]}),
            {"x": [2]},
            pd.DataFrame({"x": [3]}),
            pl.DataFrame({"x": [4]}),
            pa.table({"x": [5]}),
        ]
    )
    assert made.x.to_list() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("objs", "arguments", "error", "said"),
    [
        ([{"x": [1]}, {"x": ["a"]}], {}, SchemaError, "'int' in part 0 and 'text' in part 1"),
        ([{"x": [True]}, {"x": [1]}], {}, SchemaError, "'bool'"),
        ([], {}, UnsupportedError, "no frames"),
        ({"x": [1]}, {}, SchemaError, "no names"),
        ("ab", {}, UnsupportedError, "takes a list"),
        ([{"x": [1]}], {"axis": 1}, UnsupportedError, "side by side"),
        ([{"x": [1]}], {"join": "left"}, UnsupportedError, "join='left'"),
        ([{"x": [1]}, {"y": [1]}], {"join": "inner"}, SchemaError, "no column in common"),
        ([{"x": [1]}], {"keys": ["a", "b"]}, UnsupportedError, "1 frames and 2 keys"),
        ([{"x": [1]}], {"keys": [("a", 1)]}, UnsupportedError, "several levels"),
        ([{"x": [1]}, {"X": [1]}], {}, SchemaError, "more than case"),
        ([{"x": [1]}], {"keys": ["a"], "names": ["x"]}, SchemaError, "more than case"),
        ([3], {}, UnsupportedError, "int is no table"),
    ],
)
def test_refused(objs: Any, arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        lb.concat(objs, **arguments)
    assert said in str(caught.value)
