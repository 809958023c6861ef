"""pandas is the oracle: the same verbs on the same rows give the same answer, but where the manual says otherwise."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from duck_executor import DuckExecutor
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.frame import DataFrame

TEXT = st.sampled_from(["", "a", "b", "B", "it's", 'q"', "é", "日本", "a b"])
SCHEMA = pa.schema(
    [("k", pa.string()), ("i", pa.int64()), ("x", pa.float64()), ("d", pa.date32()), ("b", pa.bool_())]
)
ROW = st.tuples(
    st.none() | TEXT,
    st.none() | st.integers(-20, 20),
    st.none() | st.integers(-400, 400).map(lambda n: n / 8),
    st.none() | st.dates(dt.date(2023, 12, 20), dt.date(2024, 3, 10)),
    st.none() | st.booleans(),
)
ROWS = st.lists(ROW, max_size=12)
oracle = settings(deadline=None, max_examples=7)


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in SCHEMA]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def both(rows: list[tuple[Any, ...]]) -> tuple[DataFrame, pd.DataFrame]:
    table = table_of(rows)
    return DataFrame.scan(DuckExecutor({"t": table}), "t"), table.to_pandas(types_mapper=pd.ArrowDtype)


def plain(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float | int) and not isinstance(value, bool):
        return round(float(value), 9) + 0.0
    return value


def rows_of(frame: DataFrame | pd.DataFrame) -> list[tuple[Any, ...]]:
    if isinstance(frame, DataFrame):
        columns = [column.to_pylist() for column in frame.to_arrow().columns]
    else:
        columns = [frame[name].tolist() for name in frame.columns]
    return [
        tuple(plain(value) if not hasattr(value, "as_tuple") else plain(float(value)) for value in row)
        for row in zip(*columns, strict=True)
    ]


def bag(frame: DataFrame | pd.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(
        rows_of(frame), key=lambda row: tuple((value is None, str(type(value)), str(value)) for value in row)
    )


MASKS = {
    "greater": lambda df: df["i"] > 3,
    "not": lambda df: ~(df["i"] > 3),
    "and": lambda df: (df["i"] > -5) & (df["x"] <= 10.5),
    "or": lambda df: (df["i"] == 2) | df["b"],
    "text": lambda df: df["k"] == "it's",
    "unequal": lambda df: df["k"] != "a",
    "columns": lambda df: df["i"] < df["x"],
    "date": lambda df: df["d"] >= dt.date(2024, 1, 1),
    "isna": lambda df: df["x"].isna(),
    "notna": lambda df: df["k"].notna() & df["b"],
    "isin": lambda df: df["i"].isin([1, 2, 3, -4]),
    "isin nothing": lambda df: df["i"].isin([]),
    "isin null": lambda df: df["i"].isin([1, None]),
    "between": lambda df: df["i"].between(-3, 7),
    "between left": lambda df: df["x"].between(-3, 7.5, inclusive="left"),
    "contains": lambda df: df["k"].str.contains("[ab]"),
    "startswith": lambda df: df["k"].str.startswith("a"),
    "startswith several": lambda df: df["k"].str.startswith(("a", "it")),
    "fullmatch": lambda df: df["k"].str.fullmatch("a|b"),
}


@given(rows=ROWS, name=st.sampled_from(list(MASKS)))
@settings(deadline=None, max_examples=30)
def test_filter(name: str, rows: list[tuple[Any, ...]]) -> None:
    frame, expected = both(rows)
    mask = MASKS[name](expected).fillna(value=False).astype(bool)
    assert rows_of(frame[MASKS[name](frame)]) == rows_of(expected[mask])


@given(rows=ROWS)
@settings(deadline=None, max_examples=15)
def test_masks(rows: list[tuple[Any, ...]]) -> None:
    """Every condition as a column: NULLs are where pandas' nullable types have them, but for isin."""
    frame, expected = both(rows)
    made = frame.assign(**{name: mask(frame) for name, mask in MASKS.items()}).to_arrow()
    for name, mask in MASKS.items():
        wanted = mask(expected)
        if name == "isin":
            wanted = wanted.where(expected["i"].notna())
        assert [plain(value) for value in made[name].to_pylist()] == [
            plain(value) for value in wanted.tolist()
        ], name


