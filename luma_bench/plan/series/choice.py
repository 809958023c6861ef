"""Which plan a grouped construct runs by, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from luma_bench.errors import UnsupportedError
from luma_bench.plan.series.cost import Work, prefers_runs

PlanName = Literal["runs", "sql"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan and its reason."""

    name: PlanName
    reason: str


def choose(lacks: str | None, work: Work, asked: Literal["auto", "runs", "sql"]) -> Plan:
    """The plan of a construct.

    Parameters
    ----------
    lacks
        What of it the kernel does not do; None where it does all.
    asked
        A plan that somebody insists on.

    Raises
    ------
    UnsupportedError
        Sorted runs are insisted on and cannot answer.
    """
    if asked == "sql":
        return Plan("sql", "asked for")
    if lacks is not None:
        if asked == "runs":
            raise UnsupportedError(
                f"Sorted runs cannot answer this: {lacks}.",
                hint="Leave the choice of the plan to the planner.",
            )
        return Plan("sql", lacks)
    if asked == "runs":
        return Plan("runs", "asked for")
    if prefers_runs(work):
        return Plan("runs", "sorted by series and time" if work.sorted_share > 0.5 else "cheaper than SQL")
    if work.folded and work.sorted_share > 0.5:
        return Plan("sql", f"{work.folded:,} groups of single series become few")
    return Plan("sql", f"{1 - work.sorted_share:.0%} of the rows are not sorted by series and time")
