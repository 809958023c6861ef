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
        An Arrow table, record batch or reader; an object with the Arrow C stream or array interface; a pandas frame; a
        Polars frame or lazy frame; a mapping of column names to arrays or sequences (a two-dimensional NumPy array
        becomes a column of vectors); a list of row mappings (a key that a row lacks is NULL).

        A pandas index becomes a column in front of the others, under its name. One without a name is left out when
        it holds whole numbers, which number rows; any other becomes the column `index` (the levels of several:
        `level_0`, …), as `reset_index` has it.

    Raises
    ------
    SchemaError
        The data is none of these, names a column twice, or Arrow cannot hold it.
    """
    try:
        return _opened(data)
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        OverflowError,
        UnicodeEncodeError,
    ) as error:
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
    frame = _with_index(frame)
    frame = frame.set_axis(_names(frame.columns), axis=1)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    # The `pandas` entry describes the frame, index and all, and would be wrong after the first append.
    return table.replace_schema_metadata(None)


def _with_index(frame: Any) -> Any:
    """The frame with what its index says as columns, and row numbers for an index."""
    from pandas.api.types import is_integer_dtype

    index = frame.index
    names: list[Any] = []
    for level, name in enumerate(index.names):
        numbers = not len(index) or is_integer_dtype(index.get_level_values(level).dtype)
        unnamed = "index" if index.nlevels == 1 else f"level_{level}"
        names.append(name if name is not None else None if numbers else unnamed)
    kept = [level for level, name in enumerate(names) if name is not None]
    frame = frame.droplevel([level for level in range(index.nlevels) if level not in kept]) if kept else frame
    if not kept:
        return frame.reset_index(drop=True)
    present = {str(label) for label in frame.columns}
    for level in kept:
        if str(names[level]) in present:
            hint = "Rename it: frame.rename_axis('key'), or leave it out: frame.reset_index(drop=True)."
            raise SchemaError(
                f"The index of the pandas frame and one of its columns are both named {str(names[level])!r}.",
                hint=hint,
            )
    return frame.set_axis(frame.index.set_names([names[level] for level in kept]), axis=0).reset_index()


def _names(labels: Any) -> list[str]:
    """Column labels as text.

    Raises
    ------
    SchemaError
        Two are the same text.
    """
    names: list[str] = []
    seen: set[str] = set()
    for label in labels:
        name = str(label)
        if name in seen:
            raise SchemaError.column(
                "(new data)", name, "the name is there twice.", "Rename one of the columns."
            )
        seen.add(name)
        names.append(name)
    return names


def _from_columns(columns: Mapping[Any, Any]) -> pa.Table:
    arrays = {
        name: _array(name, values) for name, values in zip(_names(columns), columns.values(), strict=True)
    }
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
    names = _names(dict.fromkeys(key for row in rows for key in row))
    renamed = [{str(key): value for key, value in row.items()} for row in rows]
    return pa.Table.from_arrays([pa.array([row.get(name) for row in renamed]) for name in names], names=names)
