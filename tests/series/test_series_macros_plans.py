"""Aggregates of series by both plans of a grouped window: the sorted-run kernel and the macros give the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from grouped_worlds import planned

import luma_bench as lb

START = 1_700_000_000_000_000
KINDS = [pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("ms"), pa.timestamp("us", "Europe/Oslo")]
CALLS = [
    "increase(v, ts)", "delta(v, ts)", "rate(v, ts)", "derivative(v, ts)", "integral(v, ts)", "time_weight(v, ts)", "twap(v, ts)",
    "time_weight(v, ts, window_end)", "prom_rate(v, ts, window_start, window_end)", "prom_increase(v, ts, window_start, window_end)", "vwap(v, q)", "ohlc(v, ts)", "dd_quantile(v, 0.9)",
    "dd_quantile(v, 0.5, 0.1)",
]  # fmt: skip


@pytest.fixture(scope="module", params=KINDS, ids=str)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    draw = np.random.default_rng(0)
    rows = 3000
    ticks = np.unique(draw.integers(0, 40_000, rows)) * 1_000
    draw.shuffle(ticks)
    scale = {"us": 1_000, "ns": 1_000_000, "ms": 1}[request.param.unit]
    values = np.round(draw.exponential(5, len(ticks)), 3)
    with lb.open(tmp_path_factory.mktemp("plans") / "b.luma") as made:
        made.write(
            "t",
            pa.table(
                {
                    "k": pa.array([f"k{n}" if n else None for n in draw.integers(0, 4, len(ticks))]),
                    "ts": pa.array((START // 1_000 + ticks) * scale, pa.int64()).cast(request.param),
                    "v": pa.array(values, mask=draw.random(len(ticks)) < 0.05),
                    "q": pa.array(draw.integers(0, 9, len(ticks)), mask=draw.random(len(ticks)) < 0.05),
                }
            ),
        )
        yield made


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return all(alike(one[name], other[name]) for name in one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return one == other


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("size", ["20m", "13s"])
def test_the_kernel_and_the_macros_agree(bench: lb.Bench, call: str, size: str) -> None:
    text = f"SELECT window_start, k, {call} AS x FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '{size}') w GROUP BY ALL ORDER BY ALL"
    answers = []
    for plan in ("runs", "sql"):
        with planned(bench, plan):
            answers.append(bench.kadeql(text, cache=False).to_arrow().to_pylist())
    runs, sql = answers
    assert len(runs) == len(sql) > 5
    for one, other in zip(runs, sql, strict=True):
        assert (one["window_start"], one["k"]) == (other["window_start"], other["k"])
        assert alike(one["x"], other["x"]), (one, other)
