"""One value, whole: as text, and as JSON where it has parts."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from luma_bench.bench.cells import plain_scalar, value_text
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.plain import plain

MOST = 1 << 20
"""Characters of a value that travel; a text of a hundred megabytes is exported, not looked at."""
_NESTED = frozenset({"list", "struct", "map", "vector", "other"})
_TEXTS = frozenset({"text", "json"})


def whole_value(values: pa.ChunkedArray, row: int, column: GridColumn) -> dict[str, Any]:
    """The value of a row: `text`, its `length` in characters, and whether it is `cut`; `json` where it has parts."""
    scalar = plain_scalar(values[row])
    if scalar is None:
        return {"text": None, "length": 0, "cut": False}
    if column.kind in _TEXTS and hasattr(scalar, "as_buffer"):
        buffer = scalar.as_buffer()
        given = buffer.slice(0, min(buffer.size, 4 * MOST)).to_pybytes().decode("utf-8", "replace")
        text, length = given[:MOST], len(given) if buffer.size <= 4 * MOST else buffer.size
    elif column.kind == "binary" and hasattr(scalar, "as_buffer"):
        buffer = scalar.as_buffer()
        text, length = (
            "0x" + buffer.slice(0, min(buffer.size, MOST // 2)).to_pybytes().hex().upper(),
            2 + 2 * buffer.size,
        )
    else:
        given = value_text(scalar)
        text, length = given[:MOST], len(given)
    told: dict[str, Any] = {"text": text, "length": length, "cut": len(text) < length}
    if told["cut"]:
        return told
    if column.kind == "json":
        try:
            told["json"] = plain(json.loads(text))
        except (ValueError, RecursionError):
            # A text under a JSON column's name that is none is still a text to read.
            return told
    elif column.kind in _NESTED:
        told["json"] = plain(scalar.as_py())
    return told
