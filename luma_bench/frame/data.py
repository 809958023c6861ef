"""Data in memory as Arrow tables: what users hand to frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError

_TAKES = "Give a dict of columns, a list of rows, Arrow, pandas, Polars or NumPy data, or a frame."


def arrow_of(data: Any, *, columns: Sequence[str] | None = None, index: bool = False) -> pa.Table:
    """Data in memory as an Arrow table; what has to be run, such as a lazy Polars frame, is run.

    Parameters
    ----------
    data
        A dict of columns (one value stands for every row), a list of dicts or of rows, a 2-D NumPy array, pandas or
        Polars data, or anything with `__arrow_c_stream__` or `__arrow_c_array__`.
    columns
        Names of the columns, where rows have none; which columns, where they have.
    index
        Whether levels of a pandas index that have a name come in front, as columns; an index is left out else.

    Raises
    ------
    SchemaError
        A column mixes types, columns differ in length, or a name is missing.
    UnsupportedError
        It is no table.
    """
    try:
        table = _table(data, columns, index)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        raise SchemaError(
            f"The data is no table: {str(error).splitlines()[0]}",
            hint="Give every column one type and as many values as the others.",
        ) from error
    if not all(isinstance(name, str) for name in table.column_names):
        raise SchemaError("Column names are text.", hint="Rename the columns that are not.")
    if columns is not None and list(columns) != table.column_names:
        for name in columns:
            if name not in table.column_names:
                raise SchemaError.unknown_column(name, table.column_names, "the data")
        table = table.select(list(columns))
    return table.replace_schema_metadata(None)


def _table(data: Any, columns: Sequence[str] | None, index: bool) -> pa.Table:
    home = type(data).__module__.partition(".")[0]
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, Mapping):
        return _of_columns(cast("Mapping[Any, Any]", data))
    if home == "pandas":
        return _of_pandas(data, index)
    if home == "polars" and hasattr(data, "collect"):
        data = data.collect()
    if home == "polars" and hasattr(data, "to_frame"):
        data = data.to_frame()
    if hasattr(data, "__arrow_c_stream__"):
        return _of_stream(data)
    if hasattr(data, "__arrow_c_array__"):
        return pa.table(data)
    if hasattr(data, "__array__") and getattr(data, "ndim", 0):
        return _of_array(data, columns)
    if isinstance(data, Iterable) and not isinstance(data, str | bytes):
        return _of_rows(list(cast("Iterable[Any]", data)), columns)
    raise UnsupportedError(f"A {type(data).__name__} is no table.", hint=_TAKES)


def _of_stream(data: Any) -> pa.Table:
    reader = pa.RecordBatchReader.from_stream(data)
    return reader.read_all()


def _of_columns(data: Mapping[Any, Any]) -> pa.Table:
    """A dict of columns: a single value stands in every row, as in pandas."""
    arrays: dict[str, Any] = {}
    single: dict[str, Any] = {}
    for name, values in data.items():
        if not isinstance(name, str):
            raise SchemaError(f"{name!r} is no name of a column.", hint="Names are text.")
        if _is_single(values):
            single[name] = values
            arrays[name] = None
        else:
            arrays[name] = _array(values)
    lengths = {name: len(values) for name, values in arrays.items() if values is not None}
    if single and not lengths:
        raise SchemaError(
            "Every column is a single value, so the number of rows is not known.",
            hint="Give a list: {'x': [1]}.",
        )
    if len(set(lengths.values())) > 1:
        raise SchemaError(f"The columns differ in length: {lengths}.", hint="Give as many values in each.")
    rows = next(iter(lengths.values()), 0)
    for name, value in single.items():
        arrays[name] = pa.array([value] * rows)
    return pa.table(arrays)


def _is_single(values: Any) -> bool:
    if isinstance(values, str | bytes | Mapping):
        return True
    return not isinstance(values, Iterable) or getattr(cast("Any", values), "ndim", 1) == 0


def _array(values: Any) -> Any:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if type(values).__module__.partition(".")[0] == "pandas":
        return pa.Array.from_pandas(values)
    if hasattr(values, "to_arrow"):
        return values.to_arrow()
    if hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values)
    return pa.array(values if hasattr(values, "__array__") else list(values))


def _of_pandas(data: Any, index: bool) -> pa.Table:
    if not hasattr(data, "columns"):
        data = data.to_frame(data.name if data.name is not None else "value")
    named = [name for name in data.index.names if name is not None and name not in data.columns]
    if index and named:
        dropped = [level for level, name in enumerate(data.index.names) if name is None]
        data = (data.droplevel(dropped) if dropped else data).reset_index()
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise SchemaError(f"The data has two columns {twice!r}.", hint="Rename or drop one of them.")
    return pa.Table.from_pandas(data, preserve_index=False)


def _of_array(data: Any, columns: Sequence[str] | None) -> pa.Table:
    if data.dtype.names is not None:
        return pa.table({name: pa.array(data[name]) for name in data.dtype.names})
    if data.ndim == 1:
        data = data.reshape(-1, 1)
    if data.ndim != 2:
        raise SchemaError(f"An array of {data.ndim} dimensions is no table.", hint="Give rows and columns.")
    names = _named(columns, data.shape[1])
    return pa.table({name: pa.array(data[:, place]) for place, name in enumerate(names)})


def _of_rows(rows: list[Any], columns: Sequence[str] | None) -> pa.Table:
    """A list of dicts (a key that a row lacks is NULL there), or of rows of values."""
    if not rows:
        return pa.table({name: pa.nulls(0) for name in columns or ()})
    if all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})
    if hasattr(rows[0], "_fields") and columns is None:
        columns = rows[0]._fields
    if any(not isinstance(row, Sequence) or isinstance(row, str | bytes) for row in rows):
        names = _named(columns, 1)
        return pa.table({names[0]: pa.array(rows)})
    width = max(len(row) for row in rows)
    names = _named(columns, width)
    if any(len(row) != width for row in rows):
        raise SchemaError("The rows differ in length.", hint="Give as many values in each.")
    return pa.table({name: pa.array([row[place] for row in rows]) for place, name in enumerate(names)})


def _named(columns: Sequence[str] | None, count: int) -> list[str]:
    if columns is None:
        raise SchemaError("The columns have no names.", hint=f"Give columns=[…] with {count} names.")
    if len(columns) != count:
        raise SchemaError(f"There are {count} columns and {len(columns)} names.", hint="Give as many.")
    return list(columns)
