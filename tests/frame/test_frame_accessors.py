"""`.str`, `.dt`, `.list` and `.struct` give what pandas' accessors give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import same, twins

from luma_bench.errors import SchemaError, UnsupportedError

TEXTS = [
    "",
    " ",
    "a",
    "Ab cd",
    "JFK",
    "x-y-z",
    "-5",
    "+7",
    "42",
    "  pad\t",
    "éa",
    "ÀB",
    "日本 語",
    "a.b",
    "a\\1",
    "ab12",
    "F%_",
    None,
]
METHODS: dict[str, Callable[[Any], Any]] = {
    "lower": lambda s: s.lower(),
    "upper": lambda s: s.upper(),
    "casefold": lambda s: s.casefold(),
    "capitalize": lambda s: s.capitalize(),
    "swapcase": lambda s: s.swapcase(),
    "len": lambda s: s.len(),
    "contains": lambda s: s.contains("a.", na=False),
    "contains plain": lambda s: s.contains(".", regex=False, na=False),
    "contains folded": lambda s: s.contains("A", case=False, na=True),
    "match": lambda s: s.match("[a-z]", na=False),
    "fullmatch": lambda s: s.fullmatch(r"\d+", na=False),
    "startswith": lambda s: s.startswith(("a", "J"), na=False),
    "endswith": lambda s: s.endswith("z", na=False),
    "strip": lambda s: s.strip(),
    "lstrip": lambda s: s.lstrip("xa "),
    "rstrip": lambda s: s.rstrip("z "),
    "replace": lambda s: s.replace("a", "\\0."),
    "replace first": lambda s: s.replace("-", "+", n=1),
    "replace regex": lambda s: s.replace(r"([a-z])(\d)", r"\2\1", regex=True),
    "replace folded": lambda s: s.replace("A", "_", case=False, regex=True),
    "removeprefix": lambda s: s.removeprefix("a"),
    "removesuffix": lambda s: s.removesuffix("z"),
    "slice": lambda s: s.slice(1, 3),
    "slice from": lambda s: s.slice(2),
    "slice to": lambda s: s.slice(None, -1),
    "slice back": lambda s: s.slice(-3, -1),
    "slice nothing": lambda s: s.slice(2, 1),
    "slice start": lambda s: s.slice(0, 0),
    "slice far": lambda s: s.slice(-9, 2),
    "get": lambda s: s.get(1),
    "get last": lambda s: s.get(-1),
    "index": lambda s: s[0],
    "slice_replace": lambda s: s.slice_replace(1, 2, "?"),
    "count": lambda s: s.count("[a-z]"),
    "find": lambda s: s.find("b"),
    "pad": lambda s: s.pad(6, "left", "*"),
    "ljust": lambda s: s.ljust(5, "."),
    "rjust": lambda s: s.rjust(5),
    "center": lambda s: s.center(6, "."),
    "center odd": lambda s: s.center(7, "."),
    "zfill": lambda s: s.zfill(5),
    "repeat": lambda s: s.repeat(2),
    "isalpha": lambda s: s.isalpha(),
    "isdigit": lambda s: s.isdigit(),
    "isnumeric": lambda s: s.isnumeric(),
    "isalnum": lambda s: s.isalnum(),
    "isspace": lambda s: s.isspace(),
    "isupper": lambda s: s.isupper(),
    "islower": lambda s: s.islower(),
    "normalize": lambda s: s.normalize("NFC"),
    "split get": lambda s: s.split("-").str[1],
    "split blanks": lambda s: s.split().str[0],
    "split join": lambda s: s.split("-").str.join("+"),
    "findall": lambda s: s.findall("[a-z]").str.len(),
    "extract": lambda s: (
        s.extract(r"([a-z])(\d)?", expand=True)[0]
        if not hasattr(s, "_own")
        else s.extract(r"([a-z])(\d)?")["0"]
    ),
    "partition": lambda s: s.partition("-")[2] if not hasattr(s, "_own") else s.partition("-")["2"],
    "split expand": lambda s: (
        s.split("-", n=1, expand=True)[1] if not hasattr(s, "_own") else s.split("-", n=1, expand=True)["1"]
    ),
    "split expand more": lambda s: (
        s.split("-", n=2, expand=True)[2] if not hasattr(s, "_own") else s.split("-", n=2, expand=True)["2"]
    ),
}


def flat(values: Any) -> list[Any]:
    """Values with every missing one as None."""
    return [None if value is None or value is pd.NA or value != value else value for value in values]


@pytest.mark.parametrize("name", METHODS)
def test_text(frames: Any, name: str) -> None:
    ours = METHODS[name](frames(t={"s": TEXTS}).s.str)
    theirs = METHODS[name](pd.Series(TEXTS, dtype=object).str)
    assert flat(ours.to_list()) == flat(theirs.tolist())


def test_text_that_pandas_has_otherwise(frames: Any) -> None:
    texts = frames(t={"s": ["ab cd", None, "x"]}).s.str
    assert texts.title().to_list() == ["Ab Cd", None, "X"]
    assert texts.slice(None, None, -1).to_list() == ["dc ba", None, "x"]
    assert texts.cat(texts.upper(), sep="-", na_rep="?").to_list() == ["ab cd-AB CD", "?-?", "x-X"]
    assert texts.encode().to_list() == [b"ab cd", None, b"x"]
    assert texts.extract("(?P<first>[a-z])(?P<second>[a-z])").to_arrow().to_pydict() == {
        "first": ["a", None, None],
        "second": ["b", None, None],
    }
    assert texts.replace({"a": "b", "b": "c"}).to_list() == ["cc cd", None, "x"]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda s: s.split("a", expand=True), "n="),
        (lambda s: s.slice(0, 9, 2), "every character"),
        (lambda s: s.replace("a", "b", 3), "all or the first"),
        (lambda s: s.extract("a"), "no groups"),
        (lambda s: s.extract("(a"), "no regular expression"),
        (lambda s: s.cat(), "joins all rows"),
        (lambda s: s.pad(3, fillchar="ab"), "one character"),
        (lambda s: s.wrap_it, "no 'wrap_it'"),
    ],
)
def test_what_text_refuses(frames: Any, act: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        act(frames(t={"s": TEXTS}).s.str)


def test_an_accessor_is_for_its_kind(frames: Any) -> None:
    frame = frames(t={"n": [1], "s": ["a"]})
    with pytest.raises(SchemaError, match="is for text"):
        _ = frame.n.str
    with pytest.raises(SchemaError, match="is for dates"):
        _ = frame.s.dt


PARTS = [
    "year",
    "quarter",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "microsecond",
    "day_of_year",
    "day_of_week",
    "is_month_start",
    "is_month_end",
    "is_quarter_start",
    "is_quarter_end",
    "is_year_start",
    "is_year_end",
    "is_leap_year",
    "days_in_month",
]
ROUNDED = ["D", "h", "15min", "6h", "s", "500ms"]


@given(twin=twins(t="timestamp"))
@settings(deadline=None, max_examples=12)
def test_parts_of_times(twin: Any) -> None:
    ours, theirs = twin.frame.t.dt, twin.plain.t.dt
    for part in PARTS:
        assert flat(getattr(ours, part).to_list()) == _where_known(getattr(theirs, part), twin.plain.t), part
    assert flat(ours.day_name().to_list()) == flat(theirs.day_name().tolist())
    assert flat(ours.month_name().to_list()) == flat(theirs.month_name().tolist())
    week = theirs.isocalendar().astype("Int64")
    assert flat(ours.isocalendar().week.to_list()) == flat(week.week.tolist())
    assert flat(ours.isocalendar().year.to_list()) == flat(week.year.tolist())


def _where_known(values: Any, times: Any) -> list[Any]:
    return [None if missing else value for value, missing in zip(values.tolist(), times.isna(), strict=True)]


@given(twin=twins(t="timestamp"), freq=st.sampled_from(ROUNDED))
@settings(deadline=None, max_examples=12)
def test_rounded_times(twin: Any, freq: str) -> None:
    for how in ("floor", "ceil", "round"):
        ours = getattr(twin.frame.t.dt, how)(freq)
        theirs = getattr(twin.plain.t.dt, how)(freq)
        assert flat(ours.to_list()) == flat(
            [None if moment is pd.NaT else moment.to_pydatetime() for moment in theirs]
        ), how


def test_intervals(frames: Any) -> None:
    stamps = pd.to_datetime(
        ["2024-01-01", "2024-01-03 01:02:03.5", None, "2023-12-31 23:59:59.25"], format="ISO8601"
    )
    frame = frames(t=pa.table({"t": pa.array(stamps, pa.timestamp("us"), from_pandas=True)}))
    ours = frame.t - pd.Timestamp("2024-01-01")
    theirs = pd.Series(stamps) - pd.Timestamp("2024-01-01")
    for part in ("days", "seconds", "microseconds"):
        assert flat(getattr(ours.dt, part).to_list()) == flat(getattr(theirs.dt, part).tolist())
    assert flat(ours.dt.total_seconds().to_list()) == flat(theirs.dt.total_seconds().tolist())


def test_zones(frames: Any) -> None:
    stamps = pd.to_datetime(["2024-01-01 12:00", "2024-07-01 12:00", None])
    frame = frames(t=pa.table({"t": pa.array(stamps, pa.timestamp("us"), from_pandas=True)}))
    moments = frame.t.dt.tz_localize("Europe/Berlin")
    expected = pd.Series(stamps).dt.tz_localize("Europe/Berlin")
    assert flat(moments.to_arrow().cast(pa.timestamp("us", "UTC")).to_pylist()) == flat(
        [None if one is pd.NaT else one.to_pydatetime() for one in expected.dt.tz_convert("UTC")]
    )
    clock = expected.dt.tz_convert("America/New_York").dt.tz_localize(None)
    shown = moments.dt.at_zone("America/New_York").to_list()
    assert flat(shown) == flat([None if one is pd.NaT else one.to_pydatetime() for one in clock])
    assert flat(moments.dt.tz_localize(None).dt.hour.to_list()) == flat(expected.dt.tz_localize(None).dt.hour)
    assert flat(moments.dt.hour.to_list()) == flat(expected.dt.hour)
    with pytest.raises(UnsupportedError, match="no time zone"):
        frame.t.dt.tz_localize("Mars/Base")
    with pytest.raises(UnsupportedError, match="at_zone"):
        moments.dt.tz_convert("UTC")
    with pytest.raises(UnsupportedError, match="no fixed length"):
        frame.t.dt.floor("ME")
    assert frame.t.dt.as_unit("ms").dtype == pa.timestamp("ms")


def test_lists_and_structs(frames: Any) -> None:
    frame = frames(
        t={
            "l": [[3, 1, 1], [], None, [None, 2]],
            "s": [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 3, "b": None}],
        }
    )
    lists = frame.l.list
    assert lists.len().to_list() == [3, 0, None, 2]
    assert lists[0].to_list() == [3, None, None, None]
    assert lists.get(-1).to_list() == [1, None, None, 2]
    assert lists[1:].to_list() == [[1, 1], [], None, [2]]
    assert lists[:-1].to_list() == [[3, 1], [], None, [None]]
    assert lists.contains(1).to_list() == [True, False, None, False]
    assert lists.sum().to_list() == [5, None, None, 2]
    assert lists.mean().to_list() == [5 / 3, None, None, 2.0]
    assert (lists.min().to_list(), lists.max().to_list()) == ([1, None, None, 2], [3, None, None, 2])
    assert lists.sort().to_list()[0] == [1, 1, 3]
    assert sorted(lists.unique().to_list()[0]) == [1, 3]
    assert lists.reverse().to_list()[0] == [1, 1, 3]
    assert frame.s.struct.field("a").to_list() == [1, None, None, 3]
    assert frame.s.struct.field(1).name == "b"
    assert frame.s.struct.explode().to_arrow().to_pydict() == {
        "a": [1, None, None, 3],
        "b": ["x", None, "y", None],
    }
    assert frame.s.struct.dtypes == {"a": pa.int64(), "b": pa.string()}
    with pytest.raises(SchemaError, match="no column 'c'"):
        frame.s.struct.field("c")
    with pytest.raises(SchemaError, match="for structs"):
        _ = frame.l.struct.dtypes


@given(twin=twins(s="text", n="int"))
@settings(deadline=None, max_examples=12)
def test_text_of_any_kind(twin: Any) -> None:
    same(
        twin.frame.assign(s=twin.frame.s.str.upper()),
        twin.plain.assign(s=twin.plain.s.str.upper()),
        ordered=True,
    )
    same(
        twin.frame.assign(s=twin.frame.s.str.len()), twin.plain.assign(s=twin.plain.s.str.len()), ordered=True
    )
