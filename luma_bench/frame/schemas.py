"""What `map_batches` is told of its function: the schema of its rows, and how many it gets at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from luma_bench.errors import SchemaError

_PYTHON: dict[Any, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
}


def as_schema(schema: pa.Schema | Mapping[str, Any]) -> pa.Schema:
    """An Arrow schema, of one or of a mapping of name to type: Arrow's, Python's, NumPy's, or a name of one.

    Raises
    ------
    SchemaError
        A type is not known.
    """
    if isinstance(schema, pa.Schema):
        return schema
    return pa.schema([(name, _type(name, given)) for name, given in schema.items()])


def _type(name: str, given: Any) -> pa.DataType:
    if isinstance(given, pa.DataType):
        return given
    if given in _PYTHON:
        return _PYTHON[given]
    try:
        if isinstance(given, str):
            plain = given.removesuffix("[pyarrow]")
            if plain.startswith("datetime64["):
                return pa.timestamp(plain[11:-1])
            return pa.type_for_alias("string" if plain == "str" else plain)
        return pa.from_numpy_dtype(given)
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise SchemaError(
            f"The type {given!r} of the column {name!r} is not known.",
            hint="Give an Arrow type, such as pa.int64(), or its name: 'int64', 'string', 'timestamp[us]'.",
        ) from error


def pieces(reader: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `rows`; the last one has what is left."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        while count + batch.num_rows >= rows:
            cut = rows - count
            yield pa.concat_batches([*waiting, batch.slice(0, cut)])
            waiting, count, batch = [], 0, batch.slice(cut)
        if batch.num_rows:
            waiting.append(batch)
            count += batch.num_rows
    if waiting:
        yield pa.concat_batches(waiting)
