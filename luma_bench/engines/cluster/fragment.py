"""A statement on the embedded engine whose rows stay in DuckDB's own lossless Arrow types, to be read by DuckDB again."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.engines.duck import DuckEngine, _submit
from luma_bench.plan.engine import Inputs, SqlFragment


def run_raw(engine: DuckEngine, sql: str, inputs: Inputs) -> pa.Table:
    """The rows of a SELECT in the types that DuckDB writes and reads without loss: HUGEINT, UUID, BIT and others stay what they are.

    Raises
    ------
    KadeQLError, CancelledError, EngineError
        Like `DuckEngine.run`; an error of a scan source comes out as it was raised.
    """
    running = engine._running
    statement = running.begin(SqlFragment(sql), inputs)
    try:
        with statement.calling():
            return running.aside.call(lambda: _submit(statement, "arrow").arrow_table(), statement.stop)
    finally:
        statement.close()
