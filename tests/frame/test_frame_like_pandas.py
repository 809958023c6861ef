"""Where a wrong answer would be easy: texts as numbers, groups that take no part, columns without a type, refusals."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.patterns import never_empty

TEXTS = ["a1", "b", "", "xy", "a|b", "12", "]q", "ab3", "a)b", None]


def plain(rows: Any) -> list[list[Any]]:
    return [[None if pd.isna(value) else value for value in row] for row in rows.to_numpy().tolist()]


@pytest.mark.parametrize("text", ["7", " 7 ", "-12", "+3", "\t9\n", "1_000"])
def test_text_of_whole_numbers(frames: Any, text: str) -> None:
    frame = frames(t={"s": [text, None]})
    assert frame.s.astype(int).to_list() == [int(pd.Series([text]).astype(int)[0]), None]
    assert frame.astype({"s": "int16"}).s.to_list()[0] == int(text)


@pytest.mark.parametrize("text", ["2.5", "1e3", "0x1F", "", "1 2", "true", "1__0"])
def test_text_of_no_whole_number_is_an_error(frames: Any, text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        pd.Series([text]).astype(int)
    with pytest.raises(duckdb.ConversionException, match="not a whole number"):
        frames(t={"s": [text]}).s.astype(int).to_list()


@pytest.mark.parametrize(
    "pattern",
    [
        r"([a-z])(\d)?",
        r"(?P<letters>[a-z]+)(?P<digits>\d+)?",
        r"([a-z])|(\d)",
        r"(?:([a-z])(\d))?(.*)",
        r"([]a])(q)?",
        r"(\d*)?x?",
        r"((a)|(b))(c)*",
        r"(a)(\|)?(b){0,1}",
        r"(a\)?)(b)?",
        r"([^]])(\]|q)?",
    ],
)
def test_groups_that_take_no_part(frames: Any, pattern: str) -> None:
    theirs = pd.Series(TEXTS).str.extract(pattern)
    assert plain(frames(t={"s": TEXTS}).s.str.extract(pattern).to_pandas()) == plain(theirs)


PIECES = st.recursive(
    st.sampled_from(["a", "b", r"\d", "[ab]", r"\(", "[(|]", "a*", ""]),
    lambda inner: st.one_of(
        st.builds("({}){}".format, inner, st.sampled_from(["", "?", "*", "+", "{0,2}"])),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["", "?"])),
        st.builds("{}{}".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(pattern=PIECES, text=st.text("ab1(|", max_size=5))
def test_what_a_pattern_says_of_its_groups(pattern: str, text: str) -> None:
    import re

    found = re.search(pattern, text)
    for number, group in enumerate(() if found is None else found.groups(), 1):
        if number in never_empty(pattern):
            assert group != ""
        elif group is None:  # it can be empty too, or else it takes part always
            assert re.compile(pattern).groups >= number


def test_columns_without_a_type(frames: Any) -> None:
    frame = frames(t=pa.table({"n": pa.nulls(2), "x": [1, None], "s": ["a", None]}))
    filled = frame.fillna(0)
    assert filled.n.to_list() == [0, 0]
    assert filled.x.to_list() == [1, 0]
    assert filled.s.to_list() == ["a", None]
    assert frame[frame.x == 1].fillna("?").n.to_list() == ["?"]
    assert frame.n.dt.year.to_list() == frame.n.dt.floor("D").to_list() == [None, None]
    assert frame.n.str.len().to_list() == frame.n.str.upper().to_list() == [None, None]
    assert frame.n.str.contains("a").to_list() == frame.n.str.split("a").to_list() == [None, None]


def test_nan_for_a_value_that_is_no_float(frames: Any) -> None:
    data = {"s": ["N/A", "b", None], "n": [1, 2, 3], "x": [1.0, 2.0, 3.0]}
    frame, df = frames(t=data), pd.DataFrame(data)
    assert frame.replace("N/A", np.nan).s.to_list() == [None, "b", None]
    assert frame.replace({"s": {"N/A": float("nan")}}).s.to_list() == [None, "b", None]
    assert frame.n.replace([1, 2], np.nan).to_list() == [None, None, 3]
    assert np.isnan(frame.x.replace(1.0, np.nan).to_list()[0])
    assert df.replace("N/A", np.nan).s.isna().tolist() == [True, False, True]


def test_text_and_numbers(frames: Any) -> None:
    frame = frames(t={"s": ["UA", None], "n": [1, 2]})
    for wrong in (
        lambda: frame.s + 1,
        lambda: 1 + frame.s,
        lambda: frame.s + frame.n,
        lambda: frame.n - frame.s,
        lambda: frame.s * 1.5,
        lambda: frame.n / "a",
    ):
        with pytest.raises(SchemaError, match="one type first"):
            wrong()
    assert (frame.s + frame.n.astype(str)).to_list() == ["UA1", None]
    assert (frame.s * 2).to_list() == (2 * frame.s).to_list() == ["UAUA", None]
    assert (frame.s * frame.n).to_list() == ["UA", None]


def test_rows_have_no_labels(frames: Any) -> None:
    frame = frames(t={"a": [1, 2, 3], "b": [4, 5, 6]})
    for wrong in (
        lambda: frame[[True, False, True]],
        lambda: frame[np.array([True, False, True])],
        lambda: frame.drop([0, 1]),
        lambda: frame.drop(0),
        lambda: frame.loc[0:3, "a":"b"],
        lambda: frame.loc[[True, False, True]],
    ):
        with pytest.raises(UnsupportedError, match="condition"):
            wrong()
    assert frame.loc[:, [True, False]].columns == ["a"]
