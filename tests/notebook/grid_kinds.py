"""Kinds of columns with values of each, and a question to a grid's session."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from luma_bench.notebook.grid.session import GridSession
from luma_bench.types.record import RunRecord

RECORD = RunRecord("duckdb", "embedded", 7)
Message = dict[str, Any]


def ask(session: GridSession, **message: Any) -> Message:
    reply = session.handle({"id": 1, **message})
    assert reply is not None
    return reply.message


SECONDS = st.integers(0, 4_000_000_000)
KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "int": (pa.int32(), st.integers(-5, 5)),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "float": (pa.float64(), st.floats(width=16)),
    "decimal": (pa.decimal128(12, 2), st.decimals(-100, 100, places=2)),
    "text": (pa.string(), st.text("abAB é", max_size=4)),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["x", "y", "Z"])),
    "bool": (pa.bool_(), st.booleans()),
    "date": (pa.date32(), st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))),
    "time": (pa.time64("us"), st.times()),
    "timestamp": (pa.timestamp("us"), st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))),
    "nanoseconds": (pa.timestamp("ns"), st.integers(-(10**18), 10**18)),
    "zoned": (pa.timestamp("us", "America/New_York"), SECONDS.map(lambda value: dt.datetime.fromtimestamp(value, dt.UTC))),
    "binary": (pa.binary(), st.binary(max_size=4)),
}  # fmt: skip
