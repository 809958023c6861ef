"""The sensor table: readings of 200 sensors, one a second each, as they arrive; and what Gorilla would make of its columns."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa

SENSORS = 200
START = 1_700_000_000_000_000_000
WALKS = ("temperature", "humidity", "voltage", "vibration")
"""Columns of floats: two random walks as instruments round them, a steady value with noise, and plain noise."""


def generate(rows: int) -> pa.Table:
    """Readings in the order of their times: 7 columns, times in µs with a jitter.

    Parameters
    ----------
    rows
        Rounded down to a whole number of readings of every sensor.
    """
    random = np.random.default_rng(1)
    each = rows // SENSORS
    rows = each * SENSORS
    time = START + np.repeat(np.arange(each), SENSORS) * 1_000_000_000
    time += np.tile(np.arange(SENSORS), each) * 1_000_000 + random.integers(0, 1_000, rows) * 1_000

    def walk(step: float, digits: int, middle: float) -> np.ndarray:
        values = random.normal(0, step, (each, SENSORS)).cumsum(0) + random.normal(middle, 3, SENSORS)
        return np.round(values, digits).ravel()

    return pa.table(
        {
            "ts": pa.array(time // 1_000, pa.timestamp("us")),
            "sensor": pa.array(np.tile(np.arange(SENSORS, dtype=np.int32), each)),
            "temperature": walk(0.02, 2, 21.0),
            "humidity": walk(0.05, 1, 50.0),
            "voltage": np.round(230 + random.normal(0, 0.5, rows), 2),
            "vibration": random.normal(0, 1, rows),
            "state": pa.array((random.random(rows) < 0.001).astype(np.int8)),
        }
    )


def gorilla_bytes(values: np.ndarray) -> int:
    """The exact size of a column of float64 under Gorilla (Pelkonen et al., VLDB 2015, 4.1.2), each sensor a stream of its own.

    Parameters
    ----------
    values
        In the order of the table: sensor after sensor, second after second.
    """
    bits = values.astype(np.float64).view(np.uint64).reshape(-1, SENSORS)
    total = 64 * SENSORS
    left = np.full(SENSORS, 65)
    right = np.zeros(SENSORS, np.int64)
    for before, now in itertools.pairwise(bits):
        xor = before ^ now
        changed = xor != 0
        leading = np.minimum(63 - _top(xor), 31)
        trailing = _top(xor & (~xor + np.uint64(1)))
        inside = changed & (leading >= left) & (trailing >= right)
        outside = changed & ~inside
        total += SENSORS  # the bit that says whether the value changed
        total += int((1 + 64 - left - right)[inside].sum())
        total += int((1 + 5 + 6 + 64 - leading - trailing)[outside].sum())
        left = np.where(outside, leading, left)
        right = np.where(outside, trailing, right)
    return total // 8


def gorilla_time_bytes(values: np.ndarray) -> int:
    """The exact size of a column of times under Gorilla's delta of deltas (4.1.1), with 64 bits where 32 do not do."""
    second = np.diff(values.reshape(-1, SENSORS), n=2, axis=0)
    bits = np.full(second.shape, 4 + 64)
    for width, cost in ((32, 4 + 32), (12, 4 + 12), (9, 3 + 9), (7, 2 + 7)):
        bits[(second >= -(1 << (width - 1)) + 1) & (second <= 1 << (width - 1))] = cost
    bits[second == 0] = 1
    return (int(bits.sum()) + SENSORS * (64 + 64)) // 8


def _top(values: np.ndarray) -> np.ndarray:
    """The place of the highest bit that is set; 0 for none."""
    high = (values >> np.uint64(32)).astype(np.uint32)
    low = values.astype(np.uint32)
    part = np.where(high > 0, high, low).astype(np.float64)
    place = np.frexp(np.maximum(part, 1))[1] - 1
    return np.where(high > 0, place + 32, place).astype(np.int64)
