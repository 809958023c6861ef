"""The tour's question that every engine answers: one text, one answer, a run record of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.errors import LumaError
from luma_bench.types.record import bytes_text, seconds_text

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.bench.result import Result

ENGINES = ("duckdb", "polars", "dask")

QUESTION = """\
SELECT a.name AS airline, f.origin, count(*) AS flights, avg(f.arr_delay) AS delay, max(f.arr_delay) AS worst
FROM flights f JOIN airlines a ON f.carrier = a.carrier
WHERE f.arr_delay IS NOT NULL
GROUP BY a.name, f.origin
HAVING count(*) >= 1000
ORDER BY delay DESC, airline, origin
LIMIT 10"""


def answers(bench: Bench, engines: Sequence[str] = ENGINES, question: str = QUESTION) -> dict[str, Result]:
    """A question asked of each engine, which must be the one that runs.

    Raises
    ------
    UnsupportedError
        An engine cannot run here: what is missing.
    LumaError
        Two engines give different answers; this must not happen.
    """
    found = {engine: bench.kadeql(question, engine=engine, strict=True, cache=False) for engine in engines}
    first = found[engines[0]].to_arrow()
    for engine, result in found.items():
        if not result.to_arrow().equals(first):
            raise LumaError(
                f"{engine} answers otherwise than {engines[0]}.", hint="Please report it, with the bench."
            )
    return found


def records(found: Mapping[str, Result]) -> pa.Table:
    """What each run record says, a row an engine."""
    runs = [result.run for result in found.values()]
    return pa.table(
        {
            "engine": [run.engine for run in runs],
            "reason": [run.reason for run in runs],
            "expected": [seconds_text(run.estimates.get(run.engine, 0.0)) for run in runs],
            "took": [seconds_text(run.elapsed) for run in runs],
            "rows_read": [run.rows_read for run in runs],
            "bytes_read": [bytes_text(run.bytes_read) for run in runs],
            "stages": [sum(node.name.startswith("stage") for node in run.nodes) for run in runs],
            "fallbacks": [len(run.fallbacks) for run in runs],
        }
    )
