"""What the tests of schema changes share: defaults of many types, scans and fitted writes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
from segment_cases import SMALL

from luma_bench.storage.fit import Fit
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import InlineBlob, TableScan
from luma_bench.storage.segment import SegmentRef
from luma_bench.types.schema import TableSchema


def opened(
    schema: TableSchema, refs: list[SegmentRef], pool: BufferPool, blobs: list[InlineBlob] | None = None
) -> TableScan:
    return TableScan(schema, refs, blobs or [], pool, SMALL)


ADDED: list[tuple[pa.DataType, Any, str, Any]] = [
    (pa.int64(), 7, "BIGINT", 7),
    (pa.float64(), float("nan"), "DOUBLE", float("nan")),
    (pa.string(), "x" * 80, "VARCHAR", "x" * 80),
    (pa.large_string(), "", "VARCHAR", ""),
    (pa.string_view(), "view", "VARCHAR", "view"),
    (pa.binary(2), b"ab", "BLOB", b"ab"),
    (pa.dictionary(pa.int8(), pa.string()), "coded", "VARCHAR", "coded"),
    (pa.decimal128(30, 2), Decimal("1.50"), "DECIMAL(30,2)", Decimal("1.50")),
    (pa.decimal128(5, 2), Decimal("1.50"), "DECIMAL(5,2)", Decimal("1.50")),
    (pa.timestamp("ms", "UTC"), 5, "TIMESTAMP WITH TIME ZONE", 5000),
    (pa.bool_(), True, "BOOLEAN", True),
    (pa.list_(pa.int8()), [1, None], "", None),
    (pa.struct([("a", pa.string_view())]), {"a": "x"}, "", None),
    (pa.list_(pa.float16(), 2), [1.0, 2.0], "", None),
    (pa.map_(pa.string(), pa.int8()), [("a", 1)], "", None),
    (pa.uuid(), b"0" * 16, "", None),
    (pa.month_day_nano_interval(), (1, 2, 3000), "", None),
]


def fitted(schema: TableSchema, data: pa.Table) -> pa.Table:
    stream = Fit.of(schema, data.schema).stream(iter(data.to_batches()))
    return pa.Table.from_batches(list(stream), schema.arrow)