VALUES = {
    "add": lambda df: df["i"] + 2,
    "sub reversed": lambda df: 2 - df["i"],
    "mul columns": lambda df: df["i"] * df["x"],
    "div": lambda df: df["x"] / 4,
    "neg": lambda df: -df["i"],
    "abs": lambda df: df["x"].abs(),
    "fillna": lambda df: df["i"].fillna(7),
    "clip": lambda df: df["i"].clip(-3, 5),
    "round": lambda df: (df["x"] / 10).round(1),
    "round half": lambda df: (df["x"]).round(),
    "where": lambda df: df["i"].where(df["i"] > 0, 0),
    "mask": lambda df: df["i"].mask((df["i"] > 0).fillna(value=False), -1),
    "lower": lambda df: df["k"].str.lower(),
    "upper": lambda df: df["k"].str.upper(),
    "len": lambda df: df["k"].str.len(),
    "strip": lambda df: (" \t" + df["k"] + "\n\u2003").str.strip(),
    "concat": lambda df: df["k"] + "!" + df["k"],
    "replace": lambda df: df["k"].str.replace("a", "x'y"),
    "replace regex": lambda df: df["k"].str.replace("[ab]", "<>", regex=True),
    "to int": lambda df: df["x"].astype("float64").fillna(0).astype("int64"),
    "to float": lambda df: df["i"].astype("float64"),
    "isna": lambda df: df["i"].isna(),
    "compare": lambda df: df["i"] >= df["x"],
}


@given(rows=ROWS)
@oracle
def test_values(rows: list[tuple[Any, ...]]) -> None:
    frame, expected = both(rows)
    made = frame.assign(**{name: value(frame) for name, value in VALUES.items()}).to_arrow()
    doubles = expected.assign(i=expected["i"].astype("Float64"), x=expected["x"].astype("Float64"))
    for name, value in VALUES.items():
        wanted = value(doubles if name in ("to int", "to float") else expected)
        got = [plain(item) for item in made[name].to_pylist()]
        assert got == [plain(item) for item in wanted.tolist()], name


PARTS = (
    "year",
    "month",
    "day",
    "quarter",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "second",
    "microsecond",
)


@given(
    moments=st.lists(st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)), max_size=6)
)
@oracle
def test_date_parts(moments: list[dt.datetime | None]) -> None:
    table = pa.table({"t": pa.array(moments, pa.timestamp("us"))})
    frame = DataFrame.scan(DuckExecutor({"t": table}), "t")
    made = frame.assign(**{part: getattr(frame.t.dt, part) for part in PARTS}).to_arrow()
    for part in PARTS:
        wanted = getattr(table.to_pandas()["t"].dt, part).tolist()
        assert [plain(value) for value in made[part].to_pylist()] == [plain(value) for value in wanted], part


AGGREGATES = ("count", "mean", "min", "max", "median", "nunique", "std", "var")


@given(rows=ROWS, keys=st.sampled_from([["k"], ["k", "b"], ["d"]]), dropna=st.booleans())
@settings(deadline=None, max_examples=20)
def test_groupby(keys: list[str], dropna: bool, rows: list[tuple[Any, ...]]) -> None:
    frame, expected = both(rows)
    made = frame.groupby(keys, dropna=dropna).agg(
        n=("i", "size"),
        **{f"{column}_{name}": (column, name) for column in ("i", "x") for name in AGGREGATES},
    )
    wide = expected.astype({"i": "Float64", "x": "Float64"})
    wanted = wide.groupby(keys, dropna=dropna, as_index=False).agg(
        n=("i", "size"),
        **{f"{column}_{name}": (column, name) for column in ("i", "x") for name in AGGREGATES},
    )
    assert made.columns == list(wanted.columns)
    assert bag(made) == bag(wanted)
    order = [row[: len(keys)] for row in rows_of(made)]
    assert order == sorted(
        order, key=lambda row: tuple((value is None, value or 0 if value is None else value) for value in row)
    )


@given(rows=ROWS)
@oracle
def test_sums(rows: list[tuple[Any, ...]]) -> None:
    """SQL's sum over no values is NULL; pandas with min_count=1 says the same."""
    frame, expected = both(rows)
    made = frame.groupby("k").agg(i=("i", "sum"), b=("b", "sum"))
    wanted = (
        expected.astype({"i": "Float64", "b": "Float64"})
        .groupby("k", as_index=False)[["i", "b"]]
        .sum(min_count=1)
    )
    assert rows_of(made) == rows_of(wanted)
    assert plain(frame.i.sum()) == plain(expected["i"].sum(min_count=1))


