"""Plans as people see them: one typed tree of the engine's operators and the storage's figures, as text or JSON."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import Bound
from luma_bench.bench.metered import MeteredScan
from luma_bench.bench.result import Result
from luma_bench.bench.run_figures import Run, again, run_of, with_run
from luma_bench.bench.scan_matching import with_figures
from luma_bench.engines.duck_profile import plan_tree
from luma_bench.engines.router import machine_text
from luma_bench.errors import EngineError
from luma_bench.language import Query
from luma_bench.plan.engine import Engine, Fallback, SupportsPlan
from luma_bench.plan.explain_tree import head_text, tree_text
from luma_bench.plan.profile import PlanTree, Profile
from luma_bench.types.record import NodeRecord, RunRecord

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

        def shown(measured: bool) -> Profile:
            """The same plan; a statement that was not run runs when its figures are asked for."""
            if analyze or not measured:
                return profile
            return self.profile(query, again(ask, record), analyze=True, change=change)

        return Result(pa.table(rows), record, query.source, profile=shown)

    def text(self, query: Query, ask: Ask, ran: RunRecord | None = None) -> str:
        """The plan of a query as printed text, with the figures of the run where it ran."""
        profile = self._after(query, ask, ran)
        lines = [head_text(profile)]
        if ran is not None:
            lines += [f"{node.name:<10} {node.detail}" for node in ran.nodes]
        return "\n".join(lines) + f"\n\n{tree_text(profile.tree)}"

    def profile(
        self,
        query: Query,
        ask: Ask,
        run: Run | None = None,
        *,
        analyze: bool = False,
        change: str = "",
    ) -> Profile:
        """The plan of a query as a tree, with what its scans took and how many rows it gave where it ran.

        With `analyze` the query runs again, for what each operator did.
        """
        if analyze:
            return self._profile(query, ask, time.perf_counter(), analyze=True, change=change)[0]
        if run is None:
            return self._after(query, ask, None)
        found = self._after(query, ask, run.record)
        return replace(found, tree=with_run(found.tree, run))

    def _after(self, query: Query, ask: Ask, ran: RunRecord | None) -> Profile:
        """The plan with its estimates, and the totals of the run where it ran."""
        runner = self._runner
        bound = runner.binder.walked(runner.bind(query, ask, runner.resolve(ask)))
        tree = with_figures(self._planned(bound), _metered(bound), (), ran=False)
        return self._summary(bound, tree, query, ask, "", ran, planned=True)

    def measure(self, bound: Bound) -> None:
        """Have a query measured, operator by operator, when it runs."""
        bound.inputs.report.measures = True
        for source in _metered(bound).values():
            source.traced = True

    def measured(self, query: Query, ask: Ask, bound: Bound, record: RunRecord) -> Profile:
        """The plan of a query that was measured while it ran, as far as its engine measures."""
        report, sources = bound.inputs.report, _metered(bound)
        if report.tree is None and not report.nodes:
            tree = with_figures(self._planned(bound), sources, bound.rules, ran=False)
            tree = with_run(tree, run_of(record, bound.inputs.sources))
            return self._summary(bound, tree, query, ask, "", record, planned=True)
        tree = report.tree or _reported(bound, record.rows_out)
        tree = with_figures(tree, sources, bound.rules, ran=True)
        return self._summary(bound, tree, query, ask, "", record, planned=False)

    def _profile(
        self, query: Query, ask: Ask, started: float, *, analyze: bool, change: str
    ) -> tuple[Profile, RunRecord]:
        runner = self._runner
        bound = runner.binder.walked(runner.bind(query, ask, runner.resolve(ask)))
        if analyze:
            bound = runner.binder.reduced(bound)
        sources = _metered(bound)
        if analyze:
            self.measure(bound)
        tree = self._analyzed(bound) if analyze else self._planned(bound)
        tree = with_figures(tree, sources, bound.rules, ran=analyze)
        record = runner.record(bound, tree.answer_rows or 0, started)
        said = f"{change}: the rows that this query finds" if change else ""
        return self._summary(
            bound, tree, query, ask, said, record if analyze else None, planned=not analyze
        ), record

    def _summary(
        self,
        bound: Bound,
        tree: PlanTree,
        query: Query,
        ask: Ask,
        change: str,
        ran: RunRecord | None,
        *,
        planned: bool,
    ) -> Profile:
        choice, engines = bound.choice, self._runner.engines
        planned_by = choice.explaining().name if planned and not _plans(choice.engine) else ""
        return Profile(
            engine=choice.engine.name if ran is None else ran.engine,
            reason=choice.reason if ran is None else ran.reason,
            snapshot=bound.snapshot.id,
            tree=tree,
            estimates=dict(choice.estimates),
            fallbacks=choice.fallbacks if ran is None else ran.fallbacks,
            rules=bound.rules,
            cached=self._runner.holds(query, ask, bound.snapshot),
            change=change,
            totals={} if ran is None else _totals(ran),
            islands={name: (source.model, *source.lines()) for name, source in sorted(bound.islands.items())},
            candidates=self._runner.router.survey(bound.fragment, bound.inputs, engines),
            machine=machine_text(engines),
            planned_by=planned_by,
        )

    def _planned(self, bound: Bound) -> PlanTree:
        """The plan of the engine that would run it, or where it shows none of its own, of the complete engine."""
        engine = bound.choice.engine
        if isinstance(engine, SupportsPlan):
            with contextlib.suppress(
                Fallback
            ):  # the plan of the engine that it gives the query to is the true one
                return engine.plan(bound.fragment, bound.inputs)
        return _tree(bound, (_PLANNED,))

    def _analyzed(self, bound: Bound) -> PlanTree:
        """The plan with what each operator did."""
        if bound.choice.engine.explains:
            return _tree(bound, (_ANALYZED, _PLANNED))
        return _reported(bound, bound.run().num_rows)


def _tree(bound: Bound, prefixes: tuple[str, ...]) -> PlanTree:
    """The engine's own plan, parsed; DESCRIBE, which is answered while it is planned, has no figures."""
    for prefix in prefixes:
        plan = bound.run(prefix)
        tree = plan_tree(str(plan.column(plan.num_columns - 1)[0]))
        if tree is not None:
            return tree
    raise EngineError(
        f"The engine {bound.choice.explaining().name} gave no plan.",
        hint="Leave EXPLAIN out to run the query.",
    )


def profile_text(profile: Profile) -> str:
    """A profile as printed text."""
    return f"{head_text(profile)}\n\n{tree_text(profile.tree)}"


def _reported(bound: Bound, rows: int) -> PlanTree:
    """What an engine that does not measure operators reported of its run."""
    return PlanTree("ANSWER", rows=rows, children=tuple(map(_as_tree, bound.inputs.report.nodes)))


def _as_tree(node: NodeRecord) -> PlanTree:
    """What an engine reported of a step as an operator."""
    detail = (("Did", node.detail),) if node.detail else ()
    return PlanTree(
        node.name, detail, node.rows_estimated, node.rows, node.elapsed, node.nbytes, engine=node.engine
    )


def _plans(engine: Engine) -> bool:
    """Whether the plan that is shown is its own."""
    return engine.explains or isinstance(engine, SupportsPlan)


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
