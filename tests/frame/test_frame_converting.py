"""Types to types: `astype`, `lb.to_datetime`, `lb.to_numeric`, `lb.to_timedelta`, against pandas."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import same, twins

import luma_bench as lb
from luma_bench.errors import LumaError

quick = settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
MOMENTS = st.lists(st.none() | st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2030, 1, 1)), max_size=6)


@given(moments=MOMENTS)
@quick
def test_times_of_texts(moments: list[dt.datetime | None]) -> None:
    for pattern in ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y"):
        texts = pa.array([None if one is None else one.strftime(pattern) for one in moments], pa.string())
        frame = lb.DataFrame(pa.table({"x": texts}))
        same(
            lb.to_datetime(frame.x, format=pattern),
            pd.to_datetime(texts.to_pandas(), format=pattern).rename("x"),
        )


@given(twin=twins(x="text"))
@quick
def test_texts_that_are_no_times(twin: Any) -> None:
    same(
        lb.to_datetime(twin.frame.x, errors="coerce", format="%Y"),
        pd.to_datetime(twin.plain.x, errors="coerce", format="%Y"),
    )
    assert lb.to_datetime(twin.frame.x, errors="coerce").isna().to_list() == [True] * len(twin.plain)


@given(twin=twins(x="int"), unit=st.sampled_from(["s", "ms", "us", "D", "h", "m"]))
@quick
def test_times_of_numbers(twin: Any, unit: str) -> None:
    if unit not in ("h", "m"):
        same(lb.to_datetime(twin.frame.x, unit=unit), pd.to_datetime(twin.plain.x, unit=unit))
    same(
        lb.to_timedelta(twin.frame.x, unit=unit),
        pd.Series(
            [pd.NaT if pd.isna(n) else pd.Timedelta(n, unit) for n in twin.plain.x],
            name="x",
            dtype="timedelta64[us]",
        ),
    )


@given(st.lists(st.none() | st.sampled_from(["1", "-2.5", "1e3", "x", "", "nan", "inf"]), max_size=8))
@quick
def test_numbers_of_texts(texts: list[str | None]) -> None:
    frame = lb.DataFrame(pa.table({"x": pa.array(texts, pa.string())}))
    same(
        lb.to_numeric(frame.x, errors="coerce"),
        pd.to_numeric(pd.Series(texts, dtype=object, name="x"), errors="coerce"),
    )


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("int", "float64"),
        ("int", "string"),
        ("bool", "int64"),
        ("decimal", "float64"),
        ("finite", "int64"),
        ("timestamp", "date32[day]"),
        ("date", "timestamp[us]"),
        ("text", "string"),
        ("small", "int16"),
    ],
)
@given(data=st.data())
@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
def test_astype(kind: str, type_: str, data: st.DataObject) -> None:
    twin = data.draw(twins(x=kind))
    if kind == "finite":
        expected = pd.Series([None if pd.isna(x) else int(x) for x in twin.plain.x], name="x", dtype=object)
    elif kind == "timestamp":
        expected = pd.Series([None if pd.isna(x) else x.date() for x in twin.plain.x], name="x", dtype=object)
    else:
        expected = twin.pandas.x.astype(f"{type_}[pyarrow]")
    ours = twin.frame.x.astype(type_)
    same(ours, expected)
    same(twin.frame.astype({"x": type_}), expected.to_frame())


def test_what_is_no_series_goes_to_pandas() -> None:
    assert lb.to_datetime("2024-01-02") == pd.Timestamp("2024-01-02")
    assert lb.to_timedelta(3, unit="s") == pd.Timedelta(seconds=3)
    assert lb.to_numeric(["1", "2"]).tolist() == [1, 2]


def test_refusals() -> None:
    frame = lb.DataFrame({"n": [1], "t": ["x"], "b": [True]})
    for act, words in (
        (lambda: lb.to_datetime(frame.n), "unknown unit"),
        (lambda: lb.to_datetime(frame.b), "holds bool"),
        (lambda: lb.to_datetime(frame.t, errors="ignore"), "errors="),
        (lambda: lb.to_timedelta(frame.t), "takes numbers"),
        (lambda: lb.to_datetime(frame.n, unit="weeks"), "unit="),
        (lambda: frame.n.astype("nothing"), "not known"),
    ):
        with pytest.raises(LumaError, match=words):
            act()
    assert lb.to_datetime(frame.n, unit="s", utc=True).dtype.tz is not None
