"""What a caller hands in beside the store: tables of Python, as Arrow relations by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError


def arrow_relations(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Each object as something an engine can scan several times.

    Parameters
    ----------
    tables
        pyarrow Tables, RecordBatches and Datasets, pandas and Polars frames, anything with `__arrow_c_stream__`,
        or dicts of lists.

    Raises
    ------
    UnsupportedError
        An object is none of these.
    """
    return {name: arrow_table(value, name) for name, value in tables.items()}


def arrow_table(value: Any, name: str) -> pa.Table:
    """One object as an Arrow table; a stream that can be read once is read whole."""
    if isinstance(value, pa.Table):
        return value
    if isinstance(value, pa.RecordBatch):
        return pa.Table.from_batches([value])
    try:
        if isinstance(value, dict):
            return pa.table(value)
        if hasattr(value, "collect") and type(value).__module__.startswith("polars"):
            value = value.collect()
        if type(value).__module__.startswith("pandas"):
            return pa.Table.from_pandas(value, preserve_index=False)
        if hasattr(value, "__arrow_c_stream__"):
            return pa.table(value)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SchemaError(
            f"{name!r} cannot be read as a table: {error}", hint="Give every column one type, then try again."
        ) from error
    raise UnsupportedError(
        f"{name!r} is a {type(value).__name__}, which is not a table.",
        hint="Give a pandas, Polars or Arrow table, a dict of lists, or anything with __arrow_c_stream__.",
    )
