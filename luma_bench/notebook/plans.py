"""How cells show plans: `--explain` and EXPLAIN in place of the table, `--profile` above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from luma_bench.bench import display
from luma_bench.notebook.display import run_panel

if TYPE_CHECKING:
    from luma_bench.bench.result import Result
    from luma_bench.plot.plan import PlanView

_PRINTED = ["luma", "engine"]
"""What EXPLAIN prints, by the keys of its rows; as JSON it has another."""


def explained(result: Result) -> PlanView | None:
    """The plan that a result is, where it is the answer to an EXPLAIN that prints; else None."""
    table = result.to_arrow()
    if display.plan_text(table) is None or table.column(0).to_pylist() != _PRINTED or not result.has_plan:
        return None
    return result.plan_view()


def plan_forms(view: PlanView) -> dict[str, Any]:
    """The drawing of a plan as a page and as data; what a result has for text stays."""
    forms = view._repr_mimebundle_()
    del forms["text/plain"]
    return forms


def profiled(result: Result, width: int) -> dict[str, Any]:
    """What `--profile` shows of a run: its plan with its figures; of a statement without a plan, its run record."""
    return result.plan_view()._repr_mimebundle_() if result.has_plan else run_panel(result.run, width).bundle
