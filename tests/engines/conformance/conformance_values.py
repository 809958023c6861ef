"""The values of the suite's small tables: every kind that engines disagree about, a table's worth for each family of expressions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

ZONE = "America/New_York"
NAN, INF = float("nan"), float("inf")
UTC = dt.UTC


def decimals(text: str) -> list[Decimal]:
    """Decimals with spaces between them."""
    return [Decimal(item) for item in text.split()]


_TEXTS = [
    None, "", "a", "Abc", "abc", "zürich", "ZÜRICH", "e\u0301toile", "\u00e9toile", "日本語", "😀 smile", "שלום עולם",
    "a%b_c", "it's \"q\"", "  both  ", "tab\tnl\nend", "longer than twelve bytes, so not inlined", "a\U0001f1f3\U0001f1f4b", "nul\0in",
]  # fmt: skip
_DAYS = [
    None, dt.date(1970, 1, 1), dt.date(1969, 12, 31), dt.date(1900, 3, 1), dt.date(1582, 10, 14), dt.date(1, 1, 1), dt.date(2000, 2, 29),
    dt.date(2023, 12, 31), dt.date(2024, 1, 31), dt.date(2024, 2, 29), dt.date(2024, 12, 30), dt.date(2100, 2, 28), dt.date(9999, 12, 31),
]  # fmt: skip
_MOMENTS = [
    None, dt.datetime(1970, 1, 1), dt.datetime(1969, 12, 31, 23, 59, 59, 999_999), dt.datetime(1883, 11, 18, 12), dt.datetime(1600, 2, 29, 1, 2, 3, 4),
    dt.datetime(2024, 3, 10, 1, 59, 59), dt.datetime(2024, 3, 10, 2, 30), dt.datetime(2024, 3, 10, 7, 0), dt.datetime(2024, 11, 3, 1, 30),
    dt.datetime(2024, 11, 3, 5, 30), dt.datetime(2024, 11, 3, 6, 30), dt.datetime(2024, 5, 31, 12, 0, 0, 500_000), dt.datetime(2200, 7, 4, 18, 45),
]  # fmt: skip

Kinds = Mapping[str, tuple[pa.DataType, list[Any]]]

NUMBERS: Kinds = {
    "i8": (pa.int8(), [None, 0, 1, -1, 127, -127, 7, -7, 3, 10, 64, -64, 2, 5]),
    "i32": (pa.int32(), [None, 0, 1, -1, 7, -7, 1000, -1000, 46340, 12, 18, -5, 3, 100]),
    "j32": (pa.int32(), [3, 5, -1, 2, 2, 2, 7, 7, None, 18, 12, 3, -5, -30]),
    "i64": (pa.int64(), [None, 0, 2**53, 2**53 + 1, -(2**53) - 1, 2**62, -(2**62), 1, -1, 5, 10**15, -(10**15), 7, 9]),
    "u64": (pa.uint64(), [None, 0, 2**64 - 1, 2**63, 2**53 + 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    "x": (pa.float64(), [None, 0.0, -0.0, 1.5, -2.5, NAN, INF, -INF, 1e300, 5e-324, 0.1, 2.5, -0.5, 1e15 + 0.5]),
    "y": (pa.float64(), [1.0, None, 0.0, 0.5, 2.0, 1.0, -1.0, 2.0, 1e300, 1.0, 0.2, -0.0, NAN, 3.0]),
    "b": (pa.bool_(), [None, True, False, True, None, False, True, None, False, True, False, True, None, False]),
    "c": (pa.bool_(), [None, None, None, True, True, True, False, False, False, True, False, False, True, True]),
}  # fmt: skip

DECIMALS: Kinds = {
    "d": (
        pa.decimal128(18, 4),
        [
            None,
            *decimals(
                "0.0000 1.0000 -1.0000 0.5000 -0.5000 1.2345 -1.2345 2.5000 -2.5000 99999.9999 0.0001 12345678901234.5678"
            ),
        ],
    ),
    "e": (
        pa.decimal128(9, 2),
        [
            *decimals("1.00 2.50"),
            None,
            *decimals("0.05 -3.33 7.77 0.01 -0.01 9999999.99 0.15 0.25 1.00 2.00"),
        ],
    ),
    "h": (
        pa.decimal128(38, 0),
        [
            None,
            *decimals(f"0 1 -1 {10**18} {-(10**18)} {10**37} {-(10**37)} {2**64} 12345678901234567890 5 6 7"),
        ],
    ),
    "n": (pa.int32(), [1, 2, 3, None, -4, 5, 6, 7, 8, 9, 10, 11, 12]),
}

TEXTS: Kinds = {
    "s": (pa.string(), _TEXTS),
    "t": (
        pa.string(),
        ["a", "", "a", "ABC", "b", "%ü%", "z%", "é", "é", "_本_", "😀", None, "a\\%b", "'", "both", "\t", "%twelve%", "b", "l\0i"],
    ),
    "n": (pa.int64(), [1, 2, None, 0, -1, 3, 2, 1, 1, 2, 1, -2, 100, 2, 3, 1, -4, 2, 5]),
    "v": (pa.binary(), [None, b"", b"\0", b"\xff\x00", "é".encode(), *(bytes([i]) * i for i in range(14))]),
}  # fmt: skip

WRITTEN: Kinds = {
    "s": (
        pa.string(),
        [
            None,
            "",
            "12",
            " 12 ",
            "-7",
            "1.5",
            "2.5",
            "1e3",
            "nan",
            "Infinity",
            "-inf",
            "true",
            "F",
            "300",
            "99999999999999999999",
            "abc",
            "2024-02-29",
            "2023-02-29",
            "2024-03-10 02:30:00",
            "12:34:56.789",
            "+5",
            "0x1F",
            "1_000",
        ],
    ),
    "x": (
        pa.float64(),
        [
            None,
            0.0,
            -0.0,
            0.5,
            1.5,
            2.5,
            -0.5,
            -1.5,
            NAN,
            INF,
            -INF,
            1e20,
            127.4,
            127.5,
            -128.6,
            2.0**53,
            9.2e18,
            0.1,
            1e-7,
            123456.789,
            1e15,
            1e16,
            -2.0,
        ],
    ),
    "i": (
        pa.int64(),
        [
            None,
            0,
            1,
            -1,
            127,
            128,
            -128,
            -129,
            255,
            256,
            2**31 - 1,
            2**31,
            -(2**31),
            2**53 + 1,
            2**63 - 1,
            -(2**63),
            65535,
            65536,
            10**9,
            10**10,
            42,
            -42,
            7,
        ],
    ),
    "d": (
        pa.decimal128(18, 3),
        [
            None,
            *decimals(
                "0.000 0.499 0.500 1.500 2.500 -0.500 -1.500 12.345 -12.345 999.999 127.499 127.500 123456789012345.678 1.000 1.100 1.110 10.000 100.000 0.001 -0.001 3.000 4.999"
            ),
        ],
    ),
}

MOMENTS: Kinds = {
    "day": (pa.date32(), _DAYS),
    "other": (pa.date32(), [dt.date(2024, 2, 29), None, *reversed(_DAYS[2:])]),
    "ts": (pa.timestamp("us"), _MOMENTS),
    "tz": (pa.timestamp("us", ZONE), [None if item is None else item.replace(tzinfo=UTC) for item in _MOMENTS]),
    "clock": (
        pa.time64("us"),
        [None, dt.time(0), dt.time(23, 59, 59, 999_999), *(dt.time(i, 5 * i, i, i) for i in range(10))],
    ),
    "n": (pa.int32(), [1, 2, -3, 0, 12, None, 7, -1, 30, 1, 13, -12, 5]),
}  # fmt: skip

NESTED: Kinds = {
    "l": (
        pa.list_(pa.int32()),
        [None, [], [1], [None], [3, 1, 2], [1, None, 2], [5, 5, 5], [-1, 0, 1], [2, 1], [1, 2], [9, 8, 7, 6], [0]],
    ),
    "m": (
        pa.list_(pa.int32()),
        [[1], None, [], [None], [2, 3], [1, None, 2], [5], [7], [1, 2], [1, 2, None], [6, 7], [4]],
    ),
    "w": (
        pa.list_(pa.string()),
        [["a", "b"], [], None, ["é", None], ["z", "a"], [""], ["x"], ["b", "a", "b"], ["😀"], [None], ["A", "a"], ["q"]],
    ),
    "ll": (
        pa.list_(pa.list_(pa.int64())),
        [None, [], [[]], [None], [[1], [2, 3]], [[None]], [[4], None, [5]], [[6, 6]], [[1, 2], [3]], [[7]], [[8], []], [[9]]],
    ),
    "st": (
        pa.struct({"a": pa.int32(), "w": pa.string()}),
        [None, {"a": None, "w": None}, *({"a": i - 3, "w": "é" * i} for i in range(9)), {"a": 1, "w": None}],
    ),
    "mp": (
        pa.map_(pa.string(), pa.int64()),
        [None, [], [("k", 1)], [("k", None)], [("a", 1), ("k", 2)], *([("é", i), ("k", i)] for i in range(6)), [("z", 0)]],
    ),
    "i": (pa.int32(), [1, 0, -1, 1, 2, 3, 4, -4, None, 2, 1, 1]),
}  # fmt: skip
