"""Functions that windows over time and runs of numbers need."""

from __future__ import annotations

from luma_bench.plan.registry import Function, call

WINDOWING: dict[str, Function] = {
    "epoch_ns": call("epoch_ns", "int"),
    "make_timestamp": call("make_timestamp", "timestamp"),
    "make_timestamp_ns": call("make_timestamp_ns", "timestamp"),
    "timezone": call("timezone", "timestamp", 2),
    "to_days": call("to_days", "interval"),
    "to_months": call("to_months", "interval"),
    "range": call("range", "other", 2),
    "isfinite": call("isfinite", "bool"),
}
"""Places in time as numbers and back, and runs of whole numbers."""
