"""A task's rows by bucket: DuckDB says for each row which bucket it is in, and one stable sort of these numbers splits them.

The order of rows within a bucket is that of the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.plan.cluster.stages import Hashed, Output, Ranged, Whole
from luma_bench.types.sql_text import quoted

_BUCKET = "luma bucket"
_KEY = "luma key"
_EDGES = "luma_edges"

Run = Callable[[str, dict[str, pa.Table]], pa.Table]
"""Runs a statement over the task's relations and these besides."""


def bucketed(sql: str, output: Output, run: Run) -> list[pa.Table]:
    """The rows of a statement by bucket; `Whole` gives one.

    Rows are compared by the bytes of DuckDB's own sort keys, so that every type sorts as DuckDB sorts it.
    """
    match output:
        case Whole():
            return [run(sql, {})]
        case Hashed():
            if output.buckets == 1:
                return [run(sql, {})]
            # Hashed twice: DuckDB's own hash tables use the bits of the first.
            number = f"hash(hash({', '.join(output.keys)})) % {output.buckets}"
            rows = run(f"SELECT *, ({number})::UINTEGER AS {quoted(_BUCKET)} FROM ({sql}) AS task", {})
        case Ranged():
            if output.buckets == 1:
                return [run(sql, {})]
            edges = _edges(output, run)
            key = _sort_key([f"c{index}" for index, _, _ in output.keys], output)
            rows = run(
                f"SELECT * EXCLUDE ({quoted(_KEY)}), ({_search(edges, 0, len(edges))})::UINTEGER AS {quoted(_BUCKET)} "
                f"FROM (SELECT *, {key} AS {quoted(_KEY)} FROM ({sql}) AS task) AS keyed",
                {},
            )
    return split(rows, output.buckets)


def split(rows: pa.Table, buckets: int) -> list[pa.Table]:
    """Rows by the numbers in their last column, which is left out: one table for each number from 0 on."""
    schema = pa.schema(list(rows.schema)[:-1])
    parts: list[list[pa.RecordBatch]] = [[] for _ in range(buckets)]
    for batch in rows.to_batches():
        numbers = _numbers(batch.column(batch.num_columns - 1))
        if buckets <= 1 << 16:
            numbers = numbers.astype(np.uint16)  # these are sorted by radix
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=buckets))
        places = pa.Array.from_buffers(
            pa.int64(), len(order), [None, pa.py_buffer(order.astype(np.int64, copy=False))]
        )
        taken = pa.RecordBatch.from_arrays(batch.columns[:-1], schema=schema).take(places)
        start = 0
        for bucket, end in enumerate(ends.tolist()):
            if end > start:
                parts[bucket].append(taken.slice(start, end - start))
            start = end
    return [pa.Table.from_batches(part, schema) for part in parts]


def _numbers(column: pa.Array) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The values of a uint32 column without NULLs; from its buffer, since pyarrow's own way loads pandas."""
    return np.frombuffer(column.buffers()[1], np.uint32, len(column), column.offset * 4)


def _sort_key(columns: Sequence[str], output: Ranged) -> str:
    directions = [
        f"'{'DESC' if descending else 'ASC'} NULLS {'FIRST' if nulls_first else 'LAST'}'"
        for _, descending, nulls_first in output.keys
    ]
    inside = ", ".join(
        f"{quoted(column)}, {direction}" for column, direction in zip(columns, directions, strict=True)
    )
    return f"create_sort_key({inside})"


def _edges(output: Ranged, run: Run) -> list[str]:
    """The borders' sort keys as literals."""
    names = [f"e{index}" for index in range(output.edges.num_columns)]
    key = _sort_key(names, output)
    found = run(f"SELECT {key} AS k FROM {_EDGES}", {_EDGES: output.edges.rename_columns(names)})
    return [_literal(value) for value in found.column(0).to_pylist()]


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"
    return str(value)


def _search(edges: Sequence[str], first: int, end: int) -> str:
    """The number of the bucket by binary search, so that a row is compared with few of the borders."""
    if first == end:
        return str(first)
    middle = (first + end) // 2
    below = f"{quoted(_KEY)} < {edges[middle]}"
    return (
        f"CASE WHEN {below} THEN {_search(edges, first, middle)} ELSE {_search(edges, middle + 1, end)} END"
    )
