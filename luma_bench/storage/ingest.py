"""Accepted data, whatever library made it, as one stream of Arrow record batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import SchemaError

_ACCEPTED = (
    "Give an Arrow table, batch or reader, a pandas or Polars frame, a dict of columns, a list of row dicts, "
    "or anything with __arrow_c_stream__."
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Data on its way in: the schema it announces, and batches that are read once."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


def incoming(data: Any) -> Incoming:
    """Open data for one pass.

    Parameters
    ----------
    data
        An Arrow table, record batch or reader; an object with the Arrow C stream or array interface; a pandas frame (an
        index with a name becomes a column, one without is left out); a Polars frame or lazy frame; a mapping of column
        names to arrays or sequences (a two-dimensional NumPy array becomes a column of vectors); a list of row
        mappings (a key that a row lacks is NULL).

    Raises
    ------
    SchemaError
        The data is none of these, or Arrow cannot hold it.
    """
    try:
        return _opened(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        raise SchemaError(
            f"Arrow cannot hold this data: {error}", hint="Give the column one type, or an Arrow array."
        ) from error


def _opened(data: Any) -> Incoming:
    if isinstance(data, pa.RecordBatchReader):
        return Incoming(data.schema, iter(data))
    if isinstance(data, pa.Table):
        return Incoming(data.schema, iter(data.to_batches()))
    if isinstance(data, pa.RecordBatch):
        return Incoming(data.schema, iter([data]))
    library = type(data).__module__.partition(".")[0]
    if library == "pandas" and hasattr(data, "columns"):
        return _opened(_from_pandas(data))
    if library == "polars" and hasattr(data, "collect"):
        data = data.collect(engine="streaming")
    if library == "polars" and hasattr(data, "to_arrow") and hasattr(data, "columns"):
        return _opened(data.to_arrow())
    if hasattr(data, "__arrow_c_stream__"):
        return _opened(_frame_stream(data))
    if hasattr(data, "__arrow_c_array__"):
        return _opened(pa.record_batch(data))
    if isinstance(data, Mapping):
        return _opened(_from_columns(data))
    if (
        isinstance(data, Sequence)
        and not isinstance(data, str | bytes)
        and all(isinstance(row, Mapping) for row in data)
    ):
        return _opened(_from_rows(data))
    raise SchemaError(f"A {type(data).__name__} is not data for a table.", hint=_ACCEPTED)


def _frame_stream(data: Any) -> pa.RecordBatchReader:
    try:
        return pa.RecordBatchReader.from_stream(data)
    except pa.ArrowInvalid as error:
        # A single array or series has the interface too, but no columns.
        raise SchemaError(f"A {type(data).__name__} is not a table: {error}", hint=_ACCEPTED) from error


def _from_pandas(frame: Any) -> pa.Table:
    if getattr(frame.columns, "nlevels", 1) > 1:
        hint = "Flatten it first: frame.columns = ['_'.join(levels) for levels in frame.columns]."
        raise SchemaError("A pandas frame with several levels of column names is not a table.", hint=hint)
    named = [level for level, name in enumerate(frame.index.names) if name is not None]
    if named:
        frame = frame.reset_index(level=named)
    frame = frame.set_axis([str(label) for label in frame.columns], axis=1)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    # The `pandas` entry describes the frame, index and all, and would be wrong after the first append.
    return table.replace_schema_metadata(None)


def _from_columns(columns: Mapping[Any, Any]) -> pa.Table:
    arrays = {str(name): _array(str(name), values) for name, values in columns.items()}
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{name!r} has {count:,}" for name, count in list(counts.items())[:6])
        raise SchemaError(
            f"The columns differ in length: {shown}.", hint="Give every column the same number of values."
        )
    return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))


def _array(name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, np.ndarray):
        return _numpy_array(name, values)
    library = type(values).__module__.partition(".")[0]
    if library == "pandas":
        return pa.array(values, from_pandas=True)
    if hasattr(values, "to_arrow"):
        return values.to_arrow()
    if hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values)
    if hasattr(values, "__arrow_c_array__") or (
        hasattr(values, "__len__") and not isinstance(values, str | bytes | Mapping)
    ):
        return pa.array(values)
    problem = f"a {type(values).__name__} is not a column of values"
    raise SchemaError.column("(new data)", name, problem, "Give a list, a NumPy or Arrow array, or a series.")


def _numpy_array(name: str, values: np.ndarray) -> pa.Array:
    if values.ndim == 2:
        flat = pa.array(np.ascontiguousarray(values).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    if values.ndim != 1:
        problem = f"a NumPy array of {values.ndim} dimensions is not a column"
        raise SchemaError.column(
            "(new data)", name, problem, "Give one dimension for values, or two for vectors."
        )
    return pa.array(values)


def _from_rows(rows: Sequence[Mapping[Any, Any]]) -> pa.Table:
    names = list(dict.fromkeys(str(key) for row in rows for key in row))
    renamed = [{str(key): value for key, value in row.items()} for row in rows]
    return pa.Table.from_arrays([pa.array([row.get(name) for row in renamed]) for name in names], names=names)
