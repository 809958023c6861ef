"""From a bound pattern to a plan: clause by clause, each connected part in the order that looks at the fewest edges."""

from __future__ import annotations

from dataclasses import replace

from luma_bench.language.graph.pattern import Duplicates
from luma_bench.plan.graph.atoms import atoms_of, nodes_of, variables_of, wanted_of
from luma_bench.plan.graph.bound import BoundClause, BoundMatch
from luma_bench.plan.graph.cost import Estimator
from luma_bench.plan.graph.order import Arrangement, Part, arranged
from luma_bench.plan.graph.rules import COMPACT, JOINS
from luma_bench.plan.graph.rules.compact import stale
from luma_bench.plan.graph.rules.joins import every, joins_better
from luma_bench.plan.graph.rules.reach import kind_of
from luma_bench.plan.graph.rules.start import started
from luma_bench.plan.graph.statistics import GraphStatistics
from luma_bench.plan.graph.steps import AnyStep, ClausePlan, Cross, MatchPlan, Start


def plan(match: BoundMatch, statistics: GraphStatistics) -> MatchPlan:
    """How to match a pattern over a graph of these sizes and degrees.

    The plan holds the pattern's own parts, so it is run with the same `match` and over the same topology.
    """
    estimator = Estimator(statistics)
    rows = 1.0
    bound: frozenset[str] = frozenset()
    clauses: list[ClausePlan] = []
    for place, clause in enumerate(match.clauses):
        later = frozenset[str]().union(*(variables_of(item) for item in match.clauses[place + 1 :]))
        live = match.needed | later
        planned, matches = _clause(clause, live, bound, rows, match.duplicates, estimator)
        clauses.append(planned)
        rows = max(rows, matches) if clause.optional else matches
        bound |= variables_of(clause)
    every_row = rows if match.duplicates is Duplicates.NEEDED else min(rows, clauses[-1].rows)
    notes: list[str] = []
    sql = joins_better(match, clauses, rows, _share(clauses, estimator))
    if sql:
        notes.append(f"rule {JOINS}: no side is bound and about {rows:,.0f} rows are asked for")
    notes += [
        f"rule {COMPACT}: more than 1 % of the edges of table {table} came after its index was built"
        for table in stale(match, statistics)
    ]
    return MatchPlan(tuple(clauses), every_row, sql, tuple(notes))


def _share(clauses: list[ClausePlan], estimator: Estimator) -> float:
    """The share of its vertices that the most selective node of all clauses admits."""
    nodes = [node for clause in clauses for node in nodes_of(clause.clause).values()]
    starts = [step for clause in clauses for step in every(clause.steps) if isinstance(step, Start)]
    return min((estimator.share(node) for node in nodes), default=1.0) if starts else 0.0


def _clause(
    clause: BoundClause,
    live: frozenset[str],
    bound: frozenset[str],
    rows: float,
    duplicates: Duplicates,
    estimator: Estimator,
) -> tuple[ClausePlan, float]:
    """One clause, and the matches that are expected with it."""
    wanted = wanted_of(clause, live)
    atoms, searched = atoms_of(clause, wanted, kind_of(duplicates))
    nodes = nodes_of(clause)
    groups: list[set[str]] = [{name} for name in nodes]
    linked = [{*atom.variables, atom.edge.variable} for atom in atoms]
    linked += [{item.variable for item in path.elements} for path in searched]
    known = bound & frozenset(name for names in (*groups, *linked) for name in names)
    for names in (*linked, set(known)):
        touching = [group for group in groups if group & names]
        if touching:
            groups = [group for group in groups if not group & names] + [names.union(*touching)]
    steps: list[AnyStep] = []
    apart: list[Arrangement] = []
    kept: frozenset[str] = bound & live
    matches, cost = rows, rows
    for group in groups:
        part = Part(
            estimator,
            {name: node for name, node in nodes.items() if name in group},
            tuple(atom for atom in atoms if atom.left.variable in group),
            tuple(path for path in searched if path.nodes[0].variable in group),
            wanted,
            bound & frozenset(group),
            rows if bound & group else 1.0,
        )
        if part.bound:
            done = arranged(part, None)
            # What earlier clauses bound and this part does not know of goes through its steps.
            steps += [replace(step, live=step.live | (kept - part.bound)) for step in done.steps]
            matches, cost = done.matches, done.rows
        else:
            apart.append(started(part))
    apart.sort(key=lambda item: -item.rows)
    # Without rows from before, the largest part goes first and the others are held beside it.
    if not bound and not steps and apart:
        first = apart.pop(0)
        steps += first.steps
        matches, cost = matches * first.matches, first.rows
    for item in apart:
        matches *= item.matches
        cost *= max(item.rows, 1.0)
        held = frozenset(item.steps[-1].live)
        before = steps[-1].live if steps else kept
        steps.append(Cross(item.steps, rows=cost, live=before | held))
    binds = variables_of(clause) - bound
    return ClausePlan(clause, tuple(steps), binds, live, cost), matches
