"""Predicates of the query around a match, applied to elements before the walk."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.topology import Bools, Ids, Topology
from luma_bench.storage.filter import evaluate
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate


def true(predicate: Predicate, values: pa.Array, name: str) -> Bools:
    """Where a predicate is TRUE."""
    found = evaluate(predicate, pa.RecordBatch.from_arrays([values], names=[name]))
    return found.fill_null(False).to_numpy(zero_copy_only=False)


def living(ids: Ids, topology: Topology, tables: tuple[int, ...]) -> Ids:
    """The vertices of some tables that are not dead."""
    for place in tables:
        rows = topology.vertices[place]
        if rows.dead is not None:
            own = (ids >= rows.first) & (ids < rows.first + rows.count)
            ids = ids[~own | ~rows.dead[np.where(own, ids - rows.first, 0)]]
    return ids


def shown(predicate: Predicate) -> str:
    """A predicate about one column as people read it, without the column."""
    match predicate:
        case Comparison(_, op, value, _):
            return f"{op} {value!r}"
        case In(_, values, _):
            return f"in {len(values)} values"
        case IsNull(_, negated):
            return "is not NULL" if negated else "is NULL"
        case And(left, right):
            return f"{shown(left)} and {shown(right)}"
        case Or(left, right):
            return f"{shown(left)} or {shown(right)}"
        case Not(operand):
            return f"not {shown(operand)}"
