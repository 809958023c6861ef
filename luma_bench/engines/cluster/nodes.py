"""Stages as nodes of the run record."""

from __future__ import annotations

from luma_bench.engines.cluster.driver import DRIVER
from luma_bench.engines.cluster.stage_run import StageRun
from luma_bench.plan.cluster.stages import Hashed, Ranged
from luma_bench.types.record import NodeRecord, bytes_text, seconds_text


def stage_node(run: StageRun) -> NodeRecord:
    """What a stage was and did: rows and bytes that it handed on, and how long its tasks took together."""
    stage = run.stage
    reports = [report for report in run.reports if report is not None]
    workers = {report.worker for report in reports}
    if workers == {DRIVER}:
        where = "in the driver, on duckdb"
    else:
        longest = max(report.elapsed for report in reports)
        where = (
            f"{stage.tasks} task{'s' if stage.tasks > 1 else ''} on {len(workers)} worker{'s' if len(workers) > 1 else ''}, "
            f"the longest {seconds_text(longest)}"
        )
    told = [where]
    match stage.output:
        case Hashed() | Ranged():
            kind = "hash" if isinstance(stage.output, Hashed) else "order"
            told.append(f"{stage.output.buckets} buckets by {kind}")
        case _:
            pass
    read = sum(report.rows_read for report in reports)
    if read:
        told.append(f"read {read:,} rows, {bytes_text(sum(report.bytes_read for report in reports))}")
    again = sum(run.attempts)
    if again:
        told.append(f"{again} task{'s' if again > 1 else ''} run anew")
    told.extend(stage.notes)
    return NodeRecord(
        f"stage {stage.number}: {stage.purpose}" if stage.purpose else f"stage {stage.number}",
        "dask",
        rows_estimated=stage.rows_estimated,
        rows=sum(sum(report.rows) for report in reports),
        nbytes=sum(sum(report.nbytes) for report in reports),
        elapsed=sum(report.elapsed for report in reports),
        detail="; ".join(told),
    )