@given(
    left=ROWS, right=ROWS, how=st.sampled_from(["inner", "left", "right", "outer", "cross", "semi", "anti"])
)
@settings(deadline=None, max_examples=drawn(35))
def test_merge(how: str, left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> None:
    """pandas matches missing keys with each other and SQL does not: the oracle's keys are never missing."""
    left = [row for row in left if row[0] is not None]
    right = [row for row in right if row[0] is not None]
    executor = DuckExecutor({"l": table_of(left), "r": table_of(right)})
    a, b = DataFrame.scan(executor, "l"), DataFrame.scan(executor, "r")
    pa_left, pa_right = (both(rows)[1] for rows in (left, right))
    keys: dict[str, Any] = {} if how == "cross" else {"on": "k"}
    made = a.merge(b[["k", "i"]], how=how, **keys)
    if how in ("semi", "anti"):
        wanted = pa_left[pa_left["k"].isin(pa_right["k"]) == (how == "semi")]
    else:
        wanted = pa_left.merge(pa_right[["k", "i"]], how=how, **keys)
    assert made.columns == list(wanted.columns)
    assert bag(made) == bag(wanted)


@given(
    rows=ROWS,
    ascending=st.sampled_from([True, False, [True, False, True]]),
    na_position=st.sampled_from(["first", "last"]),
)
@settings(deadline=None, max_examples=20)
def test_sort(ascending: Any, na_position: Any, rows: list[tuple[Any, ...]]) -> None:
    frame, expected = both(rows)
    by = ["k", "i", "x"]
    made = frame.sort_values(by, ascending=ascending, na_position=na_position)
    wanted = expected.sort_values(by, ascending=ascending, na_position=na_position)
    if na_position == "last":
        assert [row[:3] for row in rows_of(made)] == [row[:3] for row in rows_of(wanted)]
    else:
        assert [row[0] for row in rows_of(made)] == [row[0] for row in rows_of(wanted)]


@given(rows=ROWS)
@oracle
def test_sets_and_counts(rows: list[tuple[Any, ...]]) -> None:
    frame, expected = both(rows)
    pair = ["k", "b"]
    assert bag(frame[pair].drop_duplicates()) == bag(expected[pair].drop_duplicates())
    assert bag(frame.k.value_counts()) == bag(expected["k"].value_counts().reset_index())
    assert bag(frame.dropna()) == bag(expected.dropna())
    assert bag(frame.dropna(subset=["i", "x"], how="all")) == bag(
        expected.dropna(subset=["i", "x"], how="all")
    )
    assert len(frame[frame.i > 0]) == int((expected["i"] > 0).sum())
    assert frame.i.nunique() == expected["i"].nunique()


OPERATIONS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b if not isinstance(b, int | float) or b else None,
    "%": lambda a, b: a % b if not isinstance(b, int | float) or b else None,
    "r-": lambda a, b: b - a,
}


@given(
    values=st.lists(st.none() | st.integers(-1000, 1000), min_size=1, max_size=8),
    steps=st.lists(
        st.tuples(st.sampled_from(list(OPERATIONS)), st.integers(-9, 9).filter(bool)), max_size=12
    ),
)
@settings(deadline=None, max_examples=50)
def test_whole_arithmetic_is_pythons(values: list[int | None], steps: list[tuple[str, int]]) -> None:
    frame = DataFrame.scan(DuckExecutor({"t": pa.table({"v": pa.array(values, pa.int64())})}), "t")
    series: Any = frame.v
    wanted: list[Any] = [None if value is None else value for value in values]
    for name, constant in steps:
        series = OPERATIONS[name](series, constant)
        wanted = [None if value is None else OPERATIONS[name](value, constant) for value in wanted]
    if any(value is not None and abs(value) >= 1 << 62 for value in wanted):
        return
    assert series.to_list() == wanted


FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False) | st.sampled_from(
    [0.0, -0.0, 0.1, 1.0, math.inf, -math.inf, math.nan]
)


@given(a=FLOATS, b=FLOATS)
@settings(deadline=None, max_examples=50)
def test_float_remainder_is_pythons(a: float, b: float) -> None:
    frame = DataFrame.scan(DuckExecutor({"t": pa.table({"a": [a], "b": [b]})}), "t")
    row = frame.assign(m=frame.a % frame.b, q=frame.a // frame.b).to_arrow().to_pylist()[0]
    if b == 0:
        assert row["m"] is None
        assert row["q"] is None
        return
    with np.errstate(all="ignore"):
        m, q = np.mod(a, b), np.floor_divide(a, b)
    assert row["m"] == m or (math.isnan(row["m"]) and math.isnan(m))
    if math.isinf(a):
        return  # NumPy says NaN, and so do we, but on some platforms inf
    assert row["q"] == q or (math.isnan(row["q"]) and math.isnan(q))
