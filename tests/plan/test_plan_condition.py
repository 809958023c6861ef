"""A condition as text: one expression, its columns known, its parameters constants."""

from __future__ import annotations

import pytest

from luma_bench.errors import KadeQLBindError, KadeQLSyntaxError
from luma_bench.plan.condition import condition

NAMES = ["dep_delay", "Origin", "body"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("dep_delay > 5", {"dep_delay"}),
        ("DEP_DELAY > 5 and origin == 'JFK'", {"dep_delay", "Origin"}),
        ("body.airport.name = 'x'", {"body"}),
        ('abs(dep_delay) BETWEEN 1 AND 2 OR "Origin" IS NULL', {"dep_delay", "Origin"}),
        ("1 = 1", set()),
        ("dep_delay > (SELECT avg(other) FROM elsewhere)", set(NAMES)),
    ],
)
def test_columns(text: str, columns: set[str]) -> None:
    assert condition(text, NAMES).columns == columns


def test_parameters_become_constants() -> None:
    made = condition("Origin = $o AND dep_delay > $low", NAMES, {"o": "it's $low; --", "low": -1})
    assert made.text == "Origin = ('it''s $low; --') AND dep_delay > (-1)"


def test_a_dollar_in_a_string_is_text() -> None:
    assert condition("Origin = '$o'", NAMES).text == "Origin = '$o'"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dep_delay > 1; DROP TABLE t", (13, 14)),
        ("dep_delay > 1) OR (1 = 1", (13, 14)),
        ("(dep_delay > 1", (13, 14)),
        ("dep_delay > @low", (12, 13)),
        ("`dep_delay` > 1", (0, 1)),
        ("dep_delay > 1 -- all", (12, 13)),
        ("dep_delay > 1 /* all */", (12, 13)),
        ("Origin = 'JFK", (0, 13)),
        ("", None),
    ],
)
def test_what_is_no_expression_is_refused_where_it_stands(text: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(KadeQLSyntaxError) as caught:
        condition(text, NAMES)
    assert caught.value.span == place
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "params", "words"),
    [
        ("dep_dely > 1", {}, "Did you mean 'dep_delay'"),
        ('Origin = "JFK"', {}, "single quotes"),
        ("dep_delay > $low", {}, r"no parameter \$low"),
        ("dep_delay > $lo", {"low": 1}, "Did you mean 'low'"),
        ("dep_delay > 1", {"low": 1}, "does not use"),
    ],
)
def test_names_that_do_not_resolve(text: str, params: dict[str, object], words: str) -> None:
    with pytest.raises(KadeQLBindError, match=words):
        condition(text, NAMES, params)
