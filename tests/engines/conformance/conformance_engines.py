"""The engines that are asked, and how they are made to do over small tables what they do over large ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import luma_bench as lb

SAMPLED: Mapping[str, int] = {"dask": 4}
"""Of the whole statements that an engine answers every so-manieth is asked, where a suite has to end soon: each takes a cluster a while."""
ENGINES: Mapping[str, str] = {
    "duckdb": "",
    "point": "",
    "statistics": "",
    "polars": "polars",
    "dask": "distributed",
}
"""Every engine, and the package that it needs besides those of an ordinary installation."""
LOOKING_UP = frozenset({"point", "statistics"})
"""Engines of a few kinds of statements: what one expression of a statement is decides nothing for them."""
MOVING: Mapping[str, int] = {
    "inline_bytes": 0,
    "broadcast_bytes": 0,
    "broadcast_most": 0,
    "part_bytes": 700,
    "least_part_bytes": 1,
    "bucket_bytes": 1000,
    "single_bytes": 0,
    "fan_in": 3,
    "sample_rows": 40,
}
"""Limits of a cluster's plans by which tables of a few rows are cut, and every join, group and sort moves rows between tasks."""


def taking_small_tables(bench: lb.Bench, engine: str) -> lb.Bench:
    """The bench, of which an engine takes tables that are so small that it would leave them to others, or to one task."""
    bench.kadeql("SELECT 1")
    made: Any = bench._machinery.statements.runner.engines.get(engine)
    if engine == "statistics":
        made.least_rows = 0
    if engine == "dask":
        from luma_bench.plan.cluster.settings import ClusterSettings

        made.planning = ClusterSettings(**MOVING)
    return bench
