"""Plans as people see them: one typed tree of the engine's operators and the storage's figures, as text or JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import Bound
from luma_bench.bench.metered import MeteredScan
from luma_bench.bench.result import Result
from luma_bench.bench.scan_matching import with_figures
from luma_bench.engines.duck_profile import plan_tree
from luma_bench.errors import EngineError
from luma_bench.language import Query
from luma_bench.plan.explain_tree import head_text, tree_text
from luma_bench.plan.profile import PlanTree, Profile
from luma_bench.types.record import RunRecord

if TYPE_CHECKING:
    from luma_bench.bench.runner import Runner

_PLANNED = "EXPLAIN (FORMAT JSON) "
_ANALYZED = "EXPLAIN (ANALYZE, FORMAT JSON) "


class Explainer:
    """Explains the queries of one runner."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def explain(self, query: Query, ask: Ask, *, analyze: bool, form: str, change: str = "") -> Result:
        """The plan of a query as a result of its own; with `analyze` the query runs and its figures are shown.

        `change` is the DELETE or UPDATE whose rows the query finds.
        """
        started = time.perf_counter()
        profile, record = self._profile(query, ask, started, analyze=analyze, change=change)
        if form == "json":
            rows = {
                "explain_key": ["plan"],
                "explain_value": [json.dumps(profile.as_dict(), default=str)],
            }
        else:
            rows = {
                "explain_key": ["luma", "engine"],
                "explain_value": [head_text(profile), tree_text(profile.tree)],
            }
        return Result(pa.table(rows), record, query.source)

    def text(self, query: Query, ask: Ask, ran: RunRecord | None = None) -> str:
        """The plan of a query as printed text, with the figures of the run where it ran."""
        runner = self._runner
        bound = runner.binder.walked(runner.bind(query, ask, runner.resolve(ask)))
        tree = with_figures(self._tree(bound, analyze=False), _metered(bound), (), ran=False)
        profile = self._summary(bound, tree, query, ask, "", {} if ran is None else _totals(ran))
        lines = [head_text(profile)]
        if ran is not None:
            lines += [f"{node.name:<10} {node.detail}" for node in ran.nodes]
        return "\n".join(lines) + f"\n\n{tree_text(tree)}"

    def _profile(
        self, query: Query, ask: Ask, started: float, *, analyze: bool, change: str
    ) -> tuple[Profile, RunRecord]:
        runner = self._runner
        bound = runner.binder.walked(runner.bind(query, ask, runner.resolve(ask)))
        if analyze:
            bound = runner.binder.reduced(bound)
        sources = _metered(bound)
        for source in sources.values():
            source.traced = analyze
        tree = self._tree(bound, analyze=analyze)
        tree = with_figures(tree, sources, bound.rules, ran=analyze)
        record = runner.record(bound, tree.answer_rows or 0, started)
        said = f"{change}: the rows that this query finds" if change else ""
        return self._summary(bound, tree, query, ask, said, _totals(record) if analyze else {}), record

    def _summary(
        self,
        bound: Bound,
        tree: PlanTree,
        query: Query,
        ask: Ask,
        change: str,
        totals: Mapping[str, int | float],
    ) -> Profile:
        return Profile(
            engine=bound.choice.engine.name,
            reason=bound.choice.reason,
            snapshot=bound.snapshot.id,
            tree=tree,
            estimates=dict(bound.choice.estimates),
            fallbacks=tuple(bound.choice.fallbacks),
            rules=bound.rules,
            cached=self._runner.holds(query, ask, bound.snapshot),
            change=change,
            totals=totals,
            islands={name: (source.model, *source.lines()) for name, source in sorted(bound.islands.items())},
        )

    def _tree(self, bound: Bound, *, analyze: bool) -> PlanTree:
        """The engine's own plan, parsed; DESCRIBE, which is answered while it is planned, has no figures."""
        for prefix in (_ANALYZED, _PLANNED) if analyze else (_PLANNED,):
            plan = bound.run(prefix)
            tree = plan_tree(str(plan.column(plan.num_columns - 1)[0]))
            if tree is not None:
                return tree
        raise EngineError(
            f"The engine {bound.choice.engine.name} gave no plan.", hint="Leave EXPLAIN out to run the query."
        )


def _metered(bound: Bound) -> dict[str, MeteredScan]:
    return {name: source for name, source in bound.inputs.sources.items() if isinstance(source, MeteredScan)}


def _totals(ran: RunRecord) -> dict[str, int | float]:
    return {
        "rows_read": ran.rows_read,
        "bytes_read": ran.bytes_read,
        "segments_read": ran.segments_read,
        "segments_pruned": ran.segments_pruned,
        "chunks_read": ran.chunks_read,
        "chunks_pruned": ran.chunks_pruned,
        "seconds": round(ran.elapsed, 6),
    }
