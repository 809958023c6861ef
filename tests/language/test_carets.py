"""The place of an error under its line, however long that is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from luma_bench.carets import pointed


def test_a_line_that_fits_is_shown_whole():
    assert pointed("No.", "SELECT 1\n\tFROM t", (15, 16)) == (2, 7, "No.\nline 2: \tFROM t\n        \t     ^")


def test_a_long_line_is_cut_around_the_caret():
    text = " + ".join(["one"] * 3000) + " + nope + two"
    line, column, told = pointed("No.", text, (text.index("nope"), text.index("nope") + 4))
    _, shown, caret = told.split("\n")
    assert (line, column) == (1, text.index("nope") + 1)
    assert len(shown) < 260
    assert shown.startswith("line 1: …")
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "nope"


def test_a_stretch_over_all_of_a_long_line_ends_where_the_line_is_cut():
    _, _, told = pointed("No.", "x" * 5000, (0, 5000))
    _, shown, caret = told.split("\n")
    assert shown.endswith("x…")
    assert len(caret) == len(shown) - 1


@given(
    st.text(st.sampled_from("ab\t\n ż"), max_size=900),
    st.tuples(st.integers(0, 900), st.integers(0, 900)).map(lambda pair: (min(pair), max(pair))),
)
def test_the_caret_stands_under_its_character(text: str, span: tuple[int, int]):
    span = (min(span[0], len(text)), min(span[1], len(text)))
    line, column, told = pointed("No.", text, span)
    shown, caret = told.split("\n")[1:]
    whole = text.split("\n")[line - 1]
    at = caret.index("^")
    if column <= len(whole):
        assert shown[at] == whole[column - 1]
    assert [char for char in caret[:at] if char == "\t"] == [char for char in shown[:at] if char == "\t"]
