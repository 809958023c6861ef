"""Plans as people see them: what is ours of a query's plan, the engine's own below it, and the figures of a run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import Bound, located
from luma_bench.bench.metered import MeteredScan
from luma_bench.bench.result import Result
from luma_bench.errors import KadeQLError
from luma_bench.language import Query
from luma_bench.plan.engine import SqlFragment
from luma_bench.types.record import RunRecord

if TYPE_CHECKING:
    from luma_bench.bench.runner import Runner


class Explainer:
    """Explains the queries of one runner."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def explain(self, query: Query, ask: Ask, *, analyze: bool, form: str, change: str = "") -> Result:
        """The plan of a query as a result of its own; with `analyze` the query runs and its figures are shown.

        `change` is the DELETE or UPDATE whose rows the query finds.
        """
        started = time.perf_counter()
        bound = self._runner.bind(query, ask, self._runner.resolve(ask))
        plan = self._engine_plan(query, bound, analyze=analyze, form=form)
        record = self._runner.record(bound, 0, started)
        head = self.head(bound, record if analyze else None)
        if change:
            head = {"change": f"{change}: the rows that this query finds", **head}
        if form == "json":
            rows = {
                "explain_key": ["plan"],
                "explain_value": [json.dumps({**head, "engine_plan": _loaded(plan)}, default=str)],
            }
        else:
            rows = {"explain_key": ["luma", "engine"], "explain_value": [head_text(head), plan]}
        return Result(pa.table(rows), record, query.source)

    def text(self, query: Query, ask: Ask, ran: RunRecord | None = None) -> str:
        """The plan of a query as printed text."""
        bound = self._runner.bind(query, ask, self._runner.resolve(ask))
        return f"{head_text(self.head(bound, ran))}\n\n{self._engine_plan(query, bound, analyze=False, form='text')}"

    def head(self, bound: Bound, ran: RunRecord | None) -> dict[str, Any]:
        """What is ours in a plan: engine, reason, snapshot, and each scan with its segments and offered pruning."""
        scans: list[dict[str, Any]] = []
        for name, source in sorted(bound.inputs.sources.items()):
            scan: dict[str, Any] = {"table": name, "rows": source.rows()}
            if ran is not None and isinstance(source, MeteredScan):
                scan["ran"] = source.record(name, bound.choice.engine.name).detail
            scans.append(scan)
        head: dict[str, Any] = {
            "engine": bound.choice.engine.name,
            "reason": bound.choice.reason,
            "snapshot": bound.snapshot.id,
            "estimates": dict(bound.choice.estimates),
            "fallbacks": list(bound.choice.fallbacks),
            "scans": scans,
        }
        if ran is not None:
            head["ran"] = {
                "rows_read": ran.rows_read, "bytes_read": ran.bytes_read, "segments_read": ran.segments_read,
                "segments_pruned": ran.segments_pruned, "chunks_read": ran.chunks_read, "chunks_pruned": ran.chunks_pruned,
                "seconds": round(ran.elapsed, 6), "cached": ran.cached,
            }  # fmt: skip
        return head

    def _engine_plan(self, query: Query, bound: Bound, *, analyze: bool, form: str) -> str:
        options = ", ".join((["ANALYZE"] if analyze else []) + (["FORMAT JSON"] if form == "json" else []))
        prefix = f"EXPLAIN ({options}) " if options else "EXPLAIN "
        try:
            plan = bound.choice.engine.run(
                SqlFragment(prefix + bound.fragment.text, bound.fragment.params), bound.inputs
            )
        except KadeQLError as error:
            raise located(error, query, len(prefix)) from error
        return "\n".join(str(value) for value in plan.column(plan.num_columns - 1).to_pylist())


def head_text(head: Mapping[str, Any]) -> str:
    """The part of a plan that is ours, as lines."""
    lines = [f"change     {head['change']}"] if "change" in head else []
    lines += [f"engine     {head['engine']}: {head['reason']}", f"snapshot   {head['snapshot']}"]
    lines += [f"estimate   {name} {seconds * 1e3:.1f} ms" for name, seconds in head["estimates"].items()]
    lines += [f"fallback   {text}" for text in head["fallbacks"]]
    for scan in head["scans"]:
        lines.append(
            f"scan       {scan['table']}: {scan['rows']:,} rows{'; ' + scan['ran'] if 'ran' in scan else ''}"
        )
    if "ran" in head:
        ran = head["ran"]
        lines.append(
            f"ran        {ran['rows_read']:,} rows read, {ran['bytes_read']:,} bytes; segments {ran['segments_read']} read, "
            f"{ran['segments_pruned']} pruned; chunks {ran['chunks_read']} read, {ran['chunks_pruned']} pruned; "
            f"{ran['seconds'] * 1e3:.1f} ms{', cached' if ran['cached'] else ''}"
        )
    return "\n".join(lines)


def _loaded(plan: str) -> Any:
    try:
        return json.loads(plan)
    except ValueError:
        return plan
