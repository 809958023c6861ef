"""Values to values, row by row: every method of Series and frames against pandas, over frames with NULL, NaN and infinity."""

from __future__ import annotations

import decimal
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import same, twins

import luma_bench as lb
from luma_bench.errors import LumaError

quick = settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
Do = Callable[[Any], Any]

# Over x of the kind; pandas' columns are Arrow's, so NA and NaN stay apart.
ROWWISE: list[tuple[str, str, Do]] = [
    ("int", "add", lambda s: s.add(3)),
    ("int", "add filled", lambda s: s.add(3, fill_value=7)),
    ("int", "rsub", lambda s: s.rsub(3)),
    ("int", "rsub filled", lambda s: s.rsub(3, fill_value=1)),
    ("int", "mul", lambda s: s.mul(-2)),
    ("finite", "truediv", lambda s: s.truediv(4)),
    ("finite", "rtruediv", lambda s: s.abs().add(1).rtruediv(8.0)),
    ("finite", "eq", lambda s: s.eq(0.5)),
    ("finite", "ne", lambda s: s.ne(0.5)),
    ("int", "lt", lambda s: s.lt(2)),
    ("int", "ge", lambda s: s.ge(2)),
    ("text", "eq text", lambda s: s == "a"),
    ("int", "between", lambda s: s.between(-3, 3)),
    ("int", "between neither", lambda s: s.between(-3, 3, inclusive="neither")),
    ("int", "between left", lambda s: s.between(-3, 3, inclusive="left")),
    ("date", "isna", lambda s: s.isna()),
    ("zoned", "notna", lambda s: s.notna()),
    ("int", "fillna", lambda s: s.fillna(99)),
    ("text", "fillna text", lambda s: s.fillna("none")),
    ("bool", "fillna bool", lambda s: s.fillna(value=True)),
    ("decimal", "fillna decimal", lambda s: s.fillna(decimal.Decimal("1.50"))),
    ("int", "where", lambda s: s.where(s > 0, 0)),
    ("int", "where null", lambda s: s.where(s.fillna(0) > 0)),
    ("int", "where function", lambda s: s.where(lambda x: x.fillna(0) > 0, -1)),
    ("int", "mask", lambda s: s.mask(s.fillna(0) > 0, 0)),
    ("text", "mask text", lambda s: s.mask(s.isna(), "gone")),
    ("int", "case_when", lambda s: s.case_when([(s.fillna(0) > 5, 5), (s.fillna(0) > 0, 1)])),
    ("int", "replace", lambda s: s.replace(1, 100)),
    ("int", "replace list", lambda s: s.replace([1, 2], 100)),
    ("int", "replace lists", lambda s: s.replace([1, 2], [2, 1])),
    ("int", "replace dict", lambda s: s.replace({1: 2, 2: 1})),
    ("text", "replace text", lambda s: s.replace({"a": "b", "b": "a"})),
    ("text", "replace pattern", lambda s: s.replace("^a", "x", regex=True)),
    ("int", "abs", lambda s: s.abs()),
    ("float", "abs float", lambda s: s.abs()),
    ("decimal", "abs decimal", lambda s: s.abs()),
    ("finite", "round", lambda s: s.round()),
    ("finite", "round 1", lambda s: s.round(1)),
    ("finite", "round tens", lambda s: s.round(-1)),
    ("int", "clip", lambda s: s.clip(-3, 3)),
    ("finite", "clip low", lambda s: s.clip(lower=0.5)),
    ("finite", "clip high", lambda s: s.clip(upper=0.5)),
    ("int", "astype float", lambda s: s.astype("float64[pyarrow]")),
    ("bool", "astype int", lambda s: s.astype("int64[pyarrow]")),
    ("int", "astype text", lambda s: s.astype("string[pyarrow]")),
    ("bool", "invert", lambda s: ~s),
    ("bool", "and", lambda s: s & s.isna()),
    ("bool", "or", lambda s: s | s.isna()),
    ("bool", "xor", lambda s: s ^ True),
    ("int", "negative", lambda s: -s),
    ("duration", "durations doubled", lambda s: s + s),
    ("finite", "apply ufunc", lambda s: s.abs().apply(np.sqrt)),
    ("int", "apply expression", lambda s: s.apply(lambda x: x * 2 + 1)),
    ("finite", "transform", lambda s: s.transform(lambda x: x - 1)),
    ("text", "map counter", lambda s: s.map(Counter("aab"), na_action="ignore")),
    ("int", "map many", lambda s: s.map({n: n * n for n in range(-9, 400)})),
    ("text", "replace many", lambda s: s.replace({"a" * n: str(n) for n in range(60)})),
    ("int", "map function", lambda s: s.map(lambda x: x + 1, na_action="ignore")),
    ("text", "map dict", lambda s: s.map({"a": 1, "b": 2})),
    ("text", "add prefix to text", lambda s: "<" + s + ">"),
    ("int", "first of", lambda s: s.combine_first(-s.fillna(4))),
]


