"""Every kind of island that a query can hold."""

from __future__ import annotations

from luma_bench.language.graph.pattern import GraphIsland
from luma_bench.language.series.pattern import AnySeries

AnyIsland = GraphIsland | AnySeries
"""A graph's pattern or algorithm, or a construct about series."""
