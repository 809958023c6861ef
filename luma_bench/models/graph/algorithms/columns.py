"""Columns of tables as what kernels need of them: weights and times by edge, coordinates by vertex, each value checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.models.graph.algorithms.spec import Task
from luma_bench.models.graph.topology import Bools, Csr, Floats, Ints


def weights(task: Task, csr: Csr, *, argument: str = "weight", zero: bool = True) -> Floats:
    """The weight of each edge, by position of a CSR with global slots.

    Parameters
    ----------
    zero
        Whether a weight may be 0.

    Raises
    ------
    UnsupportedError
        One is NULL, not a number, infinite, negative, or 0 where that is not allowed; the first such row is named.
    """
    column, _ = numbers(task.values[argument], np.float64)
    found: Floats = column[csr.slots]
    fine = (found >= 0.0) if zero else (found > 0.0)
    fine &= found < np.inf
    if fine.all():
        return found
    position = int(np.argmin(fine))
    value = float(found[position])
    what = "NULL or not a number" if np.isnan(value) else f"{value:g}"
    raise UnsupportedError(
        f"{task.name}: the {argument} of {edge_place(task, int(csr.slots[position]))} is {what}.",
        hint=f"Weights are finite and {'0 or more' if zero else 'above 0'}. Correct or delete such rows, or name another column.",
    )


def coordinates(task: Task) -> Floats | None:
    """The x and y of each vertex, float64 of shape (vertices, 2); None when neither is given.

    Raises
    ------
    UnsupportedError
        Only one of them is given, or one is NULL, not a number or infinite at a live vertex.
    """
    if task.values["x"] is None and task.values["y"] is None:
        return None
    if task.values["x"] is None or task.values["y"] is None or task.values["target"] is None:
        raise UnsupportedError(
            f"{task.name}: x and y lead the search to a target, so the three are given together.",
            hint="Leave x and y out, or give all three: target => …, x => …, y => …",
        )
    found = np.column_stack([numbers(task.values[name], np.float64)[0] for name in ("x", "y")])
    live = task.live()
    fine = np.isfinite(found[live]).all(axis=1)
    if not fine.all():
        vertex = live[int(np.argmin(fine))]
        table, row = (int(item[0]) for item in task.topology.row_ids_of(np.array([vertex])))
        name = task.topology.graph.vertices[table].name
        raise UnsupportedError(
            f"{task.name}: x or y of row {row} of {name!r} is NULL or not finite.",
            hint="Correct such rows, or leave x and y out: the answer is the same, found more slowly.",
        )
    # Dead vertices are never looked at; their NaNs must not spread into a least ratio.
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)


def times(task: Task, name: str) -> tuple[Ints, Bools | None]:
    """A column of times by global slot, and where it is not NULL; None for everywhere."""
    return numbers(task.values[name], np.int64)


def edge_place(task: Task, slot: int) -> str:
    """The row of an edge, in words."""
    table, row = (int(item[0]) for item in task.topology.slot_row_ids(np.array([slot])))
    return f"row {row} of {task.topology.graph.edges[table].name!r}"


def numbers(column: Any, kind: type) -> tuple[np.ndarray[Any, Any], Bools | None]:
    """A column of NumPy or Arrow as numbers of a kind, and where it is not NULL (NaT is); floats have NaN there."""
    valid: Bools | None = None
    if isinstance(column, pa.Array | pa.ChunkedArray):
        held: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if held.null_count:
            valid = np.asarray(held.is_valid())
        if kind is np.int64:
            held = held.cast(pa.int64())
            column = held.fill_null(0) if valid is not None else held
        else:
            column = held.cast(pa.float64())
        column = column.to_numpy(zero_copy_only=False)
    array = np.asarray(column)
    if array.dtype.kind in "mM":
        empty = np.isnat(array)
        array = array.view(np.int64)
        valid = ~empty if empty.any() else valid
    return array.astype(kind, copy=False), valid
