"""Matches of a pattern over a topology, as a plan says, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from luma_bench.language.graph.pattern import Duplicates
from luma_bench.models.control import Control, Step
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.combine import coalesced, counted, held_rows, paired, repeated
from luma_bench.models.graph.cycles import close, weighed
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.expand import projected
from luma_bench.models.graph.factorise import factor
from luma_bench.models.graph.fixed import fixed_paths, known
from luma_bench.models.graph.optional import ROW, optional
from luma_bench.models.graph.running import Meter, Run
from luma_bench.models.graph.searching import search_step
from luma_bench.models.graph.topology import Topology
from luma_bench.models.graph.walking import ends_at, walk
from luma_bench.plan.graph.atoms import Kind, fixed
from luma_bench.plan.graph.bound import BoundMatch, BoundNode
from luma_bench.plan.graph.describe import title
from luma_bench.plan.graph.steps import (
    AnyStep,
    Check,
    ClausePlan,
    Close,
    Cross,
    Fold,
    Known,
    MatchPlan,
    Search,
    Start,
    Walk,
)


def matches(
    topology: Topology, match: BoundMatch, plan: MatchPlan, engine: GraphEngine, control: Control
) -> Iterator[Bindings]:
    """The matches of a pattern, in batches of about `control.batch` rows; no batch is empty.

    Rows have the columns of `match.needed`. Where duplicates are COUNTED, equal rows are put together as far as that
    pays, and each has its weight (None: one each); where they are IGNORED, rows may still repeat. A pattern that needs
    no variable gives one row with the number of matches (COUNTED), or as many rows as there are matches.

    Raises
    ------
    CancelledError
        `control.stop` was set.
    ResourceError
        A single piece of the work does not fit `control.memory`, or a row has too many matches to be counted.
    """
    run = Run(topology, engine, control, match.duplicates is Duplicates.IGNORED)
    pipeline = _Pipeline(run, match)
    rows: Iterator[Bindings] = iter((Bindings(1),))
    last: Meter | None = None
    for place, clause in enumerate(plan.clauses):
        final = place == len(plan.clauses) - 1
        records = pipeline.records(clause.steps, last)
        if clause.clause.optional:
            kept = clause.live | {ROW}
            inner = partial(pipeline.clause, clause, records, kept, final=False)
            rows = optional(run, rows, clause, inner)
            last = None
        else:
            rows = pipeline.clause(clause, records, clause.live, rows, final=final)
            last = records[-1] if records else last
    if match.duplicates is Duplicates.NEEDED:
        rows = repeated(run, rows)
    for batch in coalesced(run, rows):
        control.check()
        yield _finished(batch, match)


def _finished(batch: Bindings, match: BoundMatch) -> Bindings:
    kept = projected(batch, match.needed)
    if match.duplicates is not Duplicates.COUNTED and kept.weights is not None:
        return Bindings(kept.rows, kept.nodes, kept.edges, kept.groups, kept.paths)
    return kept


class _Pipeline:
    """The steps of one match as iterators over each other."""

    __slots__ = ("match", "run")

    def __init__(self, run: Run, match: BoundMatch) -> None:
        self.run = run
        self.match = match

    def records(self, steps: tuple[AnyStep, ...], before: Meter | None) -> list[Meter]:
        """A record of each step, those of parts beside it before it."""
        found: list[Meter] = []
        for step in steps:
            record = Step(title(step), step.rows)
            before = Meter(record, before)
            found.append(before)
            self.run.control.steps.append(record)
        return found

    def clause(
        self,
        clause: ClausePlan,
        meters: list[Meter],
        kept: frozenset[str],
        rows: Iterator[Bindings],
        *,
        final: bool,
    ) -> Iterator[Bindings]:
        """The rows of a clause, with its fixed path variables."""
        extra = kept - clause.live
        rows = self.steps(clause.steps, meters, rows, extra, final=final)
        asked = kept & {path.variable for path in clause.clause.paths if path.variable is not None}
        named = [path for path in clause.clause.paths if path.variable in asked and fixed(path)]
        if named:
            rows = fixed_paths(rows, named)
        return (projected(batch, kept) for batch in rows)

    def steps(
        self,
        steps: tuple[AnyStep, ...],
        meters: list[Meter],
        rows: Iterator[Bindings],
        extra: frozenset[str],
        *,
        final: bool,
    ) -> Iterator[Bindings]:
        """The rows of steps, one over the other; `extra` columns are carried through all of them."""
        for place, (step, meter) in enumerate(zip(steps, meters, strict=True)):
            last = final and place == len(steps) - 1
            live = step.live | extra
            rows = meter.over(self.step(step, rows, live, last=last))
            if not live:
                rows = counted(self.run, rows)
        return rows

    def step(
        self, step: AnyStep, rows: Iterator[Bindings], live: frozenset[str], *, last: bool
    ) -> Iterator[Bindings]:
        """The rows of one step."""
        run = self.run
        match step:
            case Start():
                return self.start(step.node, rows, live)
            case Check():
                return self.check(step.node, rows, live)
            case Walk():
                # Rows that are all asked for are not put together only to be repeated at once.
                together = not (last and self.match.duplicates is Duplicates.NEEDED)
                return walk(run, rows, _with(step, live), together=together)
            case Close():
                if step.way.atom.kind is Kind.EDGE:
                    return close(run, rows, step.way, live)
                return ends_at(run, rows, step.way, live)
            case Known():
                return known(run, rows, step.atom, live)
            case Fold():
                return self.fold(step, rows, live)
            case Search():
                return search_step(run, self.match, rows, step, live)
            case Cross():
                return self.cross(step, rows, live)

    def start(self, node: BoundNode, rows: Iterator[Bindings], live: frozenset[str]) -> Iterator[Bindings]:
        """Every vertex of a node, beside every row that comes (of a part of its own: one without columns)."""
        ids = self.run.admitted(node)
        # Held even where nobody asks for it: its vertices are the rows.
        everything = Bindings(len(ids), {node.variable: ids})
        for batch in rows:
            if batch.rows == 1 and not batch.nodes and not batch.edges and batch.weights is None:
                yield projected(everything, live)
            else:
                yield from paired(self.run, iter((batch,)), [projected(everything, live)])

    def check(self, node: BoundNode, rows: Iterator[Bindings], live: frozenset[str]) -> Iterator[Bindings]:
        """Rows whose vertex a node admits; NULL is none."""
        mine = self.run.admission(node, tables=True)
        for batch in rows:
            ids = batch.nodes[node.variable]
            admitted = ids >= 0 if mine is None else mine.holds(ids)
            kept = batch if admitted.all() else batch.take(np.flatnonzero(admitted))
            yield projected(kept, live)

    def fold(self, step: Fold, rows: Iterator[Bindings], live: frozenset[str]) -> Iterator[Bindings]:
        """Rows multiplied by the matches of a branch."""
        name = step.tree.way.origin.variable
        for batch in rows:
            self.run.control.check()
            ids = batch.nodes[name]
            if batch.rows * 8 > self.run.topology.vertex_count or batch.rows < 2:
                whole = batch.rows * 8 > self.run.topology.vertex_count
                counts = factor(self.run, step.tree, None)[ids] if whole else factor(self.run, step.tree, ids)
            else:
                distinct, places = np.unique(ids, return_inverse=True)
                counts = factor(self.run, step.tree, distinct)[places]
            yield projected(weighed(self.run, batch, counts), live)

    def cross(self, step: Cross, rows: Iterator[Bindings], live: frozenset[str]) -> Iterator[Bindings]:
        """Every pair with the rows of a part of its own."""
        meters = self.records(step.steps, None)
        apart = self.steps(step.steps, meters, iter((Bindings(1),)), frozenset(), final=False)
        what = "A part of the pattern that shares no variable with the rest"
        held = held_rows(self.run, apart, what)
        for batch in paired(self.run, rows, held):
            yield projected(batch, live)


def _with(step: Walk, live: frozenset[str]) -> Walk:
    return step if live == step.live else replace(step, live=live)
