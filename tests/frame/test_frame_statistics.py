"""Reductions of Series and frames, and tables of statistics, against pandas: NULL, NaN, infinity, no rows, one row."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import FLAT, any_twins, same, twins

Do = Callable[[Any], Any]

SCALARS: list[tuple[str, Do]] = [
    ("sum", lambda s: s.sum(min_count=1)),
    ("sum of none", lambda s: s.sum(min_count=0)),
    ("sum of three", lambda s: s.sum(min_count=3)),
    ("sum with nulls", lambda s: s.sum(skipna=False, min_count=1)),
    ("mean", lambda s: s.mean()),
    ("mean with nulls", lambda s: s.mean(skipna=False)),
    ("median", lambda s: s.median()),
    ("min", lambda s: s.min()),
    ("max", lambda s: s.max()),
    ("max with nulls", lambda s: s.max(skipna=False)),
    ("std", lambda s: s.std()),
    ("std of all", lambda s: s.std(ddof=0)),
    ("var", lambda s: s.var()),
    ("var 2", lambda s: s.var(ddof=2)),
    ("sem", lambda s: s.sem()),
    ("skew", lambda s: s.skew()),
    ("kurt", lambda s: s.kurt()),
    ("count", lambda s: s.count()),
    ("nunique", lambda s: s.nunique()),
    ("nunique with nulls", lambda s: s.nunique(dropna=False)),
    ("quantile", lambda s: s.quantile(0.3)),
    ("quantile lower", lambda s: s.quantile(0.3, interpolation="lower")),
    ("quantile higher", lambda s: s.quantile(0.3, interpolation="higher")),
    ("quantile nearest", lambda s: s.quantile(0.3, interpolation="nearest")),
    ("quantile midpoint", lambda s: s.quantile(0.3, interpolation="midpoint")),
    ("is_unique", lambda s: s.is_unique),
    ("hasnans", lambda s: s.hasnans),
    ("autocorr", lambda s: s.autocorr()),
]


@pytest.mark.parametrize(("name", "do"), SCALARS, ids=[name for name, _ in SCALARS])
@pytest.mark.parametrize("kind", ["int", "finite", "decimal", "small"])
@given(data=st.data())
@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
def test_one_value(kind: str, name: str, do: Do, data: st.DataObject) -> None:
    twin = data.draw(twins(x=kind))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = do(twin.plain["x"].astype("float64"))
    same(do(twin.frame["x"]), expected, tolerance=1e-7)


FRAMES: list[tuple[str, Do]] = [
    ("sum", lambda f: f.sum(min_count=1)),
    ("sum of none", lambda f: f.sum(min_count=0)),
    ("mean", lambda f: f.mean()),
    ("median", lambda f: f.median()),
    ("min", lambda f: f.min()),
    ("max", lambda f: f.max()),
    ("std", lambda f: f.std()),
    ("var", lambda f: f.var(ddof=0)),
    ("sem", lambda f: f.sem()),
    ("skew", lambda f: f.skew()),
    ("kurt", lambda f: f.kurt()),
    ("prod", lambda f: f.prod(min_count=1)),
    ("count", lambda f: f.count()),
    ("nunique", lambda f: f.nunique()),
    ("quantile", lambda f: f.quantile(0.7)),
    ("quantiles", lambda f: f.quantile([0.1, 0.5])),
    ("quantile nearest", lambda f: f.quantile(0.7, interpolation="nearest")),
    ("agg", lambda f: f.agg("max")),
    ("agg list", lambda f: f.agg(["min", "max", "count"])),
    ("agg dict", lambda f: f.agg({f.columns[0]: "max"})),
    ("corr", lambda f: f.corr()),
    ("spearman", lambda f: f.corr(method="spearman")),
    ("corr of three", lambda f: f.corr(min_periods=3)),
    ("cov", lambda f: f.cov()),
    ("agg function", lambda f: f.agg(lambda s: s.count() + 1)),
    ("describe", lambda f: f.describe()),
    ("isna", lambda f: f.isna().sum(min_count=0)),
    ("mode", lambda f: f.mode()),
]


def close(ours: Any, theirs: Any) -> None:
    """The same pandas object, up to the type of numbers and which missing value it is."""
    assert type(ours) is type(theirs)
    assert list(ours.index) == list(theirs.index), f"{ours}\n{theirs}"
    if isinstance(theirs, pd.DataFrame):
        assert list(ours.columns) == list(theirs.columns), f"{ours}\n{theirs}"
        for name in theirs.columns:
            close(ours[name], theirs[name])
        return
    same(list(ours), list(theirs), tolerance=1e-7)


@pytest.mark.parametrize(("name", "do"), FRAMES, ids=[name for name, _ in FRAMES])
@given(twin=any_twins(kinds=("int", "finite", "small", "single"), max_columns=3))
@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
def test_columns_reduced(name: str, do: Do, twin: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = do(twin.plain.astype("float64"))
    close(do(twin.frame), expected)


@pytest.mark.parametrize(
    "values", [[1.0, np.inf], [np.inf, -np.inf], [np.nan, 1.0, 2.0], [np.inf, np.inf, 1.0, 2.0]]
)
def test_endless_values(values: list[float], frames: Any) -> None:
    frame = frames(t=pa.table({"x": pa.array(values)}))
    for name in ("skew", "kurt", "sem", "std", "var"):
        assert np.isnan(getattr(frame.x, name)()), name
    assert np.isnan(frame.x.sum()) or np.isinf(frame.x.sum())
    assert frame.describe().loc["count", "x"] == len(values)


@given(twin=any_twins(kinds=FLAT))
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
def test_any_columns(twin: Any) -> None:
    frame, other = twin.frame, twin.pandas
    assert frame.count().tolist() == [len(other) - other[name].isna().sum() for name in other.columns]
    assert frame.count().dtype == "int64"
    assert len(frame.min()) == len(frame.max()) == len(other.columns)
    assert frame.describe(include="all").loc["count"].astype(int).tolist() == frame.count().tolist()
    assert frame.mode().shape[1] == len(other.columns)
    numbers = [
        name
        for name, kind in zip(frame.columns, frame.schema.types, strict=True)
        if pa.types.is_integer(kind)
    ]
    assert frame.sum(numeric_only=True).index.tolist() == frame.mean(numeric_only=True).index.tolist()
    if numbers and len(other):
        same(list(frame[numbers].sum(min_count=0)), [sum(other[name].dropna().tolist()) for name in numbers])