@pytest.mark.parametrize(("kind", "name", "do"), ROWWISE, ids=[f"{kind} {name}" for kind, name, _ in ROWWISE])
@given(data=st.data())
@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
def test_rowwise(kind: str, name: str, do: Do, data: st.DataObject) -> None:
    twin = data.draw(twins(x=kind))
    same(do(twin.frame["x"]), do(twin.pandas["x"]).rename("x"))


PLAIN: list[tuple[str, str, Do]] = [
    ("finite", "divmod", lambda s: s.divmod(3)[1]),
    ("finite", "rdivmod", lambda s: s.abs().add(1).rdivmod(7)[0]),
    ("finite", "floordiv", lambda s: s.floordiv(1.5)),
    ("finite", "mod", lambda s: s.mod(-1.5)),
    ("finite", "pow", lambda s: s.pow(2)),
    ("finite", "clip between", lambda s: s.clip(-1, 1)),
    ("finite", "log", lambda s: np.log(s.abs() + 1)),
    ("finite", "maximum", lambda s: np.maximum(s.fillna(0), 1)),
    ("text", "isin", lambda s: s.fillna("?").isin(["a", "b", "it's"])),
    ("timestamp", "isna", lambda s: s.isna()),
    ("duration", "fillna", lambda s: s.fillna(pd.Timedelta(0))),
    ("timestamp", "where", lambda s: s.where(s.notna(), pd.Timestamp("2020-01-02"))),
    ("finite", "repeat", lambda s: s.repeat(3)),
    (
        "text",
        "argsort",
        lambda s: (
            s.fillna("x").argsort(kind="stable") if isinstance(s, pd.Series) else s.fillna("x").argsort()
        ),
    ),
    ("int", "combine", lambda s: s.combine(s + 1, lambda a, b: a * b)),
]


@pytest.mark.parametrize(("kind", "name", "do"), PLAIN, ids=[f"{kind} {name}" for kind, name, _ in PLAIN])
@given(data=st.data())
@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
def test_rowwise_with_gaps(kind: str, name: str, do: Do, data: st.DataObject) -> None:
    twin = data.draw(twins(x=kind))
    same(do(twin.frame["x"]), do(twin.plain["x"]).rename("x"))


@given(twin=twins(x="text"), sort=st.booleans(), sentinel=st.booleans())
@quick
def test_factorize(twin: Any, sort: bool, sentinel: bool) -> None:
    codes, values = twin.frame["x"].factorize(sort=sort, use_na_sentinel=sentinel)
    expected, known = twin.plain["x"].factorize(sort=sort, use_na_sentinel=sentinel)
    assert codes.to_list() == expected.tolist()
    assert values.to_pylist() == [None if pd.isna(one) else one for one in known]


def test_functions_that_need_python_values_are_refused() -> None:
    frame = lb.DataFrame({"x": [1, 2, None], "t": ["a", None, "b"]})
    for function in (
        lambda v: 1 if v > 1 else 0,
        lambda v: v if v is not None else 0,
        lambda v: v.upper(),
        len,
        lambda v: f"{v}",
        lambda v: 5,
        math.sqrt,
    ):
        for method in ("map", "apply", "transform"):
            with pytest.raises(LumaError, match="whole Series"):
                getattr(frame.x, method)(function)
    with pytest.raises(LumaError, match="stand-in for every row"):
        frame.apply(lambda row: 1 if row.x > 1 else 0, axis=1)
    with pytest.raises(LumaError, match="no column"):
        frame.apply(lambda row: "text", axis=1)
    assert frame.apply(lambda row: row.x * 2 + row["x"], axis=1).to_list() == [3, 6, None]
    assert frame[["x"]].apply(lambda row: row.sum(), axis=1).to_list() == [1, 2, 0]
    assert frame.x.map(defaultdict(lambda: -1, {1: 10})).to_list() == [10, -1, -1]
    assert frame.x.apply(str).to_list() == ["1", "2", None]


def test_lookups_keep_the_order_of_rows(tmp_path: Any) -> None:
    x = np.arange(200_000) * 7919 % 1_000
    bench = lb.open(tmp_path / "b")
    bench.write("t", pa.table({"x": x}))
    frame = bench.table("t")
    many = {n: n + 1 for n in range(900)}
    expected = pd.Series(x)
    assert frame.x.map(many).fillna(-1).to_numpy().tolist() == expected.map(many).fillna(-1).tolist()
    assert frame.x.replace(many).to_numpy().tolist() == expected.replace(many).tolist()
    assert frame.x.isin(range(500)).to_numpy().tolist() == expected.isin(range(500)).tolist()
    assert frame.assign(y=frame.x.map(many) + 1).groupby("y").size().shape == (900, 2)
