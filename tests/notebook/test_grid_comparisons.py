"""A filter's comparison with any value that can be typed, held against Python's exact numbers and times."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from grid_kinds import RECORD, Message, ask
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench.result import Result
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid.session import GridSession

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def filtered(engine: DuckEngine, values: pa.Array, **asked: Any) -> Message:
    """A view of a column `x` beside its places, by one filter."""
    table = pa.table({"place": pa.array(range(len(values)), pa.int64()), "x": values})
    session = GridSession(Result(table, RECORD, "FROM t"), lambda: engine)
    view = ask(session, type="view", filter=[{"column": 1, **asked}])
    if view["type"] == "error":
        return view
    reply = session.handle(
        {"type": "page", "id": 2, "view": view["view"], "offset": 0, "count": 100, "columns": [0, 1]}
    )
    assert reply is not None
    page = pa.ipc.open_stream(reply.buffers[0]).read_all()
    assert page.num_rows == view["rows"]
    return {**view, "places": page.column(0).to_pylist()}


def check(
    engine: DuckEngine, values: pa.Array, texts: list[str], compare: Callable[[str, Any, str], bool]
) -> None:
    """Every comparison with each text, and those of two, find the rows that `compare` (sign, value, text) says."""
    plain = values.to_pylist() if values.type != pa.timestamp("ns") else values.cast(pa.int64()).to_pylist()
    filled = [(place, value) for place, value in enumerate(plain) if value is not None]
    for text in texts:
        for sign in SIGNS:
            found = filtered(engine, values, op=sign, value=text)
            expected = [place for place, value in filled if compare(sign, value, text)]
            assert found.get("places") == expected, (sign, text, plain, found)
    low, high = texts[0], texts[-1]
    found = filtered(engine, values, op="between", value=[low, high])
    assert found["places"] == [
        p for p, value in filled if compare(">=", value, low) and compare("<=", value, high)
    ]
    found = filtered(engine, values, op="in", value=[*texts, None])
    assert found["places"] == [
        p for p, value in enumerate(plain) if value is None or any(compare("=", value, text) for text in texts)
    ]  # fmt: skip


FIXED = [
    (pa.int8(), -128, 127, 0),
    (pa.uint8(), 0, 255, 0),
    (pa.int64(), -(2**63), 2**63 - 1, 0),
    (pa.uint64(), 0, 2**64 - 1, 0),
    (pa.decimal128(12, 2), -(10**12) + 1, 10**12 - 1, 2),
    (pa.decimal128(38, 0), -(10**38) + 1, 10**38 - 1, 0),
    (pa.decimal128(38, 37), -(10**38) + 1, 10**38 - 1, 37),
    (pa.decimal256(50, 3), -(10**37), 10**37, 3),
]


@st.composite
def near(draw: st.DrawFn, at: Decimal) -> str:
    """A number at, just beside, or far from another one, as it may be typed."""
    nudge = draw(st.sampled_from(["", "0", "5", "0000000001", "9" * 40]))
    exponent = at.as_tuple().exponent
    text = format(at, "f")
    if nudge:
        text += nudge if exponent else f".{nudge}"
    far = st.sampled_from(
        ["3.5", "-3.5", "1e30", "-1e30", "1e-30", "0", "-0.5", "256", "1e99999", " 7 ", "1_000"]
    )
    return draw(st.just(text) | far | st.integers(-(2**70), 2**70).map(str))


@given(kind=st.sampled_from(FIXED), data=st.data())
@settings(deadline=None, max_examples=40)
def test_whole_numbers_and_decimals_compare_exactly(
    engine: DuckEngine, kind: Any, data: st.DataObject
) -> None:
    arrow, low, high, scale = kind
    small = st.integers(max(low, -5), min(high, 5))
    units = data.draw(
        st.lists(st.none() | small | st.integers(low, high) | st.sampled_from([low, high]), max_size=8)
    )
    # From digits, since arithmetic of Decimals rounds.
    made = [
        None if unit is None else Decimal((int(unit < 0), tuple(map(int, str(abs(unit)))), -scale))
        for unit in units
    ]
    whole = not pa.types.is_decimal(arrow)
    values = pa.array([int(item) if whole and item is not None else item for item in made], arrow)
    base = next((item for item in made if item is not None), Decimal(4))
    texts = data.draw(st.lists(near(base), min_size=1, max_size=2))
    check(
        engine, values, texts, lambda sign, value, text: SIGNS[sign](Fraction(value), Fraction(text.strip()))
    )


def single(value: float) -> float:
    """The nearest number of 32 bits."""
    return struct.unpack("f", struct.pack("f", value))[0]


@given(bits=st.sampled_from([32, 64]), data=st.data())
@settings(deadline=None, max_examples=40)
def test_floating_point_numbers_are_what_they_are_shown_as(
    engine: DuckEngine, bits: int, data: st.DataObject
) -> None:
    one = st.floats(width=bits, allow_nan=False) | st.sampled_from([0.1, 0.2, 3.0, 1e15]).map(
        single if bits == 32 else float
    )
    numbers = data.draw(st.lists(st.none() | one, min_size=1, max_size=6))
    values = pa.array(numbers, pa.float32() if bits == 32 else pa.float64())
    shortest = {
        value: str(np.float32(value)) if bits == 32 else repr(value) for value in numbers if value is not None
    }
    typed = st.sampled_from(
        [
            *shortest.values(),
            *(f"{value:.8g}" for value in shortest),
            "0.1",
            "0.1000000001",
            "1e400",
            "-1e400",
            "-inf",
        ]
    ) | st.decimals(-10, 10, places=9).map(str)
    finite = [Decimal(value) for value in shortest if abs(value) != float("inf")]
    if finite:
        typed |= st.sampled_from([format(item, "f") for item in finite])

    def compare(sign: str, value: float, text: str) -> bool:
        # A value is all between what it is shown as and what its bits are exactly.
        least, most = sorted([Decimal(shortest[value]), Decimal(value)])
        number = Decimal(text)
        side = 0 if least <= number <= most else (-1 if most < number else 1)
        return SIGNS[sign](side, 0)

    check(engine, values, data.draw(st.lists(typed, min_size=1, max_size=2)), compare)


EPOCH = dt.datetime(1970, 1, 1)
DIGITS = st.sampled_from(["", ".5", ".000001", ".0000001", ".123456789", ".999999999999", ".000"])
MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)).map(
    lambda at: at.replace(microsecond=0)
)


def seconds(text: str) -> Fraction:
    """Seconds since 1970 of a date, or a time of one, with any number of decimals."""
    whole, _, digits = text.partition(".")
    since = dt.datetime.fromisoformat(whole) - EPOCH
    return since.days * 86_400 + since.seconds + Fraction(int(digits or 0), 10 ** len(digits))


@given(
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    moments=st.lists(MOMENTS, min_size=1, max_size=5),
    ticks=st.integers(0, 10**9 - 1),
    data=st.data(),
)
@settings(deadline=None, max_examples=30)
def test_times_compare_to_the_last_digit(
    engine: DuckEngine, unit: str, moments: list[dt.datetime], ticks: int, data: st.DataObject
) -> None:
    size = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    held = [int((at - EPOCH).total_seconds()) * size + ticks % size for at in moments] + [0]
    values = pa.array([*held, None], pa.int64()).cast(pa.timestamp(unit))
    at = data.draw(st.sampled_from([*moments, EPOCH]))
    shown = f"{at:%Y-%m-%d %H:%M:%S}.{ticks:09}"[: None if unit == "ns" else -3]
    typed = st.sampled_from([shown, f"{at:%Y-%m-%d}"]) | DIGITS.map(
        lambda end: f"{at:%Y-%m-%dT%H:%M:%S}{end}"
    )
    stamps = dict(
        zip(values.to_pylist() if unit != "ns" else values.cast(pa.int64()).to_pylist(), held, strict=False)
    )
    check(
        engine,
        values,
        data.draw(st.lists(typed, min_size=1, max_size=2)),
        lambda sign, value, text: SIGNS[sign](Fraction(stamps[value], size), seconds(text)),
    )


@given(
    days=st.lists(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), min_size=1, max_size=5), data=st.data()
)
@settings(deadline=None, max_examples=25)
def test_dates_compare_with_times_as_their_midnight(
    engine: DuckEngine, days: list[dt.date], data: st.DataObject
) -> None:
    at = data.draw(st.sampled_from(days))
    typed = st.sampled_from(["", " 00:00:00", " 12:00:00", "T00:00:00.0000001"]).map(lambda end: f"{at}{end}")
    check(
        engine,
        pa.array([*days, None], pa.date32()),
        data.draw(st.lists(typed, min_size=1, max_size=2)),
        lambda sign, value, text: SIGNS[sign](seconds(str(value)), seconds(text)),
    )


@pytest.mark.parametrize(
    ("kind", "text", "less"),
    [
        (pa.timestamp("ns"), "1500-01-01", 0),
        (pa.timestamp("ns"), "2500-01-01", 1),
        (pa.timestamp("us"), "400000-01-01 10:00", 1),
        (pa.timestamp("us"), "0045-03-15 (BC)", 0),
        (pa.timestamp("us", "Europe/Oslo"), "2020-01-01T01:00:00.0000001+01:00", 1),
        (pa.timestamp("us", "Europe/Oslo"), "2020-01-01 01:00:00", 0),
        (pa.timestamp("us", "Europe/Oslo"), "2020-01-01 01:00:01 Europe/Oslo", 1),
        (pa.timestamp("us", "Europe/Oslo"), "2020-01-01 00:00:00Z", 0),
        (pa.timestamp("ns", "Europe/Oslo"), "2020-01-01 01:00:00.000000001", 1),
        (pa.timestamp("us", "+02:00"), "2020-01-01 02:00:00", 0),
        (pa.timestamp("us", "+02:00"), "2020-01-01 02:00:00.0000005", 1),
        (pa.date32(), "2020-01-01 24:00:00", 1),
        (pa.date32(), "-0044-03-15", 0),
        (pa.date32(), "9000000-01-01", 1),
        (pa.date32(), "infinity", 1),
    ],
)
def test_far_and_zoned_times(engine: DuckEngine, kind: pa.DataType, text: str, less: int) -> None:
    moment = dt.date(2020, 1, 1) if pa.types.is_date(kind) else dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    if pa.types.is_timestamp(kind) and kind.tz is None:
        moment = dt.datetime(2020, 1, 1)
    values = pa.array([moment, None], kind)
    assert filtered(engine, values, op="<", value=text)["rows"] == less
    equal = filtered(engine, values, op="=", value=text)["rows"]
    assert filtered(engine, values, op="!=", value=text)["rows"] == 1 - equal
    assert filtered(engine, values, op=">=", value=text)["rows"] == 1 - less
    assert filtered(engine, values, op=">", value=text)["rows"] == 1 - less - equal


def test_times_of_day_and_truth_values(engine: DuckEngine) -> None:
    times = pa.array([dt.time(8, 30), dt.time(8, 30, 0, 1), None], pa.time64("us"))
    assert filtered(engine, times, op="<=", value="08:30:00.0000009")["places"] == [0]
    assert filtered(engine, times, op="=", value="8:30")["places"] == [0]
    truths = pa.array([True, False, None])
    assert filtered(engine, truths, op="=", value="No")["places"] == [1]


@pytest.mark.parametrize(
    ("sql", "values", "op", "value", "places"),
    [
        ("HUGEINT", ["-7", "170141183460469231731687303715884105727"], ">", "170141183460469231731687303715884105726.5", [1]),
        ("HUGEINT", ["-7", "5"], "<", "-6.5", [0]),
        ("BIGNUM", ["1" + "0" * 60, "-3"], "=", "1e60", [0]),
        ("BIGNUM", ["4", "3"], ">", "3.5", [0]),
        ("ENUM('low', 'high')", ["low", "high", None], "<", "high", [0]),
        ("ENUM('low', 'high')", ["low", "high", None], "=", "height", []),
        ("ENUM('low', 'high')", ["low", "high", None], "!=", "height", [0, 1]),
        ("TIME WITH TIME ZONE", ["10:00:00+02", "10:00:00+00"], "=", "10:00:00+02:00", [0]),
    ],
)  # fmt: skip
def test_types_that_arrow_holds_as_something_else(
    engine: DuckEngine, sql: str, values: list[str | None], op: str, value: str, places: list[int]
) -> None:
    field = pa.field("x", pa.string(), metadata={"luma.sql_type": sql})
    table = pa.table(
        [pa.array(range(len(values)), pa.int64()), pa.array(values, pa.string())],
        schema=pa.schema([pa.field("place", pa.int64()), field]),
    )
    session = GridSession(Result(table, RECORD, "FROM t"), lambda: engine)
    view = ask(session, type="view", filter=[{"column": 1, "op": op, "value": value}])
    assert view.get("rows") == len(places), view
    reply = session.handle(
        {"type": "page", "id": 2, "view": view["view"], "offset": 0, "count": 9, "columns": [0, 1]}
    )
    assert reply is not None
    assert pa.ipc.open_stream(reply.buffers[0]).read_all().column(0).to_pylist() == places


def test_an_unknown_value_has_no_place_in_an_order_of_its_own(engine: DuckEngine) -> None:
    field = pa.field("x", pa.string(), metadata={"luma.sql_type": "ENUM('low', 'high')"})
    table = pa.table([pa.array(["low"])], schema=pa.schema([field]))
    session = GridSession(Result(table, RECORD, "FROM t"), lambda: engine)
    told = ask(session, type="view", filter=[{"column": 0, "op": "<", "value": "middle"}])
    assert told["hint"] == "They are: low, high."


@pytest.mark.parametrize(
    ("kind", "text", "said", "hint"),
    [
        (pa.int64(), "abc", "'abc' is no number, and 'x' is BIGINT.", "42"),
        (pa.int64(), "1,000", "no number", "42"),
        (pa.int64(), "", "no number", "42"),
        (pa.int64(), "nan", "no number", "42"),
        (pa.float64(), "abc", "no number", "0.25"),
        (pa.date32(), "yesterday", "'yesterday' is no date, and 'x' is DATE.", "2013-01-31"),
        (pa.date32(), "2020-02", "no date", "2013-01-31"),
        (pa.date32(), "2021-02-29", "no date", "2013-01-31"),
        (pa.timestamp("us"), "2020-02", "no time of a date", "2013-01-31 08:30:00"),
        (pa.timestamp("us"), "2020-02-01 10:00:00+02", "no time without a zone", "2013-01-31 08:30:00"),
        (pa.timestamp("us", "UTC"), "2020-02-01 10:00 Nowhere/Land", "no time of a known zone", "+02:00"),
        (pa.time64("us"), "25:00", "no time of day", "08:30:00"),
        (pa.duration("us"), "soon", "no interval", "2 hours"),
        (pa.bool_(), "maybe", "no truth value", "true"),
    ],
)
@pytest.mark.parametrize("op", ["=", "<", "in", "between"])
def test_what_cannot_be_compared_says_what_can(
    engine: DuckEngine, kind: pa.DataType, text: str, said: str, hint: str, op: str
) -> None:
    value = [text] if op == "in" else [text, text] if op == "between" else text
    told = filtered(engine, pa.array([None], kind), op=op, value=value)
    assert told["type"] == "error"
    assert said in told["message"]
    assert hint in told["hint"]
