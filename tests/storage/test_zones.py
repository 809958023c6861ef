"""Zone maps: bounds hold for every value, survive their encoding, and merge into a segment's statistics."""

from __future__ import annotations

import decimal
import math
import struct
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_cases import PLAIN, arrays

from luma_bench.storage.statistics import from_bytes, to_bytes
from luma_bench.storage.zones import (
    BOUND_BYTES,
    Zone,
    distinct_of,
    domain_of,
    merged,
    merged_batch,
    to_batch,
    zone_of,
    zones_in,
)

_WIDE = decimal.Context(prec=80)


def keys(array: pa.Array) -> list[Any]:
    """Every value but NULL and NaN in the zone domain, by way of Arrow's raw storage as Python sees it."""
    kind = array.type
    if pa.types.is_floating(kind):
        return [value for value in array.to_pylist() if value is not None and not math.isnan(value)]
    if pa.types.is_decimal(kind):
        return [
            int(value.scaleb(kind.scale, context=_WIDE)) for value in array.to_pylist() if value is not None
        ]
    domain = domain_of(kind)
    if domain == pa.binary():
        return [v.encode() if isinstance(v, str) else v for v in array.to_pylist() if v is not None]
    width = 1 if pa.types.is_boolean(kind) else kind.bit_width // 8
    if width == 1 and pa.types.is_boolean(kind):
        return [int(value) for value in array.to_pylist() if value is not None]
    raw = array.buffers()[1].to_pybytes()
    code = {1: "b", 2: "h", 4: "i", 8: "q"}[width]
    code = code.upper() if pa.types.is_unsigned_integer(kind) else code
    found = struct.unpack(f"<{len(raw) // width}{code}", raw[: len(raw) // width * width])
    return [found[array.offset + i] for i in range(len(array)) if array[i].is_valid]


@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_bounds_hold_and_are_tight(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([kind for kind in PLAIN if domain_of(kind) is not None]))
    array = data.draw(arrays(kind))
    zone = zone_of(array)
    assert (zone.rows, zone.nulls) == (len(array), array.null_count)
    batch = from_bytes(to_bytes(to_batch({7: (kind, [zone])}, {})))
    zones = zones_in([batch], 7)
    held = keys(array)
    assert bool(zones.known[0]) is bool(held)
    if held:
        assert zones.low[0] == min(held)
        assert zones.high[0] == max(held)
    if pa.types.is_floating(kind):
        assert bool(zones.nan[0]) is any(
            value is not None and math.isnan(value) for value in array.to_pylist()
        )


@settings(deadline=None, max_examples=80)
@given(
    items=st.lists(
        st.tuples(st.sampled_from([b"", b"x" * 62, b"\xff" * 62, b"\xff" * 80]), st.binary(max_size=6)),
        min_size=1,
        max_size=6,
    )
)
def test_long_bytes_are_cut_outward(items: list[tuple[bytes, bytes]]) -> None:
    held = [head + rest for head, rest in items]
    zone = zone_of(pa.array(held, pa.binary()))
    assert len(zone.low) <= BOUND_BYTES
    assert zone.low <= min(held)
    if zone.open:
        assert max(held)[:BOUND_BYTES] == b"\xff" * BOUND_BYTES
    else:
        assert len(zone.high) <= BOUND_BYTES
        assert zone.high >= max(held)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_merging_zones_and_merging_batches_agree(data: st.DataObject) -> None:
    kind = data.draw(
        st.sampled_from([pa.int64(), pa.float64(), pa.string(), pa.decimal128(30, 2), pa.uint64()])
    )
    zones = [
        zone_of(data.draw(arrays(kind, rows=data.draw(st.integers(0, 6)))))
        for _ in range(data.draw(st.integers(1, 5)))
    ]
    whole = zones_in([to_batch({7: (kind, [merged(zones)])}, {})], 7)
    other = zones_in([merged_batch(to_batch({7: (kind, zones)}, {7: 3}))], 7)
    assert distinct_of(merged_batch(to_batch({7: (kind, zones)}, {7: 3})), 7) == 3
    for name in ("known", "nulls", "rows", "nan", "open"):
        assert getattr(whole, name).tolist() == getattr(other, name).tolist()
    if whole.known[0]:
        assert (whole.low[0], whole.high[0]) == (other.low[0], other.high[0])


def test_a_missing_column_is_all_null_beside_any_other() -> None:
    without = to_batch({1: (pa.int64(), [Zone(5, 0, low=1, high=2)])}, {})
    for kind, low in [
        (pa.string(), b"b"),
        (pa.float64(), 1.5),
        (pa.decimal128(30, 0), 10**25),
        (pa.int64(), 4),
    ]:
        batch = to_batch({1: (pa.int64(), [Zone(3, 0)]), 7: (kind, [Zone(3, 1, low=low, high=low)])}, {})
        for order in ([without, batch], [batch, without]):
            zones = zones_in(order, 7)
            at = order.index(batch)
            assert zones.bounded
            assert zones.known.tolist() == [i == at for i in range(2)]
            assert zones.nulls.tolist() == [1 if i == at else 5 for i in range(2)]
            assert zones.low[at] == low
            assert (zones.low == np.array(low, object)).tolist()[at] is True
            assert zones.low.dtype == zones_in([batch], 7).low.dtype


def test_no_rows_have_no_bounds() -> None:
    for kind in PLAIN:
        zone = zone_of(pa.array([], kind))
        assert (zone.rows, zone.nulls, zone.low) == (0, 0, None)
        assert not zones_in([merged_batch(to_batch({7: (kind, [])}, {}))], 7).nulls.any()


@pytest.mark.parametrize("digits", [38, 29])
def test_wide_decimals_keep_every_digit(digits: int) -> None:
    value = Decimal(int("9" * digits))
    zone = zone_of(pa.array([value, value.copy_negate()], pa.decimal128(38, 0)))
    assert (zone.low, zone.high) == (-int(value), int(value))
