"""A function's name that is none: what was meant by it."""

from __future__ import annotations

import pytest

from luma_bench.engines.duck_functions import functions
from luma_bench.engines.duck_meant import COMMON, meant


@pytest.mark.parametrize(
    ("name", "candidates", "first"),
    [
        ("cnt", ["century"], "count"),
        ("avrg", [], "avg"),
        ("stdev", ["stem"], "stddev"),
        ("med", [], "median"),
        ("rnd", ["rpad", "round"], "round"),
        ("conc", [], "concat"),
        ("row_num", [], "row_number"),
        ("dt_trunc", [], "date_trunc"),
        ("lenght", ["length_grapheme"], "length"),
        ("list_agregate", ["list_aggregate"], "list_aggregate"),
    ],
)
def test_what_people_call_most_is_meant(name: str, candidates: list[str], first: str):
    assert meant(name, candidates)[0] == first


def test_nothing_is_meant_by_what_is_like_nothing():
    assert meant("xyzzy", ["century"]) == []
    assert meant("q", []) == []


def test_a_function_of_from_is_meant_among_its_like_alone():
    assert meant("unnst", ["unnest"], common=()) == ["unnest"]
    assert meant("cnt", [], common=()) == []


def test_every_common_function_is_one():
    assert [name for name in COMMON if name not in functions()] == []
