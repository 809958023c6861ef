"""The line after `%%kadeql`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.notebook.cell import CellOptions, parse_options


def test_an_empty_line_is_the_defaults():
    assert parse_options("  ") == CellOptions(rest_start=2)


def test_every_option_at_once():
    read = parse_options(
        'late << --at paper-v1 --engine duckdb --strict --limit 5 --params {"lo": [1, 2], "t": "a } b"} --explain --profile --no-cache'
    )
    assert read.name == "late"
    assert (read.at, read.engine, read.limit) == ("paper-v1", "duckdb", 5)
    assert read.params == '{"lo": [1, 2], "t": "a } b"}'
    assert read.strict
    assert read.explain
    assert read.profile
    assert not read.cache
    assert read.rest == ""


def test_a_statement_follows_the_options_on_one_line():
    line = "x << --limit 3 SELECT a -- b FROM t"
    read = parse_options(line)
    assert read.rest == "SELECT a -- b FROM t"
    assert line[read.rest_start :] == read.rest


def test_a_shift_in_the_statement_binds_nothing():
    assert parse_options("SELECT 1 << 2").name is None


@pytest.mark.parametrize(
    ("line", "at"),
    [("--at=3", "3"), ("--at '2013-02-08 06:00'", "2013-02-08 06:00"), ('--at "it\\"s"', 'it"s')],
)
def test_values_may_be_quoted_or_follow_an_equals_sign(line: str, at: str):
    assert parse_options(line).at == at


@pytest.mark.parametrize(
    ("line", "message", "pointed"),
    [
        ("--limt 3", "no option --limt", "--limt"),
        ("--limit", "--limit needs a value", "--limit"),
        ("--limit ten", "whole number", "ten"),
        ("--strict --strict", "given twice", "--strict"),
        ("--params {'a': 1", "a bracket", "{'a': 1"),
        ("--at 'x", "a quote", "'x"),
    ],
)
def test_what_is_wrong_is_pointed_at(line: str, message: str, pointed: str):
    with pytest.raises(KadeQLSyntaxError, match=message) as caught:
        parse_options(line)
    assert caught.value.span is not None
    start, stop = caught.value.span
    assert line[start:stop] == pointed


def test_a_misspelt_option_names_the_right_one():
    with pytest.raises(KadeQLSyntaxError, match="'--limit'"):
        parse_options("--limt 3")


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(st.integers(), st.text(max_size=8), st.lists(st.booleans(), max_size=3)),
        max_size=4,
    )
)
def test_any_dict_of_one_line_is_read_whole(params: dict[str, object]):
    read = parse_options(f"--params {params!r} --strict SELECT 1")
    assert read.params == repr(params)
    assert read.strict
    assert read.rest == "SELECT 1"
