"""Data of the series benchmarks: a TSBS-like table of hosts' readings, and trades and quotes, sorted by series and time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import feather

import luma_bench as lb

START = np.datetime64("2026-01-01T00:00:00", "us").astype(np.int64)
EVERY_US = 10_000_000
_OUTAGES = (60, 60, 60, 720)
_OPENS_US = 34_200_000_000
_DAY_US = 23_400_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much: hosts with a reading every ten seconds, trades and quotes of symbols."""

    hosts: int
    readings: int
    trades: int
    quotes: int
    symbols: int = 100


FULL = Size(500, 17_280, 2_000_000, 10_000_000)
"""Two days of 500 hosts; 2 million trades beside 10 million quotes."""
QUICK = Size(20, 2_000, 20_000, 100_000)


def tables(size: Size, folder: Path) -> dict[str, pa.Table]:
    """The tables `cpu`, `trades` and `quotes`, made once a folder and size."""
    found: dict[str, pa.Table] = {}
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"series-{size.hosts}-{size.readings}-{size.trades}-{size.quotes}"
    makers = {
        "cpu": lambda: _cpu(size),
        "trades": lambda: _ticks(size, size.trades, 2, quoted=False),
        "quotes": lambda: _ticks(size, size.quotes, 3, quoted=True),
    }
    for name, make in makers.items():
        path = folder / f"{stem}-{name}.arrow"
        if not path.exists():
            feather.write_feather(make(), str(path), compression="uncompressed")
        found[name] = feather.read_table(str(path), memory_map=False).combine_chunks()
    return found


def bench(held: dict[str, pa.Table], path: Path, threads: int) -> lb.Bench:
    """A bench of the tables, each with its series key and time column; it caches no results."""
    made = lb.open(path, threads=threads, result_cache_bytes=0)
    for name, table in held.items():
        key = "hid" if name == "cpu" else "sym"
        made.write(name, table, mode="create", time_column="ts", series_key=key)
    return made


def _cpu(size: Size) -> pa.Table:
    """Walking readings with 2 % of them lost, outages, and a counter that starts anew now and then."""
    random = np.random.default_rng(1)
    hosts, count = size.hosts, size.readings
    kept = random.random((hosts, count)) > 0.02
    for host in range(hosts):
        for length in _OUTAGES:
            length = min(length, count // 4)
            first = int(random.integers(0, count - length))
            kept[host, first : first + length] = False
    counter = np.cumsum(random.integers(0, 2000, (hosts, count)), 1)
    for host in range(hosts):
        for first in random.integers(0, count, 3):
            counter[host, first:] -= counter[host, first]

    def walk() -> Any:
        steps = np.cumsum(random.normal(0, 1, (hosts, count)), 1)
        return np.clip(np.round(50 + 30 * np.sin(steps / 40), 2), 0, 100).ravel()

    columns = {"usage_user": walk(), "usage_system": walk(), "usage_idle": walk()}
    columns["net_bytes"] = counter.ravel().astype(np.float64)
    left = kept.ravel()
    code = np.repeat(np.arange(hosts, dtype=np.int32), count)[left]
    ts = np.tile(START + np.arange(count, dtype=np.int64) * EVERY_US, hosts)[left]
    return pa.table(
        {
            "hid": pa.array(code),
            "ts": pa.array(ts).view(pa.timestamp("us")),
            **{name: pa.array(values[left]) for name, values in columns.items()},
        }
    )


def _ticks(size: Size, count: int, seed: int, *, quoted: bool) -> pa.Table:
    """Prices of symbols, of which few have most of the rows."""
    random = np.random.default_rng(seed)
    symbol = np.sort(random.zipf(1.3, count) % size.symbols).astype(np.int32)
    ts = START + _OPENS_US + random.integers(0, _DAY_US, count)
    order = np.lexsort((ts, symbol))
    symbol, ts = symbol[order], ts[order]
    price = 100 + symbol + np.round(np.cumsum(random.normal(0, 0.01, count)) % 5, 2)
    columns: dict[str, pa.Array] = {"sym": pa.array(symbol), "ts": pa.array(ts).view(pa.timestamp("us"))}
    if quoted:
        columns |= {"bid": pa.array(price - 0.01), "ask": pa.array(price + 0.01)}
    else:
        columns |= {
            "px": pa.array(price),
            "qty": pa.array(random.integers(1, 500, count).astype(np.float64)),
        }
    return pa.table(columns)
