"""A program from its plan to its answer, and whether it could be run at all."""

from __future__ import annotations

import time

import polars as pl
import pyarrow as pa

from luma_bench.engines.polars.columns import delivered
from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.frames import Rows
from luma_bench.engines.polars.kinds import Refused
from luma_bench.engines.polars.relations import Relations
from luma_bench.engines.polars.running import RunningQuery
from luma_bench.engines.polars.scans import Tables
from luma_bench.plan.engine import Fallback, Inputs
from luma_bench.plan.relational.nodes import Program
from luma_bench.types.record import NodeRecord


def problem(program: Program, inputs: Inputs, duck: Duck) -> str | None:
    """Why a program is not run here, found with tables without rows; None when nothing speaks against it."""
    tables = Tables(program, inputs, duck)
    try:
        rows = Relations(duck, tables, lambda frame: frame.collect()).program(program)
        _delivered(rows.frame.head(0).collect(), rows, program)
    except Refused as error:
        return str(error)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        return f"polars refuses the plan: {_first_line(error)}"
    return None


def answered(program: Program, inputs: Inputs, duck: Duck, query: RunningQuery) -> pa.Table:
    """The answer of a program, in exactly its schema.

    Raises
    ------
    Fallback
        Only the data show that something is not proven here, or Polars gives up.
    CancelledError
        It was stopped.
    ResourceError
        It is larger than the limits allow.
    """
    began = time.perf_counter()
    try:
        rows = Relations(duck, Tables(program, inputs, duck, query), query.collect, query.watched).program(
            program
        )
        planned = time.perf_counter()
        frame = query.collect(rows.frame)
        if inputs.limits is not None:
            inputs.limits.check(frame.height, int(frame.estimated_size()))
        table = _delivered(frame, rows, program)
    except Refused as error:
        raise Fallback(str(error)) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        query.check()
        raise Fallback(f"polars gave up: {_first_line(error)}") from error
    done = time.perf_counter()
    report = inputs.report.nodes
    report.append(NodeRecord("plan and read", "polars", elapsed=planned - began))
    report.append(
        NodeRecord("streaming", "polars", rows=table.num_rows, nbytes=table.nbytes, elapsed=done - planned)
    )
    return table


def _delivered(frame: pl.DataFrame, rows: Rows, program: Program) -> pa.Table:
    schema = program.schema
    if len(schema) != len(rows.columns):
        raise Refused(f"{len(rows.columns)} columns in place of {len(schema)}")
    arrays = [
        delivered(frame[name], value, field)
        for name, value, field in zip(rows.names, rows.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
