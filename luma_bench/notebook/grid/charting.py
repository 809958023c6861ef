"""Charts of a view: which ones fit, and one of them with the code that draws it again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid.plain import plain
from luma_bench.notebook.grid.requests import Chart
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.plot.charts import facts, figure, suggest

SOURCE = "result"
"""What the rows are called in the questions of a chart, and in its code."""


def suggestions(engine: DuckEngine, rows: pa.Table) -> dict[str, Any]:
    """Charts that fit the rows, the best first."""
    found = suggest(rows.schema, rows.num_rows, facts(_asking(engine, rows), rows.schema))
    return {"type": "charts", "suggestions": [plain(item.as_dict()) for item in found]}


def chart(engine: DuckEngine, rows: pa.Table, asked: Chart) -> dict[str, Any]:
    """One chart.

    Raises
    ------
    LumaError
        The columns do not make it.
    """
    made = figure(
        _asking(engine, rows),
        rows.schema,
        rows.num_rows,
        kind=asked.kind,
        x=asked.x,
        y=asked.y,
        color=asked.color,
        source=SOURCE,
    )
    return {"type": "chart", "figure": made.figure, "code": made.code, "notes": list(made.notes)}


def _asking(engine: DuckEngine, rows: pa.Table) -> Any:
    return lambda text: engine.run(SqlFragment(text), Inputs(sources={}, relations={SOURCE: rows}))
