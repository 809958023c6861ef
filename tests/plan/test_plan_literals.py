"""A constant comes back from the engine as the value it was, of the same type; a name is the column it names."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import UnsupportedError
from luma_bench.plan.literals import constant, identifier


@pytest.fixture(scope="module")
def connection():
    made = duckdb.connect(config={"python_enable_replacements": False})
    made.execute("SET TimeZone = 'UTC'")
    yield made
    made.close()


def back(connection: duckdb.DuckDBPyConnection, value: object) -> Any:
    return connection.sql(f"SELECT {constant(value)} AS v").to_arrow_table().column(0)[0].as_py()


TEXT = st.text() | st.text(alphabet="'\"\\;-$/*\0\n{}%☃é", max_size=12)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | TEXT.filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text))
    | st.binary(max_size=12)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.uuids()
)


@given(value=VALUES)
@settings(deadline=None, max_examples=400)
def test_round_trip(connection: duckdb.DuckDBPyConnection, value: object) -> None:
    got = back(connection, value)
    if isinstance(value, uuid.UUID):
        got = uuid.UUID(str(got))
    if isinstance(value, float):
        assert math.copysign(1, got) == math.copysign(1, value)
    assert got == value
    assert type(got) is type(value) or isinstance(value, uuid.UUID)


@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20)
)
@settings(deadline=None, max_examples=100)
def test_decimals_are_exact(connection: duckdb.DuckDBPyConnection, value: decimal.Decimal) -> None:
    assert back(connection, value) == value


@given(
    value=st.datetimes(
        dt.datetime(1, 1, 3),
        dt.datetime(9999, 12, 29),
        timezones=st.sampled_from([dt.UTC, ZoneInfo("America/New_York")]),
    )
)
@settings(deadline=None, max_examples=100)
def test_an_aware_time_is_the_same_instant(connection: duckdb.DuckDBPyConnection, value: dt.datetime) -> None:
    # Python compares zones of one moment as unequal inside a repeated hour.
    assert back(connection, value) == value.astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "'nan'::DOUBLE"),
        (math.inf, "'inf'::DOUBLE"),
        (-math.inf, "'-inf'::DOUBLE"),
        (0.5, "0.5e0"),
        (1e300, "1e+300"),
        (np.float32(0.5), "0.5e0"),
        (np.int64(-3), "-3"),
        (np.bool_(True), "TRUE"),
        (np.datetime64("2024-01-02"), "TIMESTAMP '2024-01-02 00:00:00'"),
        (np.datetime64("2024-01-02T03:04:05.123456789"), "TIMESTAMP_NS '2024-01-02 03:04:05.123456789'"),
        (np.datetime64("NaT", "us"), "NULL"),
        (pd.NA, "NULL"),
        (pd.NaT, "NULL"),
        (pd.Timestamp("2024-01-02 03:04:05"), "TIMESTAMP '2024-01-02 03:04:05'"),
        (pd.Timestamp("2024-01-02 03:04:05.000000007"), "TIMESTAMP_NS '2024-01-02 03:04:05.000000007'"),
        (pd.Timedelta("2s"), "to_microseconds(2000000)"),
        (dt.timedelta(days=-1), "to_microseconds(-86400000000)"),
        (pa.scalar("x'"), "'x'''"),
        (decimal.Decimal("1.50"), "'1.50'::DECIMAL(3,2)"),
        (decimal.Decimal("1E+3"), "'1000'::DECIMAL(4,0)"),
        (b"\x00'\xff", r"'\x00\x27\xFF'::BLOB"),
        ([1, None, "a"], "[1, NULL, 'a']"),
        ({"a'b": 1}, "{'a''b': 1}"),
        ("a\0b", "('a' || chr(0) || 'b')"),
    ],
)
def test_texts(connection: duckdb.DuckDBPyConnection, value: object, text: str) -> None:
    assert constant(value) == text
    if not isinstance(value, list):
        connection.sql(f"SELECT {text}").fetchall()


@pytest.mark.parametrize(
    "value",
    [
        object(),
        1 << 127,
        "\ud800",
        decimal.Decimal("NaN"),
        decimal.Decimal("1e40"),
        np.timedelta64(1, "ns"),
        pd.Timestamp("2024-01-01 00:00:00.000000001", tz="UTC"),
        dt.time(1, tzinfo=dt.UTC),
        1j,
    ],
)
def test_what_has_no_constant_is_refused(value: object) -> None:
    with pytest.raises(UnsupportedError):
        constant(value)


@given(name=st.text(min_size=1, max_size=12).filter(lambda name: "\0" not in name and name.isprintable()))
@settings(deadline=None, max_examples=150)
def test_any_name_is_itself(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    text = f"SELECT {identifier(name)} FROM (SELECT 1 AS {identifier(name)}) AS t"
    assert connection.sql(text).columns == [name]
    assert sqlglot.parse_one(text, dialect="duckdb").named_selects == [name]


def test_every_keyword_is_a_name(connection: duckdb.DuckDBPyConnection) -> None:
    words = [row[0] for row in connection.sql("SELECT keyword_name FROM duckdb_keywords()").fetchall()]
    assert len(words) > 400
    for word in words:
        name = identifier(word)
        found = connection.sql(
            f"SELECT {name}, {name} + 1 AS more, sum({name}) AS s FROM (SELECT 1 AS {name}) AS t "
            f"WHERE {name} > 0 GROUP BY {name} ORDER BY {name}"
        )
        assert found.fetchall() == [(1, 2, 1)], word


def test_plain_names_stay_plain() -> None:
    assert [identifier(name) for name in ("year", "dep_delay", "Origin", "_x1")] == [
        "year",
        "dep_delay",
        "Origin",
        "_x1",
    ]
    assert [identifier(name) for name in ("select", "a b", 'q"', "1st", "é", "match")] == [
        '"select"',
        '"a b"',
        '"q"""',
        '"1st"',
        '"é"',
        '"match"',
    ]
    with pytest.raises(UnsupportedError, match="NUL"):
        identifier("a\0b")
