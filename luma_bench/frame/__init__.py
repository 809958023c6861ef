"""Frames: `lb.DataFrame`, `lb.Series` and `lb.GroupBy`, pandas' names over plan nodes.

A frame is an executor and a plan; it reaches the bench through `types.executor.Executor` alone.
"""

from __future__ import annotations

from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.groupby import GroupBy
from luma_bench.frame.series import Series

__all__ = ["DataFrame", "GroupBy", "Series"]
