"""Chains of five hundred operations and frames of two thousand columns: built, written, run, and right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from luma_bench.frame import DataFrame
from luma_bench.plan.rules import optimize

LONG, WIDE, ROWS = 500, 2_000, 40
SMALL = {"a": list(range(ROWS)), "b": [place % 7 for place in range(ROWS)], "s": [f"w{p % 5}" for p in range(ROWS)]}  # fmt: skip


def one_column(frame: Any) -> Any:
    for _ in range(LONG):
        frame = frame.assign(a=frame["a"] + 1)
    return frame


def many_columns(frame: Any) -> Any:
    for place in range(LONG):
        frame = frame.assign(**{f"x{place % 20}": frame["a"] + place})
    return frame


def each_upon_the_last(frame: Any) -> Any:
    frame = frame.assign(x=frame["a"])
    for place in range(LONG):
        frame = frame.assign(x=frame["x"] + frame["b"] * place)
    return frame


def conditions(frame: Any) -> Any:
    for place in range(LONG):
        frame = frame[frame["a"] != place * 3]
    return frame


def of_all_kinds(frame: Any) -> Any:
    for place in range(LONG // 5):
        frame = frame.assign(x=frame["a"] * 2 + place)
        frame = frame[frame["x"] > place - 1]
        frame = frame.sort_values(["x", "b"])
        frame = frame.rename(columns={"x": "y"})
        frame = frame.drop(columns="y")
    return frame


def first_rows(frame: Any) -> Any:
    for place in range(LONG):
        frame = frame.head(ROWS - place // 20)
    return frame


CHAINS = (one_column, many_columns, each_upon_the_last, conditions, of_all_kinds, first_rows)


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_of_five_hundred(frames: Any, chain: Callable[[Any], Any]) -> None:
    frame = chain(frames(t=pa.table(SMALL)))
    expected = chain(pd.DataFrame(SMALL))
    assert frame.columns == list(expected.columns)
    assert frame.dtypes["a"] == pa.int64()
    found = frame.sort_values("a").to_arrow().to_pandas()
    pd.testing.assert_frame_equal(found, expected.sort_values("a").reset_index(drop=True), check_dtype=False)
    assert "rules that fired" in frame.explain()


def test_a_chain_of_conditions_is_one_filter(frames: Any) -> None:
    frame = conditions(frames(t=pa.table(SMALL)))
    assert frame.kadeql.count("WHERE") == 1
    assert frame.kadeql.count("WITH") == 0


def test_a_hundred_groupings_and_joins(frames: Any) -> None:
    frame = frames(t=pa.table(SMALL))
    grouped = frame
    for _ in range(100):
        grouped = grouped.groupby(["a", "b"]).agg(n=("a", "count"))
    assert grouped.to_arrow().num_rows == ROWS
    most = frame.groupby("b").agg(m=("a", "max"))
    joined = frame
    for _ in range(60):
        joined = joined.merge(most, on="b").drop(columns="m")
    assert sorted(joined["a"].to_list()) == SMALL["a"]


def test_a_frame_of_itself_again_and_again(frames: Any) -> None:
    """What is shared is written once: twenty self-joins are twenty steps, not a million."""
    frame = frames(t=pa.table(SMALL)).groupby("b").agg(n=("a", "count"))
    for _ in range(20):
        frame = frame.merge(frame, on="b", suffixes=("", "_r"))[["b", "n"]]
    assert len(frame.kadeql) < 10_000
    assert sorted(frame["n"].to_list()) == [5, 5, 6, 6, 6, 6, 6]


@pytest.fixture
def wide(frames: Any) -> DataFrame:
    return frames(t=pa.table({f"c{place}": [1.0 * place, 2.0, None] for place in range(WIDE)}))


def test_every_column_changed(wide: DataFrame) -> None:
    frame = wide.assign(**{name: wide[name] * 2 for name in wide.columns})
    assert frame.columns == wide.columns
    assert frame["c7"].to_list() == [14.0, 4.0, None]
    assert frame.to_arrow().num_columns == WIDE


def test_as_many_columns_again(wide: DataFrame) -> None:
    frame = wide.assign(**{f"d{place}": wide[f"c{place}"] + 1 for place in range(WIDE)})
    assert len(frame.columns) == 2 * WIDE
    assert len(frame.schema) == 2 * WIDE
    assert frame[["c1999", "d1999"]].head(1).to_arrow().to_pylist() == [{"c1999": 1999.0, "d1999": 2000.0}]


def test_one_column_after_another(wide: DataFrame) -> None:
    frame = wide
    for place in range(100):
        frame = frame.assign(**{f"c{place}": frame[f"c{place}"] + 1})
    assert optimize(frame.plan).fired == ("merge_projections",)
    assert frame[["c0", "c99", "c100"]].head(1).to_arrow().to_pylist() == [
        {"c0": 1.0, "c99": 100.0, "c100": 100.0}
    ]


def test_all_renamed_grouped_and_joined(wide: DataFrame) -> None:
    frame = wide.rename(columns={name: f"r{name}" for name in wide.columns})
    assert frame[frame["rc1"] > 1].to_arrow().num_rows == 1
    sums = frame.groupby("rc0", dropna=False).agg(
        **{f"s{place}": (f"rc{place}", "sum") for place in range(1, 500)}
    )
    assert sums["s3"].to_list() == [3.0, 2.0, None]
    joined = frame.merge(frame, on="rc0", suffixes=("", "_y"))
    assert len(joined.columns) == 2 * WIDE - 1
    assert joined[["rc5", "rc5_y"]].to_arrow().to_pylist() == [
        {"rc5": 5.0, "rc5_y": 5.0},
        {"rc5": 2.0, "rc5_y": 2.0},
    ]
