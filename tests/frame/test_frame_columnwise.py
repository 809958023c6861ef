"""One operation on all columns of a frame, and rows across columns, against pandas."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import FLAT, any_twins, same, twins

import luma_bench as lb
from luma_bench.errors import SchemaError

Do = Callable[[Any], Any]
NUMERIC = ("int", "finite", "single")

WHOLE: list[tuple[str, Do]] = [
    ("add", lambda f: f + 1),
    ("rsub", lambda f: 1 - f),
    ("mul", lambda f: f.mul(3)),
    ("add frames", lambda f: f + f),
    ("add filled", lambda f: f.add(f, fill_value=2)),
    ("mod", lambda f: f.mod(3)),
    ("floordiv", lambda f: f.floordiv(4)),
    ("eq", lambda f: f.fillna(0) == 0),
    ("gt", lambda f: f.fillna(0).gt(0)),
    ("negative", lambda f: -f),
    ("abs", lambda f: f.abs()),
    ("round", lambda f: f.round(0)),
    ("clip", lambda f: f.clip(-2, 2)),
    ("isna", lambda f: f.isna()),
    ("notna", lambda f: f.notnull()),
    ("invert", lambda f: ~f.isna()),
    ("and", lambda f: f.isna() & (f.fillna(0) == 0)),
    ("fillna", lambda f: f.fillna(5)),
    ("where", lambda f: f.where(f.fillna(-1) > 0, 0)),
    ("mask", lambda f: f.mask(f.fillna(-1) > 0)),
    ("replace", lambda f: f.replace(1, 100)),
    ("replace dict", lambda f: f.replace({1: 2, 2: 1})),
    ("isin", lambda f: f.fillna(0).isin([0, 1, 2])),
    ("dropna", lambda f: f.dropna()),
    ("dropna all", lambda f: f.dropna(how="all")),
    ("dropna thresh", lambda f: f.dropna(thresh=2)),
    ("apply", lambda f: f.apply(lambda s: s * 2)),
    ("map", lambda f: f.map(lambda x: x + 1)),
    ("transform", lambda f: f.transform(lambda s: s - 1)),
    ("prefix", lambda f: f.add_prefix("p_")),
    ("suffix", lambda f: f.add_suffix("_s")),
    ("sum across", lambda f: f.sum(axis=1)),
    ("mean across", lambda f: f.mean(axis=1)),
    ("max across", lambda f: f.max(axis=1)),
    ("min across", lambda f: f.min(axis=1)),
    ("count across", lambda f: f.count(axis=1)),
    ("prod across", lambda f: f.prod(axis=1)),
    ("any across", lambda f: (f.fillna(0) > 0).any(axis=1)),
    ("all across", lambda f: (f.fillna(0) > 0).all(axis=1)),
    ("std across", lambda f: f.std(axis=1)),
    ("var across", lambda f: f.var(axis=1, ddof=0)),
    ("median across", lambda f: f.median(axis=1)),
    ("nunique across", lambda f: f.nunique(axis=1)),
    ("sum across with nulls", lambda f: f.sum(axis=1, skipna=False)),
    ("combine", lambda f: f.combine(f * 2, lambda a, b: b - a)),
    ("T", lambda f: pd.DataFrame(f.T.to_numpy().astype("float64"))),
]


@pytest.mark.parametrize(("name", "do"), WHOLE, ids=[name for name, _ in WHOLE])
@given(twin=any_twins(kinds=NUMERIC, max_columns=3))
@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
def test_every_column(name: str, do: Do, twin: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = do(twin.plain.astype("float64"))
    ours = do(twin.frame)
    same(
        lb.from_pandas(ours) if isinstance(ours, pd.DataFrame) and ours.shape[1] else ours,
        expected,
        names=not isinstance(expected, pd.Series),
    ) if name != "T" else pd.testing.assert_frame_equal(ours, expected)


@given(twin=any_twins(kinds=FLAT))
@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
def test_any_columns(twin: Any) -> None:
    frame, other = twin.frame, twin.pandas
    same(frame.isna(), other.isna())
    same(frame.dropna(), other.dropna(), missing="any") if not any(
        str(kind).startswith(("float", "double")) for kind in other.dtypes
    ) else None
    assert frame.dropna(thresh=1).shape[0] <= len(other)
    same(frame.add_prefix("x"), other.add_prefix("x"))
    for kind in ("number", "bool", "datetime"):
        assert set(frame.select_dtypes(kind).columns if _some(frame, kind) else []) <= set(other.columns)
    assert frame.reindex(columns=[*frame.columns, "new"])["new"].isna().all() in (True, None)
    assert frame.insert(0, "new", 1).columns[0] == "new"
    assert frame.set_axis([f"c{n}" for n in range(len(frame.columns))], axis=1).columns[0] == "c0"
    assert frame.get("nothing", 3) == 3


def _some(frame: Any, kind: str) -> bool:
    with contextlib.suppress(SchemaError):  # "no columns": the frame has none of the kind
        return bool(frame.select_dtypes(kind).columns)
    return False


@given(twin=twins({"sum": "int", "count": "finite", "T": "text", "size": "bool"}))
@settings(deadline=None, max_examples=7, suppress_health_check=list(HealthCheck))
def test_columns_named_like_methods(twin: Any) -> None:
    frame, other = twin.frame, twin.plain
    same(frame["sum"].fillna(0), other["sum"].fillna(0))
    same(frame[["sum", "count"]].sum(axis=1), other[["sum", "count"]].sum(axis=1), names=False)
    assert frame[["T"]].count()["T"] == other["T"].count()
    same(
        frame.apply(lambda row: row["sum"] + row["count"], axis=1), other["sum"] + other["count"], names=False
    )
    assert frame.describe(include="all").loc["count", "T"] == other["T"].count()
