"""Lengths of time: how they are written, and which goes into which."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLBindError
from luma_bench.models.series.length import DAY, HOUR, MINUTE, SECOND, Length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1h", Length(0, 0, HOUR)),
        ("30m", Length(0, 0, 30 * MINUTE)),
        ("15T", Length(0, 0, 15_000_000)),
        ("250ms", Length(0, 0, 250_000_000)),
        ("5us", Length(0, 0, 5_000)),
        ("7ns", Length(0, 0, 7)),
        ("90s", Length(0, 0, 90 * SECOND)),
        ("2d", Length(0, 2)),
        ("1w", Length(0, 7)),
        ("1M", Length(1)),
        ("3mo", Length(3)),
        ("1y", Length(12)),
        ("1 quarter", Length(3)),
        ("1 hour 30 minutes", Length(0, 0, 90 * MINUTE)),
        ("1 day, 6 hours", Length(0, 1, 6 * HOUR)),
        ("01:30:00", Length(0, 0, 90 * MINUTE)),
        ("-00:00:00.5", Length(0, 0, -SECOND // 2)),
        ("1.5h", Length(0, 0, 90 * MINUTE)),
        ("-0.5 s", Length(0, 0, -SECOND // 2)),
        ("-1 month", Length(-1)),
        ("1M2d3h", Length(1, 2, 3 * HOUR)),
    ],
)
def test_a_length_is_read_as_it_is_written(text: str, length: Length) -> None:
    assert Length.parse(text) == length


@pytest.mark.parametrize(
    "text", ["", "h", "1", "1 fortnight", "1h x", "1.5 months", "0.5ns", "one hour", "1h30"]
)
def test_what_is_no_length_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(KadeQLBindError) as caught:
        Length.parse(text)
    assert caught.value.hint is not None


@given(st.integers(-40, 40), st.integers(-40, 40), st.integers(-(10**15), 10**15))
@settings(deadline=None, max_examples=100)
def test_what_a_length_says_of_itself_is_read_back(months: int, days: int, nanos: int) -> None:
    length = Length(months, days, nanos)
    assert Length.parse(str(length)) == length


def test_one_length_goes_into_another_or_does_not() -> None:
    assert Length.parse("1d").over(Length.parse("6h")) == 4
    assert Length.parse("1d").over(Length.parse("7h")) is None
    assert Length.parse("1y").over(Length.parse("3mo")) == 4
    assert Length.parse("1y").over(Length.parse("1d")) is None
    assert Length.parse("1h").over(Length()) is None


def test_the_common_length() -> None:
    assert Length.parse("5m").common(Length.parse("90s")) == Length(0, 0, 30 * SECOND)
    assert Length.parse("10d").common(Length.parse("1w")) == Length(0, 1)
    assert Length.parse("1d").common(Length.parse("36h")) == Length(0, 0, 12 * HOUR)
    assert Length.parse("2mo").common(Length.parse("3mo")) == Length(1)
    assert Length.parse("1mo").common(Length.parse("1d")) is None


def test_ticks_are_whole_units_of_the_column() -> None:
    assert Length(0, 1, HOUR).ticks(SECOND) == 25 * 3600
    assert Length(0, 3).ticks(DAY) == 3
    with pytest.raises(KadeQLBindError, match="finer than the time column"):
        Length.parse("10ms").ticks(SECOND)
    with pytest.raises(KadeQLBindError, match="months"):
        Length(1).ticks(SECOND)
